/* Dot products of rows and centers in 8 bits, exact in 32: of a panel of SCREEN_ROWS rows with up to SCREEN_BLOCK centers.
 *
 * A panel is n_quads times SCREEN_ROWS times four features, unsigned: 128 stands for zero. A center is `stride` signed bytes, a
 * multiple of 64, zeros at the end, no larger than the level of the kind. Products are of bytes as they are: 128 times the sum
 * of a center too large where the offset of the kind is 128. Kinds, the plainest first: plain C; AVX2 (pairs of products in 16
 * bits, which do not saturate up to level 64); AVX-VNNI; AVX-512 VNNI; AMX, which does 16 x 16 x 64 products in one instruction.
 */
#ifndef CKMEANS_DOTS_H
#define CKMEANS_DOTS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "processor.h"

#define SCREEN_ROWS 32
#define SCREEN_BLOCK 32
#define SCREEN_SLACK (16 * 4 * SCREEN_ROWS) /* bytes that may be read, but count nothing, after the last panel */
#define MOST_QUADS 16000                    /* with more no sum would surely fit in 32 bits */

typedef void (*dots_function)(
    const uint8_t *rows, ptrdiff_t n_quads, const int8_t *centers, ptrdiff_t stride, ptrdiff_t n, int32_t *out);

static void dots_plain(
    const uint8_t *rows, ptrdiff_t n_quads, const int8_t *centers, ptrdiff_t stride, ptrdiff_t n, int32_t *out)
{
    for (ptrdiff_t j = 0; j < n; j++, out += SCREEN_ROWS) {
        const int8_t *c = centers + j * stride;
        const uint8_t *x = rows;
        for (int r = 0; r < SCREEN_ROWS; r++) out[r] = 0;
        for (ptrdiff_t t = 0; t < n_quads; t++, x += 4 * SCREEN_ROWS, c += 4)
            for (int r = 0; r < SCREEN_ROWS; r++)
                out[r] += x[4 * r] * c[0] + x[4 * r + 1] * c[1] + x[4 * r + 2] * c[2] + x[4 * r + 3] * c[3];
    }
}

/* Four bytes of a center. */
static INLINE int32_t quad_of(const int8_t *center)
{
    int32_t four;
    memcpy(&four, center, 4);
    return four;
}

#if (defined(__x86_64__) || defined(_M_X64)) && !(defined(_MSC_VER) && !defined(__clang__))
#define WITH_X86_DOTS
#include <cpuid.h>
#include <immintrin.h>

/* A register tile: PARTS vectors of rows, of LANES rows each, times J centers. */
#define DOTS_TILE(name, J, PARTS, LANES, VECTOR, LOADED, STORED, BROADCAST, ADDED) \
    static INLINE void name( \
        const uint8_t *rows, ptrdiff_t n_quads, const int8_t *centers, ptrdiff_t stride, int32_t *out) \
    { \
        VECTOR sum[J][PARTS]; \
        UNROLL for (int j = 0; j < J; j++) \
            UNROLL for (int p = 0; p < PARTS; p++) sum[j][p] = BROADCAST(0); \
        for (ptrdiff_t t = 0; t < n_quads; t++, rows += 4 * SCREEN_ROWS, centers += 4) { \
            VECTOR x[PARTS]; \
            UNROLL for (int p = 0; p < PARTS; p++) x[p] = LOADED((const VECTOR *)(rows + 4 * LANES * p)); \
            UNROLL for (int j = 0; j < J; j++) { \
                VECTOR c = BROADCAST(quad_of(centers + j * stride)); \
                UNROLL for (int p = 0; p < PARTS; p++) sum[j][p] = ADDED(sum[j][p], x[p], c); \
            } \
        } \
        UNROLL for (int j = 0; j < J; j++) \
            UNROLL for (int p = 0; p < PARTS; p++) STORED((VECTOR *)(out + SCREEN_ROWS * j + LANES * p), sum[j][p]); \
    }

/* All centers, J at a time and then four; the rows of a panel in parts of ROWS. */
#define DOTS(name, J, tile, tile_of_four, ROWS) \
    static void name( \
        const uint8_t *rows, ptrdiff_t n_quads, const int8_t *centers, ptrdiff_t stride, ptrdiff_t n, \
        int32_t *out) \
    { \
        for (ptrdiff_t j = 0; j < n; j += j + J <= n ? J : 4) \
            for (int r = 0; r < SCREEN_ROWS; r += ROWS) \
                if (j + J <= n) \
                    tile(rows + 4 * r, n_quads, centers + j * stride, stride, out + j * SCREEN_ROWS + r); \
                else \
                    tile_of_four(rows + 4 * r, n_quads, centers + j * stride, stride, out + j * SCREEN_ROWS + r); \
    }

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
static INLINE __m256i add_pairs(__m256i sum, __m256i x, __m256i c)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(x, c), _mm256_set1_epi16(1)));
}
DOTS_TILE(tile_avx2, 4, 2, 8, __m256i, _mm256_loadu_si256, _mm256_storeu_si256, _mm256_set1_epi32, add_pairs)
DOTS(dots_avx2, 4, tile_avx2, tile_avx2, 16)
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#if __has_include(<avxvnniintrin.h>) /* GCC 11, Clang 12 */
#define WITH_AVXVNNI
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,avxvnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,avxvnni")
#endif
DOTS_TILE(tile_avxvnni, 4, 2, 8, __m256i, _mm256_loadu_si256, _mm256_storeu_si256, _mm256_set1_epi32, _mm256_dpbusd_avx_epi32)
DOTS(dots_avxvnni, 4, tile_avxvnni, tile_avxvnni, 16)
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vnni")
#endif
DOTS_TILE(tile_vnni_8, 8, 2, 16, __m512i, _mm512_loadu_si512, _mm512_storeu_si512, _mm512_set1_epi32, _mm512_dpbusd_epi32)
DOTS_TILE(tile_vnni_4, 4, 2, 16, __m512i, _mm512_loadu_si512, _mm512_storeu_si512, _mm512_set1_epi32, _mm512_dpbusd_epi32)
DOTS(dots_avx512vnni, 8, tile_vnni_8, tile_vnni_4, 32)
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#if defined(__linux__) && __has_include(<amxint8intrin.h>)
#include <sys/syscall.h>
#include <unistd.h>
#define WITH_AMX
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,amx-tile,amx-int8"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,amx-tile,amx-int8")
#endif
/* Tiles 0 to 3 are sums, 4 and 5 centers, 6 and 7 rows. */
static void begin_amx(void)
{
    static const uint8_t shape[64] = {/* all tiles are 16 rows of 64 bytes */
        1,  0, 0,  0, 0,  0, 0,  0, 0,  0, 0,  0, 0,  0, 0,  0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0,
        0,  0, 0,  0, 0,  0, 0,  0, 0,  0, 0,  0, 0,  0, 0,  0, 16, 16, 16, 16, 16, 16, 16, 16};
    _tile_loadconfig(shape);
}

static void end_amx(void) { _tile_release(); }

static void dots_amx(
    const uint8_t *rows, ptrdiff_t n_quads, const int8_t *centers, ptrdiff_t stride, ptrdiff_t n, int32_t *out)
{
    const int line = 4 * SCREEN_ROWS;
    int32_t *low = out + 16 * SCREEN_ROWS;
    _tile_zero(0);
    _tile_zero(1);
    if (n > 16) {
        _tile_zero(2);
        _tile_zero(3);
        for (ptrdiff_t t = 0; t < n_quads; t += 16, rows += 16 * line, centers += 64) {
            _tile_loadd(4, centers, stride);
            _tile_loadd(6, rows, line);
            _tile_dpbsud(0, 4, 6);
            _tile_loadd(7, rows + 64, line);
            _tile_dpbsud(1, 4, 7);
            _tile_loadd(5, centers + 16 * stride, stride);
            _tile_dpbsud(2, 5, 6);
            _tile_dpbsud(3, 5, 7);
        }
        _tile_stored(2, low, line);
        _tile_stored(3, low + 16, line);
    } else {
        for (ptrdiff_t t = 0; t < n_quads; t += 16, rows += 16 * line, centers += 64) {
            _tile_loadd(4, centers, stride);
            _tile_loadd(6, rows, line);
            _tile_dpbsud(0, 4, 6);
            _tile_loadd(7, rows + 64, line);
            _tile_dpbsud(1, 4, 7);
        }
    }
    _tile_stored(0, out, line);
    _tile_stored(1, out + 16, line);
}
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

#elif defined(__aarch64__) && defined(__GNUC__)
#include <arm_neon.h>
#if defined(__ARM_FEATURE_DOTPROD) || !defined(__clang__) || __clang_major__ >= 16
#define WITH_NEON_DOT
#if defined(__linux__)
#include <sys/auxv.h>
#endif
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod")
#endif
static void dots_neon(
    const uint8_t *rows, ptrdiff_t n_quads, const int8_t *centers, ptrdiff_t stride, ptrdiff_t n, int32_t *out)
{
    for (ptrdiff_t j = 0; j < n; j += 4)
        for (int r = 0; r < SCREEN_ROWS; r += 16) {
            const uint8_t *x = rows + 4 * r;
            const int8_t *c = centers + j * stride;
            int32x4_t sum[4][4];
            UNROLL for (int i = 0; i < 4; i++)
                UNROLL for (int p = 0; p < 4; p++) sum[i][p] = vdupq_n_s32(0);
            for (ptrdiff_t t = 0; t < n_quads; t++, x += 4 * SCREEN_ROWS, c += 4) {
                int8x16_t quads[4];
                UNROLL for (int p = 0; p < 4; p++)
                    quads[p] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(x + 16 * p), vdupq_n_u8(128)));
                UNROLL for (int i = 0; i < 4; i++) {
                    int8x16_t four = vreinterpretq_s8_s32(vdupq_n_s32(quad_of(c + i * stride)));
                    UNROLL for (int p = 0; p < 4; p++) sum[i][p] = vdotq_s32(sum[i][p], quads[p], four);
                }
            }
            UNROLL for (int i = 0; i < 4; i++)
                UNROLL for (int p = 0; p < 4; p++) vst1q_s32(out + (j + i) * SCREEN_ROWS + r + 4 * p, sum[i][p]);
        }
}
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
#endif

static void nothing(void) {}

enum { ANY, HAS_AVX2, HAS_AVXVNNI, HAS_AVX512VNNI, HAS_AMX, HAS_NEON_DOT };

typedef struct {
    const char *name;
    int needs; /* what the processor has to have */
    dots_function dots;
    int level;  /* largest byte of a center */
    int offset; /* what stands for zero in the rows, as the products have it */
    void (*begin)(void), (*end)(void); /* around the work of a thread */
} dots_kind;

static const dots_kind DOTS_KINDS[] = {
    {"plain", ANY, dots_plain, 127, 128, nothing, nothing},
#ifdef WITH_X86_DOTS
    {"avx2", HAS_AVX2, dots_avx2, 64, 128, nothing, nothing},
#ifdef WITH_AVXVNNI
    {"avxvnni", HAS_AVXVNNI, dots_avxvnni, 127, 128, nothing, nothing},
#endif
    {"avx512vnni", HAS_AVX512VNNI, dots_avx512vnni, 127, 128, nothing, nothing},
#endif
#ifdef WITH_AMX
    {"amx", HAS_AMX, dots_amx, 127, 128, begin_amx, end_amx},
#endif
#ifdef WITH_NEON_DOT
    {"neon", HAS_NEON_DOT, dots_neon, 127, 0, nothing, nothing},
#endif
};
enum { N_DOTS_KINDS = sizeof DOTS_KINDS / sizeof DOTS_KINDS[0] };

/* Whether this processor, and the operating system, support a kind. AMX has to be asked for, once in a process. */
static int dots_supported(int kind)
{
    int needs = DOTS_KINDS[kind].needs;
#ifdef WITH_X86_DOTS
    unsigned a, b, c, d, later = 0, unused[3], saved, above;
    if (needs == ANY) return 1;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    if (a > 0) __get_cpuid_count(7, 1, &later, unused, unused + 1, unused + 2);
    if (needs == HAS_AVX2) return 1;
    if (needs == HAS_AVXVNNI) return later >> 4 & 1;
    if (!(c >> 11 & 1) || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl")) return 0;
    if (needs == HAS_AVX512VNNI) return 1;
    __asm__("xgetbv" : "=a"(saved), "=d"(above) : "c"(0)); /* whether the system saves tiles */
#ifdef WITH_AMX
    return (d >> 24 & 1) && (d >> 25 & 1) && (saved >> 17 & 3) == 3 && syscall(SYS_arch_prctl, 0x1023, 18) == 0;
#endif
    return 0;
#elif defined(WITH_NEON_DOT) && defined(__linux__)
    return needs == ANY || (getauxval(AT_HWCAP) >> 20 & 1);
#elif defined(__APPLE__)
    return needs == ANY || needs == HAS_NEON_DOT; /* all of theirs have it */
#else
    return needs == ANY;
#endif
}
#endif
