/* What compilers spell differently: inlining, unrolling, keeping in registers, fetching ahead and counting bits. */
#ifndef CKMEANS_PROCESSOR_H
#define CKMEANS_PROCESSOR_H
#include <stdint.h>

#if defined(_MSC_VER) && !defined(__clang__)
#define INLINE __forceinline
#define UNROLL
#include <intrin.h>
#else
#define INLINE inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#endif

/* Keeps the compiler from loading a vector again for each use of it: GCC does so where registers are scarce, and fused
 * multiply-adds then wait for the cache. */
#if defined(__GNUC__) && defined(__x86_64__)
#define IN_REGISTER(vector) __asm__("" : "+v"(vector))
#elif defined(__GNUC__) && defined(__aarch64__)
#define IN_REGISTER(vector) __asm__("" : "+w"(vector))
#else
#define IN_REGISTER(vector)
#endif

/* Starts to fetch a value from memory that is far. */
static INLINE void prefetch(const void *where)
{
#if defined(_MSC_VER) && !defined(__clang__)
#if defined(_M_X64)
    _mm_prefetch((const char *)where, _MM_HINT_T0);
#else
    __prefetch(where);
#endif
#else
    __builtin_prefetch(where);
#endif
}

/* Index of the lowest bit that is set; there must be one. */
static INLINE int lowest_bit(uint64_t bits)
{
#if defined(_MSC_VER) && !defined(__clang__)
    unsigned long index;
    _BitScanForward64(&index, bits);
    return (int)index;
#else
    return __builtin_ctzll(bits);
#endif
}
#endif
