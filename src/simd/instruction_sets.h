/* Compiles templates for each instruction set: FLOAT_TEMPLATE and DOUBLE_TEMPLATE, header names, whichever are defined.
 *
 * A template is included with NAME, REAL, VEC, W (lanes), MR, NR (a tile of accumulators that fits the registers) and the
 * vector operations defined. ADD and the operations after it are there for double alone; POWER(t) is 2^m for t = 1.5 * 2^52 + m.
 * NUMBERS and SHORTS make W integers lanes, DIFFERENT and AT_MOST compare lanes: bit l for lane l. LANES loads 128 bits from p,
 * p + stride, ... into the lanes of a vector, LOW and HIGH interleave halves of such lanes. LONG_PANELS asks for a long and
 * narrow tile where there are registers for it. GCC and Clang compile the functions between the target pragmas for that
 * instruction set; MSVC takes intrinsics anywhere.
 * EACH_SET(ENTRY) lists ENTRY(set) for each instruction set, the plainest first.
 */
#ifndef CKMEANS_INSTRUCTION_SETS_H
#define CKMEANS_INSTRUCTION_SETS_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "processor.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

static INLINE float least_sse_f32(__m128 a)
{
    a = _mm_min_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_min_ss(a, _mm_shuffle_ps(a, a, 1)));
}

static INLINE double least_sse_f64(__m128d a) { return _mm_cvtsd_f64(_mm_min_sd(a, _mm_unpackhi_pd(a, a))); }

#define MR 2
#define NR 4

#ifdef FLOAT_TEMPLATE
#define NAME(f) f##_sse2_f32
#define REAL float
#define VEC __m128
#define W 4
#define LOAD _mm_loadu_ps
#define STORE _mm_storeu_ps
#define SET1 _mm_set1_ps
#define FNMA(a, b, c) _mm_sub_ps(c, _mm_mul_ps(a, b))
#define MIN _mm_min_ps
#define MAX _mm_max_ps
#define LANES(p, stride) _mm_loadu_ps(p)
#define LOW _mm_unpacklo_ps
#define HIGH _mm_unpackhi_ps
#define IF_LESS(a, b, yes, no) \
    _mm_or_ps(_mm_and_ps(_mm_cmplt_ps(a, b), yes), _mm_andnot_ps(_mm_cmplt_ps(a, b), no))
#define NUMBERS(p) _mm_cvtepi32_ps(_mm_loadu_si128((const __m128i *)(p)))
#define SHORTS(p) \
    _mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64((const __m128i *)(p))), 16))
#define DIFFERENT(a, b) _mm_movemask_ps(_mm_cmpneq_ps(a, b))
#define AT_MOST(a, b) _mm_movemask_ps(_mm_cmple_ps(a, b))
#define REDUCE_MIN least_sse_f32
#include FLOAT_TEMPLATE
#include "undefine.h"
#endif

#ifdef DOUBLE_TEMPLATE
#define NAME(f) f##_sse2_f64
#define REAL double
#define VEC __m128d
#define W 2
#define LOAD _mm_loadu_pd
#define STORE _mm_storeu_pd
#define SET1 _mm_set1_pd
#define FNMA(a, b, c) _mm_sub_pd(c, _mm_mul_pd(a, b))
#define MIN _mm_min_pd
#define MAX _mm_max_pd
#define LANES(p, stride) _mm_loadu_pd(p)
#define LOW _mm_unpacklo_pd
#define HIGH _mm_unpackhi_pd
#define IF_LESS(a, b, yes, no) \
    _mm_or_pd(_mm_and_pd(_mm_cmplt_pd(a, b), yes), _mm_andnot_pd(_mm_cmplt_pd(a, b), no))
#define NUMBERS(p) _mm_cvtepi32_pd(_mm_loadl_epi64((const __m128i *)(p)))
#define DIFFERENT(a, b) _mm_movemask_pd(_mm_cmpneq_pd(a, b))
#define AT_MOST(a, b) _mm_movemask_pd(_mm_cmple_pd(a, b))
#define REDUCE_MIN least_sse_f64
#define ADD _mm_add_pd
#define MUL _mm_mul_pd
#define DIV _mm_div_pd
#define FMA(a, b, c) _mm_add_pd(_mm_mul_pd(a, b), c)
#define POWER(t) \
    _mm_castsi128_pd(_mm_slli_epi64(_mm_add_epi64(_mm_castpd_si128(t), _mm_set1_epi64x(1023)), 52))
#include DOUBLE_TEMPLATE
#include "undefine.h"
#endif

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#ifdef FLOAT_TEMPLATE
#define NAME(f) f##_avx2_f32
#define REAL float
#define VEC __m256
#define W 8
#define LOAD _mm256_loadu_ps
#define STORE _mm256_storeu_ps
#define SET1 _mm256_set1_ps
#define FNMA _mm256_fnmadd_ps
#define MIN _mm256_min_ps
#define MAX _mm256_max_ps
#define LANES(p, stride) _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps((p) + (stride)), 1)
#define LOW _mm256_unpacklo_ps
#define HIGH _mm256_unpackhi_ps
#define IF_LESS(a, b, yes, no) _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ))
#define NUMBERS(p) _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(p)))
#define SHORTS(p) _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(p))))
#define DIFFERENT(a, b) _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NEQ_UQ))
#define AT_MOST(a, b) _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LE_OQ))
#define REDUCE_MIN(a) least_sse_f32(_mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1)))
#include FLOAT_TEMPLATE
#include "undefine.h"
#endif

#ifdef DOUBLE_TEMPLATE
#define NAME(f) f##_avx2_f64
#define REAL double
#define VEC __m256d
#define W 4
#define LOAD _mm256_loadu_pd
#define STORE _mm256_storeu_pd
#define SET1 _mm256_set1_pd
#define FNMA _mm256_fnmadd_pd
#define MIN _mm256_min_pd
#define MAX _mm256_max_pd
#define LANES(p, stride) _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p)), _mm_loadu_pd((p) + (stride)), 1)
#define LOW _mm256_unpacklo_pd
#define HIGH _mm256_unpackhi_pd
#define IF_LESS(a, b, yes, no) _mm256_blendv_pd(no, yes, _mm256_cmp_pd(a, b, _CMP_LT_OQ))
#define NUMBERS(p) _mm256_cvtepi32_pd(_mm_loadu_si128((const __m128i *)(p)))
#define DIFFERENT(a, b) _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_NEQ_UQ))
#define AT_MOST(a, b) _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LE_OQ))
#define REDUCE_MIN(a) least_sse_f64(_mm_min_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1)))
#define ADD _mm256_add_pd
#define MUL _mm256_mul_pd
#define DIV _mm256_div_pd
#define FMA _mm256_fmadd_pd
#define POWER(t) \
    _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_add_epi64(_mm256_castpd_si256(t), _mm256_set1_epi64x(1023)), 52))
#include DOUBLE_TEMPLATE
#include "undefine.h"
#endif

#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,prefer-vector-width=512")
#endif
#ifdef LONG_PANELS
#undef MR
#define MR 4 /* with 4 centers: few are wasted, and a panel is long enough to hide what it costs to begin one */
#else
#undef NR
#define NR 8
#endif

#ifdef FLOAT_TEMPLATE
#define NAME(f) f##_avx512_f32
#define REAL float
#define VEC __m512
#define W 16
#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps
#define SET1 _mm512_set1_ps
#define FNMA _mm512_fnmadd_ps
#define MIN _mm512_min_ps
#define MAX _mm512_max_ps
#define LANES(p, stride) \
    _mm512_insertf32x8( \
        _mm512_castps256_ps512( \
            _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps((p) + (stride)), 1)), \
        _mm256_insertf128_ps( \
            _mm256_castps128_ps256(_mm_loadu_ps((p) + 2 * (stride))), _mm_loadu_ps((p) + 3 * (stride)), 1), 1)
#define LOW _mm512_unpacklo_ps
#define HIGH _mm512_unpackhi_ps
#define IF_LESS(a, b, yes, no) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes)
#define NUMBERS(p) _mm512_cvtepi32_ps(_mm512_loadu_si512(p))
#define SHORTS(p) _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(p))))
#define DIFFERENT(a, b) _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ)
#define AT_MOST(a, b) _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ)
#define REDUCE_MIN _mm512_reduce_min_ps
#include FLOAT_TEMPLATE
#include "undefine.h"
#endif

#ifdef DOUBLE_TEMPLATE
#define NAME(f) f##_avx512_f64
#define REAL double
#define VEC __m512d
#define W 8
#define LOAD _mm512_loadu_pd
#define STORE _mm512_storeu_pd
#define SET1 _mm512_set1_pd
#define FNMA _mm512_fnmadd_pd
#define MIN _mm512_min_pd
#define MAX _mm512_max_pd
#define LANES(p, stride) \
    _mm512_insertf64x4( \
        _mm512_castpd256_pd512( \
            _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p)), _mm_loadu_pd((p) + (stride)), 1)), \
        _mm256_insertf128_pd( \
            _mm256_castpd128_pd256(_mm_loadu_pd((p) + 2 * (stride))), _mm_loadu_pd((p) + 3 * (stride)), 1), 1)
#define LOW _mm512_unpacklo_pd
#define HIGH _mm512_unpackhi_pd
#define IF_LESS(a, b, yes, no) _mm512_mask_blend_pd(_mm512_cmp_pd_mask(a, b, _CMP_LT_OQ), no, yes)
#define NUMBERS(p) _mm512_cvtepi32_pd(_mm256_loadu_si256((const __m256i *)(p)))
#define DIFFERENT(a, b) _mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ)
#define AT_MOST(a, b) _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ)
#define REDUCE_MIN _mm512_reduce_min_pd
#define ADD _mm512_add_pd
#define MUL _mm512_mul_pd
#define DIV _mm512_div_pd
#define FMA _mm512_fmadd_pd
#define POWER(t) \
    _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_add_epi64(_mm512_castpd_si512(t), _mm512_set1_epi64(1023)), 52))
#include DOUBLE_TEMPLATE
#include "undefine.h"
#endif

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif


/* How many of the sets above, in order, this processor (and the operating system) supports. */
static INLINE int n_supported(void)
{
#if defined(_MSC_VER) && !defined(__clang__)
    int leaf[4];
    unsigned long long saved;
    __cpuid(leaf, 1);
    if (!(leaf[2] & (1 << 27)) || !(leaf[2] & (1 << 12))) return 1; /* OSXSAVE, FMA */
    saved = _xgetbv(0);
    __cpuidex(leaf, 7, 0);
    if ((saved & 6) != 6 || !(leaf[1] & (1 << 5))) return 1;
    return (saved & 0xe6) == 0xe6 && (leaf[1] & (1 << 16)) && (leaf[1] & (1 << 17)) && (leaf[1] & (1 << 30))
        && (leaf[1] & (1u << 31)) ? 3 : 2;
#else
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") ? 3 : 2;
#endif
}
#define EACH_SET(ENTRY) ENTRY(sse2), ENTRY(avx2), ENTRY(avx512)

#elif defined(__aarch64__) || defined(_M_ARM64)
#include <arm_neon.h>

#define MR 2
#define NR 8

#ifdef FLOAT_TEMPLATE
#define NAME(f) f##_neon_f32
#define REAL float
#define VEC float32x4_t
#define W 4
#define LOAD vld1q_f32
#define STORE vst1q_f32
#define SET1 vdupq_n_f32
#define FNMA(a, b, c) vfmsq_f32(c, a, b)
#define MIN vminq_f32
#define MAX vmaxq_f32
#define LANES(p, stride) vld1q_f32(p)
#define LOW vzip1q_f32
#define HIGH vzip2q_f32
#define IF_LESS(a, b, yes, no) vbslq_f32(vcltq_f32(a, b), yes, no)
#define SHORTS(p) vcvtq_f32_s32(vmovl_s16(vld1_s16(p)))
#define REDUCE_MIN vminvq_f32
#include FLOAT_TEMPLATE
#include "undefine.h"
#endif

#ifdef DOUBLE_TEMPLATE
#define NAME(f) f##_neon_f64
#define REAL double
#define VEC float64x2_t
#define W 2
#define LOAD vld1q_f64
#define STORE vst1q_f64
#define SET1 vdupq_n_f64
#define FNMA(a, b, c) vfmsq_f64(c, a, b)
#define MIN vminq_f64
#define MAX vmaxq_f64
#define LANES(p, stride) vld1q_f64(p)
#define LOW vzip1q_f64
#define HIGH vzip2q_f64
#define IF_LESS(a, b, yes, no) vbslq_f64(vcltq_f64(a, b), yes, no)
#define REDUCE_MIN vminvq_f64
#define ADD vaddq_f64
#define MUL vmulq_f64
#define DIV vdivq_f64
#define FMA(a, b, c) vfmaq_f64(c, a, b)
#define POWER(t) \
    vreinterpretq_f64_s64(vshlq_n_s64(vaddq_s64(vreinterpretq_s64_f64(t), vdupq_n_s64(1023)), 52))
#include DOUBLE_TEMPLATE
#include "undefine.h"
#endif

static INLINE int n_supported(void) { return 1; }
#define EACH_SET(ENTRY) ENTRY(neon)

#else

#define MR 4
#define NR 4
#define LOAD_ONE(p) (*(p))
#define LEAST(a, b) ((a) < (b) ? (a) : (b))
#define LARGEST(a, b) ((a) < (b) ? (b) : (a))

static INLINE double plain_power(double t)
{
    uint64_t bits;
    memcpy(&bits, &t, 8);
    bits = (bits + 1023) << 52;
    memcpy(&t, &bits, 8);
    return t;
}

#ifdef FLOAT_TEMPLATE
#define NAME(f) f##_plain_f32
#define REAL float
#define VEC float
#define W 1
#define LOAD LOAD_ONE
#define STORE(p, v) (*(p) = (v))
#define SET1(v) (v)
#define FNMA(a, b, c) ((c) - (a) * (b))
#define MIN LEAST
#define MAX LARGEST
#define IF_LESS(a, b, yes, no) ((a) < (b) ? (yes) : (no))
#define REDUCE_MIN(a) (a)
#include FLOAT_TEMPLATE
#include "undefine.h"
#endif

#ifdef DOUBLE_TEMPLATE
#define NAME(f) f##_plain_f64
#define REAL double
#define VEC double
#define W 1
#define LOAD LOAD_ONE
#define STORE(p, v) (*(p) = (v))
#define SET1(v) (v)
#define FNMA(a, b, c) ((c) - (a) * (b))
#define MIN LEAST
#define MAX LARGEST
#define IF_LESS(a, b, yes, no) ((a) < (b) ? (yes) : (no))
#define REDUCE_MIN(a) (a)
#define ADD(a, b) ((a) + (b))
#define MUL(a, b) ((a) * (b))
#define DIV(a, b) ((a) / (b))
#define FMA(a, b, c) ((a) * (b) + (c))
#define POWER plain_power
#include DOUBLE_TEMPLATE
#include "undefine.h"
#endif

static INLINE int n_supported(void) { return 1; }
#define EACH_SET(ENTRY) ENTRY(plain)
#endif

/* Names of the sets, in their order. */
static INLINE const char *instruction_set_name(int set)
{
#define QUOTED(name) #name
    static const char *const names[] = {EACH_SET(QUOTED)};
    return names[set];
}
#endif
