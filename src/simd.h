/* The panel kernels for each instruction set, from the one template tile.h. */
#ifndef CKMEANS_SIMD_H
#define CKMEANS_SIMD_H
#define FLOAT_TEMPLATE "tile.h"
#define DOUBLE_TEMPLATE "tile.h"
#define GROUP 16 /* centers of a group */
#include "sets.h"

typedef void (*panel_function)(const void *, ptrdiff_t, const void *, ptrdiff_t, void *, void *, int32_t *);
typedef uint64_t (*stirs_function)(const void *, const void *, double, const int32_t *, const int32_t *);

typedef void (*group_function)(
    const void *, ptrdiff_t, const int32_t *, ptrdiff_t, ptrdiff_t, const void *, void *, void *, int32_t *);
typedef double (*fetch_function)(
    const void *, const void *, double, ptrdiff_t, ptrdiff_t, void *, const void *, double, double *);

typedef double (*need_function)(const void *, const void *, ptrdiff_t, double, unsigned char *);

typedef struct {
    const char *name;
    int n_rows[2];  /* rows of a panel: float, double */
    int n_tile;     /* centers of a tile */
    panel_function panel[2];
    stirs_function stirs[2];
    group_function group[2];
    fetch_function fetch[2];
    need_function need[2];
} instruction_set;

#if defined(__x86_64__) || defined(_M_X64)
static const instruction_set INSTRUCTION_SETS[] = {
    {"sse2", {8, 4}, 4, {panel_sse2_f32, panel_sse2_f64}, {stirs_sse2_f32, stirs_sse2_f64},
     {group_sse2_f32, group_sse2_f64}, {fetch_sse2_f32, fetch_sse2_f64},
     {need_sse2_f32, need_sse2_f64}},
    {"avx2", {16, 8}, 4, {panel_avx2_f32, panel_avx2_f64}, {stirs_avx2_f32, stirs_avx2_f64},
     {group_avx2_f32, group_avx2_f64}, {fetch_avx2_f32, fetch_avx2_f64},
     {need_avx2_f32, need_avx2_f64}},
    {"avx512", {64, 32}, 4, {panel_avx512_f32, panel_avx512_f64}, {stirs_avx512_f32, stirs_avx512_f64},
     {group_avx512_f32, group_avx512_f64}, {fetch_avx512_f32, fetch_avx512_f64},
     {need_avx512_f32, need_avx512_f64}},
};
#define N_INSTRUCTION_SETS 3
#elif defined(__aarch64__) || defined(_M_ARM64)
static const instruction_set INSTRUCTION_SETS[] = {
    {"neon", {8, 4}, 8, {panel_neon_f32, panel_neon_f64}, {stirs_neon_f32, stirs_neon_f64},
     {group_neon_f32, group_neon_f64}, {fetch_neon_f32, fetch_neon_f64},
     {need_neon_f32, need_neon_f64}},
};
#define N_INSTRUCTION_SETS 1
#else
static const instruction_set INSTRUCTION_SETS[] = {
    {"plain", {4, 4}, 4, {panel_plain_f32, panel_plain_f64}, {stirs_plain_f32, stirs_plain_f64},
     {group_plain_f32, group_plain_f64}, {fetch_plain_f32, fetch_plain_f64},
     {need_plain_f32, need_plain_f64}},
};
#define N_INSTRUCTION_SETS 1
#endif
#endif
