/* The panel kernels for each instruction set, from the one template tile.h. */
#ifndef CKMEANS_SIMD_H
#define CKMEANS_SIMD_H
#define FLOAT_TEMPLATE "tile.h"
#define DOUBLE_TEMPLATE "tile.h"
#include "sets.h"

typedef void (*panel_function)(const void *, ptrdiff_t, const void *, ptrdiff_t, void *, void *, int32_t *);
typedef int (*stirs_function)(const void *, const void *, double, const int32_t *, const int32_t *);
typedef double (*pack_function)(const void *, ptrdiff_t, const double *, double, void *);
typedef void (*survey_function)(const void *, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, double *, double *, double *);
typedef uint64_t (*below_function)(const void *, const void *);
typedef void (*shift_function)(
    const void *, ptrdiff_t, const int32_t *, const ptrdiff_t *, const int32_t *, ptrdiff_t, const double *, int64_t *);

typedef struct {
    const char *name;
    int n_rows[2];  /* rows of a panel: float, double */
    int n_tile;     /* centers of a tile */
    panel_function panel[2];
    stirs_function stirs[2];
    pack_function pack[2];
    survey_function survey[2];
    shift_function shift[2];
    below_function below[2];
} instruction_set;

#if defined(__x86_64__) || defined(_M_X64)
static const instruction_set INSTRUCTION_SETS[] = {
    {"sse2", {8, 4}, 4, {panel_sse2_f32, panel_sse2_f64}, {stirs_sse2_f32, stirs_sse2_f64},
     {pack_sse2_f32, pack_sse2_f64}, {survey_sse2_f32, survey_sse2_f64}, {shift_sse2_f32, shift_sse2_f64},
     {below_sse2_f32, below_sse2_f64}},
    {"avx2", {16, 8}, 4, {panel_avx2_f32, panel_avx2_f64}, {stirs_avx2_f32, stirs_avx2_f64},
     {pack_avx2_f32, pack_avx2_f64}, {survey_avx2_f32, survey_avx2_f64}, {shift_avx2_f32, shift_avx2_f64},
     {below_avx2_f32, below_avx2_f64}},
    {"avx512", {32, 16}, 8, {panel_avx512_f32, panel_avx512_f64}, {stirs_avx512_f32, stirs_avx512_f64},
     {pack_avx512_f32, pack_avx512_f64}, {survey_avx512_f32, survey_avx512_f64}, {shift_avx512_f32, shift_avx512_f64},
     {below_avx512_f32, below_avx512_f64}},
};
#define N_INSTRUCTION_SETS 3
#elif defined(__aarch64__) || defined(_M_ARM64)
static const instruction_set INSTRUCTION_SETS[] = {
    {"neon", {8, 4}, 8, {panel_neon_f32, panel_neon_f64}, {stirs_neon_f32, stirs_neon_f64},
     {pack_neon_f32, pack_neon_f64}, {survey_neon_f32, survey_neon_f64}, {shift_neon_f32, shift_neon_f64},
     {below_neon_f32, below_neon_f64}},
};
#define N_INSTRUCTION_SETS 1
#else
static const instruction_set INSTRUCTION_SETS[] = {
    {"plain", {4, 4}, 4, {panel_plain_f32, panel_plain_f64}, {stirs_plain_f32, stirs_plain_f64},
     {pack_plain_f32, pack_plain_f64}, {survey_plain_f32, survey_plain_f64}, {shift_plain_f32, shift_plain_f64},
     {below_plain_f32, below_plain_f64}},
};
#define N_INSTRUCTION_SETS 1
#endif
#endif
