/* The inner loops of spectrum.pyx for each instruction set, from the one template spectrum.h. */
#ifndef CKMEANS_SPECTRUM_TABLE_H
#define CKMEANS_SPECTRUM_TABLE_H
#define DOUBLE_TEMPLATE "spectrum.h"
#define EIGHT_SUMS 8 /* sums that go on side by side */
#include "instruction_sets.h"

typedef struct {
    int tile_rows, tile_columns;
    double (*dot)(const double *, const double *, ptrdiff_t);
    void (*subtract)(double *, const double *, double, ptrdiff_t);
    double (*update)(double *, const double *, const double *, const double *, double *, double, double, double,
                     ptrdiff_t);
    void (*tile)(const double *, ptrdiff_t, ptrdiff_t, const double *, ptrdiff_t, ptrdiff_t, double *, ptrdiff_t,
                 ptrdiff_t);
} spectrum_kernels;

#define OF(f, name) f##_##name##_f64
#define SET(name) \
    {OF(tile_rows, name), OF(tile_columns, name), OF(dot, name), OF(subtract, name), OF(update, name), OF(tile, name)}
static const spectrum_kernels SPECTRUM_KERNELS[] = {EACH_SET(SET)};
#endif
