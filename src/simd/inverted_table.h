/* The kernels of inverted.h for each instruction set. */
#ifndef CKMEANS_INVERTED_TABLE_H
#define CKMEANS_INVERTED_TABLE_H
#include <stddef.h>
#include <stdint.h>

/* The centers feature by feature: in full where most centers have the feature, else as a list of those that have it. */
typedef struct {
    ptrdiff_t stride;      /* n_clusters, rounded up to a multiple of 16 */
    const int32_t *place;  /* (n_features,): number of the feature among the full ones, or negative */
    const float *full;     /* (n_full, stride) */
    const int64_t *starts; /* (n_features + 1,) */
    const int32_t *owners; /* (starts[n_features],): centers that have the feature ... */
    const float *values;   /* ... and what they have */
} inverted_centers;

#define FLOAT_TEMPLATE "inverted.h"
#include "instruction_sets.h"

typedef struct {
    void (*subtract)(const inverted_centers *, const float *, const ptrdiff_t *, ptrdiff_t, float *);
    float (*least)(const float *, ptrdiff_t);
    ptrdiff_t (*up_to)(const float *, ptrdiff_t, float, int32_t *);
} inverted_kernels;

#define SET(name) {subtract_##name##_f32, least_##name##_f32, up_to_##name##_f32}
static const inverted_kernels INVERTED_KERNELS[] = {EACH_SET(SET)};
#endif
