/* The screen in 8 bits for each instruction set, in the order of tile_table.h, and for each kind of dot product. */
#ifndef CKMEANS_SCREEN8_TABLE_H
#define CKMEANS_SCREEN8_TABLE_H
#include <stdlib.h>

#include "dots.h"

typedef struct {
    ptrdiff_t n, stride, n_quads;       /* n: a multiple of 4; bytes and arrays go on to a multiple of SCREEN_BLOCK */
    const int8_t *bytes;                /* (n, stride) */
    const float *scale;                 /* (n,): what the bytes are multiples of */
    const float *offset;                /* (n,): what is taken off their products for the offset of the rows */
    const float *half;                  /* (n,): |c|^2/2, rounded down, by more than scores are; infinite where n goes on */
    const float *residual, *length;     /* (n,): bounds of |c - p| and |c|, for the center c and what its bytes say, p ... */
    const float *number;                /* (n,): 0, 1, 2, ... */
    const float *slack;                 /* (n,): ... and of what is rounded away, twice */
} screened_centers;

#define FLOAT_TEMPLATE "screen8.h"
#define DOUBLE_TEMPLATE "shift.h"
#include "instruction_sets.h"

typedef struct {
    void (*least_two)(
        const screened_centers *, dots_function, const uint8_t *, const float *, const float *, float, int32_t *, float *,
        float *, float *, int32_t *);
    ptrdiff_t (*within)(
        const screened_centers *, dots_function, const uint8_t *, const float *, const float *, float, int32_t *, float *,
        const float *, int32_t *);
    float (*quantise)(
        const void *, int, ptrdiff_t, const double *, double, ptrdiff_t, float *, uint8_t *, uint8_t *, float *,
        float *, float *);
    void (*unit)(const void *, int, ptrdiff_t, double, double *);
    double (*sq_apart)(const void *, int, const double *, ptrdiff_t);
    float (*product)(const float *, const float *, ptrdiff_t);
    void (*quantise_center)(
        const double *, ptrdiff_t, const double *, double, int, ptrdiff_t, ptrdiff_t, double *, int8_t *, int, float *,
        float *, float *, float *, float *, float *);
    void (*shift[2])(
        const void *, ptrdiff_t, const int32_t *, const ptrdiff_t *, const int32_t *, ptrdiff_t, const double *, int64_t *);
} screen_kernels;

#define SCREENED(set) \
    { \
        least_two_##set##_f32, within_##set##_f32, quantise_##set##_f32, unit_##set##_f32, sq_apart_##set##_f32, \
            product_##set##_f32, \
            quantise_center_##set##_f32, {shift_##set##_f32, shift_##set##_f64} \
    }
static const screen_kernels SCREEN_KERNELS[] = {EACH_SET(SCREENED)};
#endif
