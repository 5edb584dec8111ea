/* The gains of eight candidates for each instruction set, from the one template gains_both.h. */
#ifndef CKMEANS_GAINS_TABLE_H
#define CKMEANS_GAINS_TABLE_H
#define DOUBLE_TEMPLATE "gains_both.h"
#include "instruction_sets.h"

typedef struct {
    void (*of_float)(const float *, ptrdiff_t, const double *, const double *, const ptrdiff_t *, ptrdiff_t,
                     const double *, double *);
    void (*of_double)(const double *, ptrdiff_t, const double *, const double *, const ptrdiff_t *, ptrdiff_t,
                      const double *, double *);
} gains_kernels;

#define SET(name) {gains_of_float_##name##_f64, gains_of_double_##name##_f64}
static const gains_kernels GAINS_KERNELS[] = {EACH_SET(SET)};
#endif
