/* The loops of few.h for each instruction set, in the order of simd.h. */
#ifndef CKMEANS_SMALL_H
#define CKMEANS_SMALL_H
#define FLOAT_TEMPLATE "few.h"
#define DOUBLE_TEMPLATE "few.h"
#include "sets.h"

static INLINE int supported(void) { return n_supported(); } /* or compilers call it unused */

static INLINE void add_up_some(
    const double *values, const double *weights, ptrdiff_t n, ptrdiff_t stride, const int m, double *runs)
{
    double total[4] = {0, 0, 0, 0}; /* side by side: a sum waits for its own last addition only */
    for (ptrdiff_t i = 0; i < n; i++)
        UNROLL for (int j = 0; j < m; j++) {
            total[j] += weights ? weights[i] * values[j * stride + i] : values[j * stride + i];
            runs[j * stride + i] = total[j];
        }
}

/* Weighted values added up from row to row, for each of m candidates. */
static void add_up(const double *values, const double *weights, ptrdiff_t n, ptrdiff_t stride, ptrdiff_t m, double *runs)
{
    for (; m >= 4; m -= 4, values += 4 * stride, runs += 4 * stride) add_up_some(values, weights, n, stride, 4, runs);
    switch (m) {
    case 1: add_up_some(values, weights, n, stride, 1, runs); break;
    case 2: add_up_some(values, weights, n, stride, 2, runs); break;
    case 3: add_up_some(values, weights, n, stride, 3, runs); break;
    }
}

/* Put rows into the sums of the clusters they joined, and take them out of those they left, if any. */
static void shift(
    const long long *pairs, ptrdiff_t width, const int32_t *moved, const int32_t *left, ptrdiff_t n_moved,
    const int32_t *labels, long long *sums)
{
    for (ptrdiff_t m = 0; m < n_moved; m++) {
        const long long *pair = pairs + moved[m] * width;
        long long *joined = sums + labels[moved[m]] * width, *quit = sums + left[m] * width;
        for (ptrdiff_t j = 0; j < width; j += 2) {
            long long high = joined[j] + pair[j], low = joined[j + 1] + pair[j + 1];
            joined[j] = high;
            joined[j + 1] = low;
        }
        if (left[m] >= 0)
            for (ptrdiff_t j = 0; j < width; j += 2) {
                long long high = quit[j] - pair[j], low = quit[j + 1] - pair[j + 1];
                quit[j] = high;
                quit[j + 1] = low;
            }
    }
}

typedef struct {
    ptrdiff_t n_rows[2]; /* rows of a panel: float, double */
    ptrdiff_t (*label[2])(
        const void *, ptrdiff_t, ptrdiff_t, const void *, ptrdiff_t, double, void *, int32_t *, const int32_t *, int32_t *);
    ptrdiff_t (*restless[2])(const void *, const double *, ptrdiff_t, double, double, double, int32_t *);
    void (*lower)(const double *, ptrdiff_t, ptrdiff_t, ptrdiff_t, const double *, double *);
} small_set;

#if defined(__x86_64__) || defined(_M_X64)
static const small_set SMALL_SETS[] = {
    {{8, 4}, {label_sse2_f32, label_sse2_f64}, {restless_sse2_f32, restless_sse2_f64}, lower_sse2_f64},
    {{16, 8}, {label_avx2_f32, label_avx2_f64}, {restless_avx2_f32, restless_avx2_f64}, lower_avx2_f64},
    {{32, 16}, {label_avx512_f32, label_avx512_f64}, {restless_avx512_f32, restless_avx512_f64}, lower_avx512_f64},
};
#elif defined(__aarch64__) || defined(_M_ARM64)
static const small_set SMALL_SETS[] = {{{8, 4}, {label_neon_f32, label_neon_f64}, {restless_neon_f32, restless_neon_f64}, lower_neon_f64}};
#else
static const small_set SMALL_SETS[] = {{{4, 4}, {label_plain_f32, label_plain_f64}, {restless_plain_f32, restless_plain_f64}, lower_plain_f64}};
#endif
#endif
