/* The loops of cells.h for each instruction set, in the order of tile_table.h. */
#ifndef CKMEANS_CELLS_TABLE_H
#define CKMEANS_CELLS_TABLE_H
#define FLOAT_TEMPLATE "cells.h"
#define DOUBLE_TEMPLATE "cells.h"
#define LONG_PANELS
#include "instruction_sets.h"

typedef struct {
    void (*boxes[2])(
        ptrdiff_t, const void *, const void *, const int32_t *, ptrdiff_t, double, void *, uint16_t *);
    uint64_t (*rows[2])(
        ptrdiff_t, const void *, const void *, double, const void *, const int32_t *, ptrdiff_t, double, const int32_t *,
        int32_t *, uint64_t *);
    double (*near[2])(ptrdiff_t, const double *, const int32_t *, ptrdiff_t, const double *, void *);
    void (*keys[2])(
        const void *, ptrdiff_t, ptrdiff_t, const double *, double, const float *, const float *, const float *, ptrdiff_t, int,
        uint64_t, uint64_t *);
    double (*leaf[2])(
        const void *, ptrdiff_t, const int32_t *, ptrdiff_t, const double *, double, int, const double *, void *, double *,
        int64_t *);
    void (*shift[2])(
        const void *, ptrdiff_t, const int32_t *, const ptrdiff_t *, const int32_t *, ptrdiff_t, const double *, int64_t *);
    void (*moves[2])(ptrdiff_t, const void *, uint64_t, const int32_t *, const int32_t *, const double *, int64_t *);
} cell_kernels;

#define OF(kernel, set) {kernel##_##set##_f32, kernel##_##set##_f64}
#define SET(set) {OF(boxes, set), OF(rows, set), OF(near, set), OF(keys, set), OF(leaf, set), OF(shift, set), OF(moves, set)}

static const cell_kernels CELL_KERNELS[] = {EACH_SET(SET)};
#endif
