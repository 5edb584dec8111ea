/* The loops over partitions for each instruction set, from the one template enumeration.h. */
#ifndef CKMEANS_ENUMERATION_TABLE_H
#define CKMEANS_ENUMERATION_TABLE_H
#define DOUBLE_TEMPLATE "enumeration.h"
#include "instruction_sets.h"

typedef struct {
    void (*fill)(const double *, const double *, ptrdiff_t, ptrdiff_t, const double *, const double *, ptrdiff_t,
                 ptrdiff_t, int, double, double, double *, ptrdiff_t);
    void (*raise)(const double *, ptrdiff_t, ptrdiff_t, const double *, ptrdiff_t, ptrdiff_t, ptrdiff_t, double *);
    void (*weigh)(const double *, ptrdiff_t, ptrdiff_t, const double *, ptrdiff_t, ptrdiff_t, double *, double *);
    double (*fold)(const double *, const int *, const int *, ptrdiff_t, double *);
    void (*deal)(const double *, ptrdiff_t, const signed char *, ptrdiff_t, ptrdiff_t, double *);
} enumeration_kernels;

#define SET(name) \
    {fill_##name##_f64, raise_##name##_f64, weigh_##name##_f64, fold_##name##_f64, deal_##name##_f64}
static const enumeration_kernels ENUMERATION_KERNELS[] = {EACH_SET(SET)};
#endif
