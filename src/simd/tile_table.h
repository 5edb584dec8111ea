/* The panel kernels for each instruction set, from the one template tile.h. */
#ifndef CKMEANS_TILE_TABLE_H
#define CKMEANS_TILE_TABLE_H
#define FLOAT_TEMPLATE "tile.h"
#define DOUBLE_TEMPLATE "tile.h"
#define LONG_PANELS
#define GROUP 16 /* centers of a group */
#include "instruction_sets.h"

typedef uint64_t (*panel_function)(
    const void *, ptrdiff_t, const void *, ptrdiff_t, void *, void *, int32_t *, const int32_t *, double);
typedef void (*group_function)(
    const void *, ptrdiff_t, const int32_t *, ptrdiff_t, ptrdiff_t, const void *, void *, void *, int32_t *);
typedef double (*fetch_function)(
    const void *, int, const void *, double, ptrdiff_t, ptrdiff_t, void *, const void *, double, double *);
typedef double (*need_function)(const void *, const void *, ptrdiff_t, double, unsigned char *);
typedef double (*least_function)(const void *, const void *, ptrdiff_t);
typedef double (*pack_function)(const void *, ptrdiff_t, const double *, double, void *);
typedef void (*column_extremes_function)(const void *, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, double *, double *, double *);
typedef uint64_t (*below_function)(const void *, const void *);
typedef void (*shift_function)(
    const void *, ptrdiff_t, const int32_t *, const ptrdiff_t *, const int32_t *, ptrdiff_t, const double *, int64_t *);

typedef struct {
    int n_rows[2];  /* rows of a panel: float, double */
    int n_tile;     /* centers of a tile */
    panel_function panel[2];
    group_function group[2];
    fetch_function fetch[2];
    need_function need[2];
    least_function least[2];
    pack_function pack[2];
    pack_function convert[2];
    column_extremes_function column_extremes[2];
    shift_function shift[2];
    below_function below[2];
} tile_kernels;

#define OF(kernel, set) {kernel##_##set##_f32, kernel##_##set##_f64}
#define KERNELS(set) \
    OF(panel, set), OF(group, set), OF(fetch, set), OF(need, set), OF(least, set), OF(pack, set), OF(convert, set), \
        OF(column_extremes, set), OF(shift, set), OF(below, set)

static const tile_kernels TILE_KERNELS[] = {
#if defined(__x86_64__) || defined(_M_X64)
    {{8, 4}, 4, KERNELS(sse2)},
    {{16, 8}, 4, KERNELS(avx2)},
    {{64, 32}, 4, KERNELS(avx512)},
#elif defined(__aarch64__) || defined(_M_ARM64)
    {{8, 4}, 8, KERNELS(neon)},
#else
    {{4, 4}, 4, KERNELS(plain)},
#endif
};
#endif
