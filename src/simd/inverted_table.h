/* The kernels of inverted.h for each instruction set. */
#ifndef CKMEANS_INVERTED_TABLE_H
#define CKMEANS_INVERTED_TABLE_H
#include <stddef.h>
#include <stdint.h>

#define FLOAT_TEMPLATE "inverted.h"
#include "instruction_sets.h"

typedef struct {
    void (*subtract)(const int16_t *const *, const float *, ptrdiff_t, ptrdiff_t, float *);
    float (*least)(const float *, ptrdiff_t);
    ptrdiff_t (*up_to)(const float *, ptrdiff_t, float, int32_t *);
} inverted_kernels;

#define SET(name) {subtract_##name##_f32, least_##name##_f32, up_to_##name##_f32}
static const inverted_kernels INVERTED_KERNELS[] = {EACH_SET(SET)};
#endif
