/* Squared distances by differences for each instruction set, from the one template distances.h. */
#ifndef CKMEANS_DISTANCES_TABLE_H
#define CKMEANS_DISTANCES_TABLE_H
#define DOUBLE_TEMPLATE "distances.h"
#define ABREAST 4 /* rows that share the loads of centers */
#include "instruction_sets.h"

typedef void (*distances_function)(const double *, ptrdiff_t, const double *, ptrdiff_t, double *);
#define SET(name) distances_##name##_f64
static const distances_function DISTANCES[] = {EACH_SET(SET)};
#endif
