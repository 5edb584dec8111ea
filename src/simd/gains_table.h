/* The gains of eight candidates for each instruction set, from the one template gains_both.h. */
#ifndef CKMEANS_GAINS_TABLE_H
#define CKMEANS_GAINS_TABLE_H
#define DOUBLE_TEMPLATE "gains_both.h"
#include "instruction_sets.h"

static INLINE int eights_supported(void) { return n_supported(); } /* or compilers call it unused */

typedef struct {
    void (*of_float)(const float *, ptrdiff_t, const double *, const double *, const ptrdiff_t *, ptrdiff_t,
                     const double *, double *);
    void (*of_double)(const double *, ptrdiff_t, const double *, const double *, const ptrdiff_t *, ptrdiff_t,
                      const double *, double *);
} instruction_set;

#define SET(name) {gains_of_float_##name##_f64, gains_of_double_##name##_f64}
static const instruction_set INSTRUCTION_SETS[] = {EACH_SET(SET)};
#endif
