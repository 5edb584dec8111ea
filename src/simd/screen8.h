/* Template: which centers of a panel of rows in 8 bits can be the nearest (eight_bits.pxd), from dot products of dots.h. */
#define SPAN (SCREEN_ROWS / W)
#define STEP (W < 16 ? 1 : 2) /* vectors that the registers have room for */

#ifndef SCREEN_ONCE
#define SCREEN_ONCE
/* The products of a panel with the block of centers that begins with j, if there is one, into one half of `both`; `dots` is NULL where
 * these are there already. */
static INLINE void multiply(
    const screened_centers *c, dots_function dots, const uint8_t *rows, ptrdiff_t j, int32_t *both)
{
    ptrdiff_t n = c->n - j < SCREEN_BLOCK ? c->n - j : SCREEN_BLOCK;
    if (n > 0 && dots) dots(rows, c->n_quads, c->bytes + j * c->stride, c->stride, n, both + j % (2 * SCREEN_BLOCK) * SCREEN_ROWS);
}
#endif

static INLINE VEC NAME(integers)(const int32_t *p)
{
#ifdef NUMBERS
    return NUMBERS(p);
#else
    float value[W];
    for (int l = 0; l < W; l++) value[l] = (float)p[l];
    return LOAD(value);
#endif
}

/* The error bounds of a panel: residual + ratio * length of each center. */
static INLINE void NAME(reaches)(const screened_centers *c, float ratio, float *reach)
{
    const VEC minus = SET1(-ratio);
    for (ptrdiff_t j = 0; j < c->n; j += W) STORE(reach + j, FNMA(minus, LOAD(c->length + j), LOAD(c->residual + j)));
}

/* A lower bound of the scores of W rows with one center. */
static INLINE VEC NAME(lower)(
    const int32_t *dots, VEC minus_scale, VEC norm, VEC scale, VEC offset, VEC half, VEC reach)
{
    VEC product = FNMA(NAME(integers)(dots), scale, offset);
    return FNMA(norm, reach, FNMA(product, minus_scale, half));
}

/* The least two of the lower bounds of each row, and the center of the least. */
static void NAME(least_two)(
    const screened_centers *c, dots_function dots, const uint8_t *rows, const float *scales, const float *norms, float ratio,
    int32_t *both, float *reach, float *first, float *second, int32_t *nearest)
{
    VEC best[SPAN], next[SPAN], index[SPAN];
    float winner[SCREEN_ROWS];
    NAME(reaches)(c, ratio, reach);
    UNROLL for (int s = 0; s < SPAN; s++) best[s] = next[s] = SET1(INFINITY), index[s] = SET1(0);
    multiply(c, dots, rows, 0, both);
    for (ptrdiff_t j = 0; j < c->n; j += SCREEN_BLOCK) {
        const int32_t *products = both + j % (2 * SCREEN_BLOCK) * SCREEN_ROWS;
        ptrdiff_t n = c->n - j < SCREEN_BLOCK ? c->n - j : SCREEN_BLOCK;
        multiply(c, dots, rows, j + SCREEN_BLOCK, both); /* goes on while the block before is looked at */
        for (int s = 0; s < SPAN; s += STEP) {
            VEC minus[STEP], norm[STEP], b[STEP], b2[STEP], at[STEP];
            UNROLL for (int m = 0; m < STEP; m++) {
                minus[m] = FNMA(LOAD(scales + (s + m) * W), SET1(1), SET1(0));
                norm[m] = LOAD(norms + (s + m) * W);
                b[m] = best[s + m], b2[m] = next[s + m], at[m] = index[s + m];
            }
            for (ptrdiff_t i = 0; i < n; i++) {
                const VEC scale = SET1(c->scale[j + i]), half = SET1(c->half[j + i]), bound = SET1(reach[j + i]);
                const VEC offset = SET1(c->offset[j + i]), number = SET1(c->number[j + i]);
                UNROLL for (int m = 0; m < STEP; m++) {
                    VEC low = NAME(lower)(
                        products + i * SCREEN_ROWS + (s + m) * W, minus[m], norm[m], scale, offset, half,
                        bound);
                    b2[m] = MIN(b2[m], MAX(low, b[m]));
                    at[m] = IF_LESS(low, b[m], number, at[m]);
                    b[m] = MIN(b[m], low);
                }
            }
            UNROLL for (int m = 0; m < STEP; m++) best[s + m] = b[m], next[s + m] = b2[m], index[s + m] = at[m];
        }
    }
    UNROLL for (int s = 0; s < SPAN; s++) {
        STORE(first + s * W, best[s]);
        STORE(second + s * W, next[s]);
        STORE(winner + s * W, index[s]);
    }
    for (int r = 0; r < SCREEN_ROWS; r++) nearest[r] = (int32_t)winner[r];
}

/* List the centers whose lower bound is at most the limit of the row, as center * SCREEN_ROWS + row, in order; how many. */
static ptrdiff_t NAME(within)(
    const screened_centers *c, dots_function dots, const uint8_t *rows, const float *scales, const float *norms, float ratio,
    int32_t *both, float *reach, const float *limits, int32_t *list)
{
    ptrdiff_t count = 0;
    NAME(reaches)(c, ratio, reach);
    multiply(c, dots, rows, 0, both);
    for (ptrdiff_t j = 0; j < c->n; j += SCREEN_BLOCK) {
        const int32_t *products = both + j % (2 * SCREEN_BLOCK) * SCREEN_ROWS;
        ptrdiff_t n = c->n - j < SCREEN_BLOCK ? c->n - j : SCREEN_BLOCK;
        multiply(c, dots, rows, j + SCREEN_BLOCK, both); /* goes on while the block before is looked at */
        for (ptrdiff_t i = 0; i < n; i++) {
            const VEC scale = SET1(c->scale[j + i]), half = SET1(c->half[j + i]), bound = SET1(reach[j + i]);
            const VEC offset = SET1(c->offset[j + i]);
            uint32_t near = 0;
            UNROLL for (int s = 0; s < SPAN; s++) {
                const VEC minus = FNMA(LOAD(scales + s * W), SET1(1), SET1(0));
                VEC low = NAME(lower)(
                    products + i * SCREEN_ROWS + s * W, minus, LOAD(norms + s * W), scale, offset, half, bound);
#ifdef NUMBERS
                near |= (uint32_t)AT_MOST(low, LOAD(limits + s * W)) << s * W;
#else
                float value[W];
                STORE(value, low);
                for (int l = 0; l < W; l++) near |= (uint32_t)(value[l] <= limits[s * W + l]) << (s * W + l);
#endif
            }
            for (; near; near &= near - 1) list[count++] = (int32_t)((j + i) * SCREEN_ROWS) + lowest_bit(near);
        }
    }
    return count;
}

/* A row, less the origin and times the scale, rounded once to single precision. */
static INLINE void NAME(shifted)(
    const void *row, int is_double, ptrdiff_t n, const double *origin, double scale, float *value)
{
    const double *__restrict wide = row, *__restrict from = origin;
    const float *__restrict narrow = row;
    float *__restrict out = value;
    if (is_double)
        for (ptrdiff_t f = 0; f < n; f++) out[f] = (float)((wide[f] - from[f]) * scale);
    else
        for (ptrdiff_t f = 0; f < n; f++) out[f] = (float)((narrow[f] - from[f]) * scale);
}

static INLINE double NAME(added)(float *part)
{
    for (int half = W / 2; half; half /= 2)
        for (int l = 0; l < half; l++) part[l] += part[l + half];
    return part[0];
}

/* A row in 8 bits, every quad `stride` bytes after the last. Sets what its bytes are multiples of, a bound of the norm of what
 * they stand for, and the squared norm of the row, to n_features + 8 roundings; returns a bound of how far the row is from what
 * its bytes stand for. `value` and `bytes` have room for n_features, and 16 more. */
static float NAME(quantise)(
    const void *row, int is_double, ptrdiff_t n_features, const double *origin, double factor, ptrdiff_t stride,
    float *value, uint8_t *bytes, uint8_t *out, float *scale, float *norm, float *square)
{
    const VEC shift = SET1(12582912), zero = SET1(0); /* 1.5 * 2^23: a sum with it is rounded to whole numbers */
    ptrdiff_t n_quads = (n_features + 3) / 4, n = (n_features + 15) / 16 * 16;
    float part[W], unit, inverse, largest;
    double squares, residual;
    VEC most = zero, error = zero, length = zero, whole_row = zero;
    NAME(shifted)(row, is_double, n_features, origin, factor, value);
    for (ptrdiff_t f = n_features; f < n; f++) value[f] = 0;
    for (ptrdiff_t f = 0; f < n; f += W) most = MIN(most, MIN(LOAD(value + f), FNMA(LOAD(value + f), SET1(1), zero)));
    largest = -REDUCE_MIN(most);
    unit = largest / 127;
    inverse = unit > 1e-12f ? 1 / unit : 0; /* less would lose its squares */
    unit = inverse > 0 ? unit : 0;
    for (ptrdiff_t f = 0; f < n; f += W) {
        VEC whole = FNMA(SET1(1), shift, FNMA(LOAD(value + f), SET1(-inverse), shift));
        VEC left = FNMA(whole, SET1(unit), LOAD(value + f));
        whole_row = FNMA(LOAD(value + f), LOAD(value + f), whole_row);
        error = FNMA(left, left, error);
        length = FNMA(whole, whole, length);
        STORE(value + f, whole);
    }
    STORE(part, whole_row);
    *square = (float)-NAME(added)(part);
    STORE(part, length);
    squares = -NAME(added)(part);
    STORE(part, error);
    residual = -NAME(added)(part);
    for (ptrdiff_t f = 0; f < n; f++) bytes[f] = (uint8_t)((int32_t)value[f] + 128);
    for (ptrdiff_t t = 0; t < n_quads; t++) memcpy(out + t * stride, bytes + 4 * t, 4);
    /* Rounding: of a sum, n/W + 5 times, of `value`, of `left`: not above 4 units in the last place of the norm. */
    squares = sqrt(squares) * unit * (1 + 1e-7 * (n / W + 6));
    residual = sqrt(residual) * (1 + 1e-7 * (n / W + 6)) + 4e-7 * squares;
    /* The bytes stand for nothing then. A norm that is no shorter than what they miss keeps the ratio of the panel near one. */
    if (inverse == 0) squares = residual = largest * sqrt((double)n) * (1 + 1e-6);
    *scale = unit;
    *norm = (float)(squares * (1 + 1.2e-7)) + 1e-30f;
    return (float)(residual * (1 + 1.2e-7)) + 1e-37f;
}

/* A row divided by its length. */
static void NAME(unit)(const void *row, int is_double, ptrdiff_t n, double length, double *__restrict out)
{
    const double *__restrict wide = row;
    const float *__restrict narrow = row;
    if (is_double)
        for (ptrdiff_t f = 0; f < n; f++) out[f] = wide[f] / length;
    else
        for (ptrdiff_t f = 0; f < n; f++) out[f] = narrow[f] / length;
}

/* Squared distance of a row to a center by differences in double. */
static double NAME(sq_apart)(const void *row, int is_double, const double *center, ptrdiff_t n)
{
    double part[8] = {0}, total = 0;
    ptrdiff_t f = 0;
    if (is_double)
        for (; f + 8 <= n; f += 8)
            for (int l = 0; l < 8; l++) {
                double apart = ((const double *)row)[f + l] - center[f + l];
                part[l] += apart * apart;
            }
    else
        for (; f + 8 <= n; f += 8)
            for (int l = 0; l < 8; l++) {
                double apart = ((const float *)row)[f + l] - center[f + l];
                part[l] += apart * apart;
            }
    for (; f < n; f++) {
        double apart = (is_double ? ((const double *)row)[f] : ((const float *)row)[f]) - center[f];
        total += apart * apart;
    }
    for (int l = 0; l < 8; l++) total += part[l];
    return total;
}

/* The product of two vectors of n numbers, a multiple of 16, to 9 roundings of the product of their lengths. */
static float NAME(product)(const float *a, const float *b, ptrdiff_t n)
{
    float part[16];
    VEC sum[16 / W];
    UNROLL for (int s = 0; s < 16 / W; s++) sum[s] = SET1(0);
    for (ptrdiff_t f = 0; f < n; f += 16)
        UNROLL for (int s = 0; s < 16 / W; s++) sum[s] = FNMA(LOAD(a + f + s * W), LOAD(b + f + s * W), sum[s]);
    UNROLL for (int s = 0; s < 16 / W; s++) STORE(part + s * W, sum[s]);
    for (int half = 8; half; half /= 2)
        for (int l = 0; l < half; l++) part[l] += part[l + half];
    return -part[0];
}

/* A center in 8 bits up to `level`: its bytes, and number j of the arrays of `c`. */
static void NAME(quantise_center)(
    const double *center, ptrdiff_t n_features, const double *origin, double factor, int level, ptrdiff_t j, ptrdiff_t stride,
    double *value, int8_t *bytes, int offset, float *scale, float *offsets, float *half, float *residual, float *length,
    float *slack)
{
    const double shift = 6755399441055744.0; /* 1.5 * 2^52 */
    double most[8] = {0}, error[8] = {0}, square[8] = {0}, norm = 0, left = 0, largest = 0, inverse, unit;
    ptrdiff_t n = (n_features + 7) / 8 * 8;
    int32_t total = 0, sizes = 0;
    for (ptrdiff_t f = 0; f < n_features; f++) value[f] = (center[f] - origin[f]) * factor;
    for (ptrdiff_t f = n_features; f < n; f++) value[f] = 0;
    for (ptrdiff_t f = 0; f < n; f += 8)
        for (int l = 0; l < 8; l++) {
            double size = fabs(value[f + l]);
            most[l] = size > most[l] ? size : most[l];
            square[l] += size * size;
        }
    for (int l = 0; l < 8; l++) largest = most[l] > largest ? most[l] : largest, norm += square[l];
    unit = (float)(largest / level);
    inverse = unit > 1e-12 ? (1 - 1e-7) / unit : 0; /* no byte is above the level */
    unit = inverse > 0 ? unit : 0;
    for (ptrdiff_t f = 0; f < n; f += 8)
        for (int l = 0; l < 8; l++) {
            double whole = (value[f + l] * inverse + shift) - shift, rest = value[f + l] - whole * unit;
            error[l] += rest * rest;
            value[f + l] = whole;
        }
    for (int l = 0; l < 8; l++) left += error[l];
    for (ptrdiff_t f = 0; f < n_features; f++) {
        bytes[f] = (int8_t)(int)value[f];
        total += bytes[f], sizes += abs(bytes[f]);
    }
    for (ptrdiff_t f = n_features; f < stride; f++) bytes[f] = 0;
    /* 1e-6 is above the rounding in single precision of scores made of these, 16 units in the last place. */
    norm = norm * (1 + 1e-15 * (n / 8 + 16));
    left = sqrt(left) * (1 + 1e-15 * (n / 8 + 16)) + 1e-15 * sqrt(norm) + 1e-37;
    scale[j] = (float)unit;
    offsets[j] = (float)(unit * offset * total);
    half[j] = (float)(norm / 2 * (1 - 1.2e-6) - 1e-36);
    residual[j] = (float)(left * (1 + 2e-6) + 1e-6 * (sqrt(norm) + left + 1.1 * unit * sizes) + 1e-37);
    length[j] = (float)(sqrt(norm) * (1 + 2e-6) + 1e-37);
    slack[j] = (float)(norm / 2 * 3e-6 + 5e-36);
}
#undef SPAN
#undef STEP

#include "shift.h"
