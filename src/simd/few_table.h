/* The loops of few.h for each instruction set, in the order of tile_table.h. */
#ifndef CKMEANS_FEW_TABLE_H
#define CKMEANS_FEW_TABLE_H
#define FLOAT_TEMPLATE "few.h"
#define DOUBLE_TEMPLATE "few.h"
#include "instruction_sets.h"

/* Weighted values added up from row to row. */
static void add_up(const double *values, const double *weights, ptrdiff_t n, double *run)
{
    double total = 0;
    for (ptrdiff_t i = 0; i < n; i++) run[i] = total += weights ? weights[i] * values[i] : values[i];
}

/* By how much each of m candidates lowers the weighted squared distances in all. */
static INLINE void add_gains_some(
    const double *closest, const double *lowered, const double *weights, ptrdiff_t n, ptrdiff_t stride, const int m,
    double *gains)
{
    double total[4] = {0, 0, 0, 0}; /* side by side: a sum waits for its own last addition only */
    for (ptrdiff_t i = 0; i < n; i++)
        UNROLL for (int j = 0; j < m; j++) {
            double fall = closest[i] - lowered[j * stride + i];
            total[j] += weights ? weights[i] * fall : fall;
        }
    for (int j = 0; j < m; j++) gains[j] = total[j];
}

static void add_gains(
    const double *closest, const double *lowered, const double *weights, ptrdiff_t n, ptrdiff_t stride, ptrdiff_t m,
    double *gains)
{
    for (; m >= 4; m -= 4, lowered += 4 * stride, gains += 4)
        add_gains_some(closest, lowered, weights, n, stride, 4, gains);
    switch (m) {
    case 1: add_gains_some(closest, lowered, weights, n, stride, 1, gains); break;
    case 2: add_gains_some(closest, lowered, weights, n, stride, 2, gains); break;
    case 3: add_gains_some(closest, lowered, weights, n, stride, 3, gains); break;
    }
}

/* Put rows into the sums of the clusters they joined, and take them out of those they old_labels, if any. */
static void shift(
    const long long *pairs, ptrdiff_t width, const int32_t *moved, const int32_t *old_labels, ptrdiff_t n_moved,
    const int32_t *labels, long long *sums)
{
    for (ptrdiff_t m = 0; m < n_moved; m++) {
        const long long *pair = pairs + moved[m] * width;
        long long *joined = sums + labels[moved[m]] * width, *quit = sums + old_labels[m] * width;
        for (ptrdiff_t j = 0; j < width; j += 2) {
            long long high = joined[j] + pair[j], low = joined[j + 1] + pair[j + 1];
            joined[j] = high;
            joined[j + 1] = low;
        }
        if (old_labels[m] >= 0)
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
    ptrdiff_t (*exchange_candidates[2])(const void *, const double *, ptrdiff_t, double, double, double, int32_t *);
    void (*lower)(const double *, ptrdiff_t, ptrdiff_t, ptrdiff_t, const double *, double *);
} few_kernels;

#define OF(kernel, set) {kernel##_##set##_f32, kernel##_##set##_f64}
#define KERNELS(set) OF(label, set), OF(exchange_candidates, set), lower_##set##_f64

static const few_kernels FEW_KERNELS[] = {
#if defined(__x86_64__) || defined(_M_X64)
    {{8, 4}, KERNELS(sse2)},
    {{16, 8}, KERNELS(avx2)},
    {{32, 16}, KERNELS(avx512)},
#elif defined(__aarch64__) || defined(_M_ARM64)
    {{8, 4}, KERNELS(neon)},
#else
    {{4, 4}, KERNELS(plain)},
#endif
};
#endif
