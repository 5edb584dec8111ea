/* Template: boxes of rows, and the rows of one box, against the centers that may be nearest there.
 *
 * Packed centers are rows of 1 + n_features numbers: |c|^2/2, then the coordinates; a list has the numbers of some. A group is
 * BOXES boxes, feature-major: the lower ends of all, then the upper ends. A leaf is LEAF rows, feature-major, packed as panels
 * are, less the middle of their box: what is near there keeps its digits. Where rows are of that type they lie there as they
 * are, with the middle, `base`, beside them.
 */
#ifndef LEAF
#define LEAF 64  /* rows: more leave less to the bounds of boxes, fewer make more boxes */
#define BOXES 16 /* the largest number of lanes */
#define FEW 8    /* features */
#ifdef _MSC_VER
#define ALIGNED __declspec(align(64))
#else
#define ALIGNED __attribute__((aligned(64))) /* no register lies across two lines of the cache */
#endif
#endif

/* Lanes in which a is at most b: bit l for lane l. */
static INLINE uint32_t NAME(at_most)(VEC a, VEC b)
{
#ifdef NUMBERS
    return (uint32_t)AT_MOST(a, b);
#else
    REAL left[W], right[W];
    uint32_t bits = 0;
    STORE(left, a), STORE(right, b);
    for (int l = 0; l < W; l++) bits |= (uint32_t)(left[l] <= right[l]) << l;
    return bits;
#endif
}

/* Lanes in which the number of a center is not the label. */
static INLINE uint32_t NAME(differ)(VEC number, const int32_t *labels)
{
#ifdef NUMBERS
    return (uint32_t)DIFFERENT(number, NUMBERS(labels));
#else
    REAL numbers[W];
    uint32_t bits = 0;
    STORE(numbers, number);
    for (int l = 0; l < W; l++) bits |= (uint32_t)(numbers[l] != (REAL)labels[l]) << l;
    return bits;
#endif
}

static INLINE void NAME(few_boxes)(
    const ptrdiff_t d, const REAL *boxes, const REAL *centers, const int32_t *list, ptrdiff_t n, REAL margin,
    REAL *scores, uint16_t *survives)
{
    const VEC one = SET1((REAL)1), zero = SET1((REAL)0);
    const REAL up = sizeof(REAL) == 4 ? (REAL)5e-7 : (REAL)1e-15;
    for (int v = 0; v < BOXES; v += W) {
        VEC mid[FEW], half[FEW], owner[FEW], best = SET1((REAL)INFINITY), place = zero;
        REAL places[W], owners[FEW * W];
        for (ptrdiff_t f = 0; f < d; f++) {
            VEC low = LOAD(boxes + f * BOXES + v), high = LOAD(boxes + (d + f) * BOXES + v), apart;
            mid[f] = FNMA(SET1((REAL)-0.5), high, FNMA(SET1((REAL)-0.5), low, zero));
            apart = MAX(FNMA(one, mid[f], high), FNMA(one, low, mid[f]));
            half[f] = FNMA(SET1(-up), apart, apart); /* rounded up */
        }
        for (ptrdiff_t j = 0; j < n; j++) {
            const REAL *c = centers + list[j] * (1 + d);
            VEC sum = SET1(c[0]);
            for (ptrdiff_t f = 0; f < d; f++) sum = FNMA(mid[f], SET1(c[1 + f]), sum);
            STORE(scores + j * W, sum);
            place = IF_LESS(sum, best, SET1((REAL)j), place);
            best = MIN(best, sum);
        }
        STORE(places, place);
        for (int l = 0; l < W; l++) {
            const REAL *c = centers + list[(ptrdiff_t)places[l]] * (1 + d) + 1;
            for (ptrdiff_t f = 0; f < d; f++) owners[f * W + l] = c[f];
        }
        for (ptrdiff_t f = 0; f < d; f++) owner[f] = LOAD(owners + f * W);
        best = FNMA(one, SET1(-margin), best);
        for (ptrdiff_t j = 0; j < n; j++) {
            const REAL *c = centers + list[j] * (1 + d);
            VEC sum = LOAD(scores + j * W);
            for (ptrdiff_t f = 0; f < d; f++) {
                VEC apart = FNMA(one, owner[f], SET1(c[1 + f]));
                sum = FNMA(half[f], MAX(apart, FNMA(one, apart, zero)), sum);
            }
            uint32_t bits = NAME(at_most)(sum, best);
            survives[j] = (uint16_t)(v ? survives[j] | bits << v : bits);
        }
    }
}

/* Which centers of a list are not ruled out as nearest in each box of a group: bit b for box b.
 *
 * The owner of a box is nearest to its middle. Over the box, the score of another center less that of the owner is least in a
 * corner: what it is in the middle, less half the width times the distance of the two, for each feature. If that is above the
 * margin, the owner is nearer to all of the box (Kanungo et al. 2002, doi:10.1109/TPAMI.2002.1017616, section 2). */
static void NAME(boxes)(
    ptrdiff_t d, const void *boxes, const void *centers, const int32_t *list, ptrdiff_t n, double margin, void *scores,
    uint16_t *survives)
{
    REAL most = (REAL)margin;
    switch (d) {
    case 1: NAME(few_boxes)(1, boxes, centers, list, n, most, scores, survives); break;
    case 2: NAME(few_boxes)(2, boxes, centers, list, n, most, scores, survives); break;
    case 3: NAME(few_boxes)(3, boxes, centers, list, n, most, scores, survives); break;
    case 4: NAME(few_boxes)(4, boxes, centers, list, n, most, scores, survives); break;
    case 5: NAME(few_boxes)(5, boxes, centers, list, n, most, scores, survives); break;
    case 6: NAME(few_boxes)(6, boxes, centers, list, n, most, scores, survives); break;
    case 7: NAME(few_boxes)(7, boxes, centers, list, n, most, scores, survives); break;
    case 8: NAME(few_boxes)(8, boxes, centers, list, n, most, scores, survives); break;
    }
}

/* The centers of a list, less the middle of a leaf, packed. Returns the largest squared norm. */
static double NAME(near)(
    ptrdiff_t d, const double *centers, const int32_t *list, ptrdiff_t n, const double *middle, void *out)
{
    REAL *packed = out;
    double most = 0;
    for (ptrdiff_t j = 0; j < n; j++, packed += 1 + d) {
        const double *c = centers + list[j] * d;
        double norm = 0;
        for (ptrdiff_t f = 0; f < d; f++) {
            packed[1 + f] = (REAL)(c[f] - middle[f]);
            norm += (double)packed[1 + f] * (double)packed[1 + f];
        }
        packed[0] = (REAL)(norm / 2);
        most = norm > most ? norm : most;
    }
    return most;
}

static INLINE uint64_t NAME(few_rows)(
    const ptrdiff_t d, const REAL *x, const REAL *base, REAL scale, const REAL *centers, const int32_t *list, ptrdiff_t n,
    REAL margin, const int32_t *labels, int32_t *nearest, uint64_t *close)
{
    uint64_t bits = 0, doubtful = 0;
    REAL ALIGNED packed[FEW * LEAF];
    if (base) {
        const VEC one = SET1((REAL)1), zero = SET1((REAL)0), minus_scale = SET1(-scale);
        for (ptrdiff_t f = 0; f < d; f++)
            for (int r = 0; r < LEAF; r += W)
                STORE(packed + f * LEAF + r, FNMA(minus_scale, FNMA(one, SET1(base[f]), LOAD(x + f * LEAF + r)), zero));
        x = packed;
    }
    for (int r = 0; r < LEAF; r += MR * W) {
        VEC best[MR], next[MR], index[MR];
        REAL winner[MR * W];
        UNROLL for (int m = 0; m < MR; m++) {
            best[m] = next[m] = SET1((REAL)INFINITY);
            index[m] = SET1((REAL)0);
        }
        for (ptrdiff_t j = 0; j < n; j++) {
            const REAL *c = centers + j * (1 + d);
            VEC sum[MR], number = SET1((REAL)list[j]);
            UNROLL for (int m = 0; m < MR; m++) sum[m] = SET1(c[0]);
            for (ptrdiff_t f = 0; f < d; f++) {
                VEC value = SET1(c[1 + f]);
                UNROLL for (int m = 0; m < MR; m++) sum[m] = FNMA(LOAD(x + f * LEAF + r + m * W), value, sum[m]);
            }
            UNROLL for (int m = 0; m < MR; m++) {
                next[m] = MIN(next[m], MAX(sum[m], best[m]));
                index[m] = IF_LESS(sum[m], best[m], number, index[m]);
                best[m] = MIN(best[m], sum[m]);
            }
        }
        UNROLL for (int m = 0; m < MR; m++) {
            VEC apart = FNMA(SET1((REAL)1), best[m], next[m]);
            doubtful |= (uint64_t)NAME(at_most)(apart, SET1(margin)) << (r + m * W);
            bits |= (uint64_t)NAME(differ)(index[m], labels + r + m * W) << (r + m * W);
            STORE(winner + m * W, index[m]);
        }
        for (int l = 0; l < MR * W; l++) nearest[r + l] = (int32_t)winner[l];
    }
    *close = doubtful;
    return bits;
}

/* The nearest centers of the rows of a leaf, of those of a list, made by `near`. `base` is NULL if rows are packed. Returned is
 * which rows have another label; in `close`, those whose two least scores are no more than the margin apart: bit r for row r. */
static uint64_t NAME(rows)(
    ptrdiff_t d, const void *x, const void *base, double scale, const void *centers, const int32_t *list, ptrdiff_t n,
    double margin, const int32_t *labels, int32_t *nearest, uint64_t *close)
{
    REAL most = (REAL)margin, unit = (REAL)scale;
    switch (d) {
    case 1: return NAME(few_rows)(1, x, base, unit, centers, list, n, most, labels, nearest, close);
    case 2: return NAME(few_rows)(2, x, base, unit, centers, list, n, most, labels, nearest, close);
    case 3: return NAME(few_rows)(3, x, base, unit, centers, list, n, most, labels, nearest, close);
    case 4: return NAME(few_rows)(4, x, base, unit, centers, list, n, most, labels, nearest, close);
    case 5: return NAME(few_rows)(5, x, base, unit, centers, list, n, most, labels, nearest, close);
    case 6: return NAME(few_rows)(6, x, base, unit, centers, list, n, most, labels, nearest, close);
    case 7: return NAME(few_rows)(7, x, base, unit, centers, list, n, most, labels, nearest, close);
    default: return NAME(few_rows)(FEW, x, base, unit, centers, list, n, most, labels, nearest, close);
    }
}

/* Up to LEAF rows, of this type, where they are along a Hilbert curve, in the upper half of a word; the lower half counts them.
 *
 * Coordinates become whole numbers of `bits` bits by lines from knot to knot: those of a feature begin at starts[], and rise by
 * rates[] up to steps[] each. Numbers become a place on the curve in all rows at once (Skilling 2004, doi:10.1063/1.1751381). */
static void NAME(keys)(
    const void *rows, ptrdiff_t n, ptrdiff_t d, const double *origin, double scale, const float *starts, const float *rates,
    const float *steps, ptrdiff_t n_lines, int bits, uint64_t first, uint64_t *words)
{
    const REAL *x = rows;
    uint32_t q[FEW][LEAF], key[LEAF];
    for (ptrdiff_t f = 0; f < d; f++) {
        float value[LEAF], place[LEAF];
        for (int r = 0; r < LEAF; r++) place[r] = 0;
        for (int r = 0; r < LEAF; r++) value[r] = r < n ? (float)(((double)x[r * d + f] - origin[f]) * scale) : 0;
        for (ptrdiff_t j = 0; j < n_lines; j++) {
            float start = starts[f * n_lines + j], rate = rates[f * n_lines + j], step = steps[j];
            for (int r = 0; r < LEAF; r++) {
                float risen = (value[r] - start) * rate;
                risen = risen > 0 ? risen : 0;
                place[r] += risen < step ? risen : step;
            }
        }
        for (int r = 0; r < LEAF; r++) q[f][r] = (uint32_t)(int32_t)place[r];
    }
    for (int b = bits - 1; b > 0; b--) {
        const uint32_t below = (1u << b) - 1;
        uint32_t *__restrict zero = q[0];
        for (int r = 0; r < LEAF; r++) zero[r] ^= below & (0u - (zero[r] >> b & 1));
        for (ptrdiff_t f = 1; f < d; f++) {
            uint32_t *__restrict own = q[f];
            for (int r = 0; r < LEAF; r++) {
                uint32_t set = 0u - (own[r] >> b & 1), swap = (zero[r] ^ own[r]) & below & ~set;
                zero[r] ^= swap | (below & set);
                own[r] ^= swap;
            }
        }
    }
    for (ptrdiff_t f = 1; f < d; f++)
        for (int r = 0; r < LEAF; r++) q[f][r] ^= q[f - 1][r];
    for (int r = 0; r < LEAF; r++) key[r] = 0;
    for (int b = bits - 1; b > 0; b--)
        for (int r = 0; r < LEAF; r++) key[r] ^= ((1u << b) - 1) & (0u - (q[d - 1][r] >> b & 1));
    for (ptrdiff_t f = 0; f < d; f++)
        for (int r = 0; r < LEAF; r++) q[f][r] ^= key[r];
    for (int r = 0; r < LEAF; r++) key[r] = 0;
    for (int b = bits - 1; b >= 0; b--)
        for (ptrdiff_t f = 0; f < d; f++)
            for (int r = 0; r < LEAF; r++) key[r] = key[r] << 1 | (q[f][r] >> b & 1);
    for (int r = 0; r < n; r++) words[r] = (uint64_t)key[r] << 32 | (first + r);
}

/* The leaf of up to LEAF rows of this type, packed in the other one or as they are; copies of the middle follow. Returns the
 * largest squared norm of the rows less the middle, scaled.
 *
 * `ends` become the least and largest values of each feature, and the middles, less the origin and scaled, and the middles of rows
 * that lie there as they are. If `sums` is given, it becomes the fixed-point sums of the rows, of weight 1, as in shift.h. */
static double NAME(leaf)(
    const void *rows, ptrdiff_t d, const int32_t *which, ptrdiff_t n, const double *origin, double scale, int other,
    const double *units, void *out, double *ends, int64_t *sums)
{
    const double shift = 6755399441055744.0; /* 1.5 * 2^52: in the last bits of what it was added to is the whole number */
    const REAL *x = rows;
    double value[LEAF], norms[LEAF], most = 0;
    int64_t bits;
    for (int r = 0; r < LEAF; r++) norms[r] = value[r] = 0;
    for (ptrdiff_t f = 0; f < d; f++) {
        double low = INFINITY, high = -INFINITY, base = 0;
        int64_t units_in = 0, parts_in = 0;
        for (ptrdiff_t r = 0; r < n; r++) value[r] = (double)x[which[r] * d + f];
        if (sums) {
            for (ptrdiff_t r = 0; r < n; r++) {
                double in = value[r] * units[f], whole = in + shift, rest = (in - (whole - shift)) * units[d + 1] + shift;
                memcpy(&bits, &whole, 8);
                units_in += bits - 0x4338000000000000; /* the bits of 1.5 * 2^52 */
                memcpy(&bits, &rest, 8);
                parts_in += bits - 0x4338000000000000;
            }
            sums[2 * f] = units_in, sums[2 * f + 1] = parts_in;
        }
        for (ptrdiff_t r = 0; r < n; r++) {
            low = value[r] < low ? value[r] : low;
            high = value[r] > high ? value[r] : high;
        }
        if (!other) {
            base = (REAL)(low / 2 + high / 2);
            for (int r = 0; r < LEAF; r++) ((REAL *)out)[f * LEAF + r] = (REAL)(r < n ? value[r] : base);
        }
        ends[f] = (low - origin[f]) * scale, ends[d + f] = (high - origin[f]) * scale;
        ends[2 * d + f] = other ? (ends[f] + ends[d + f]) / 2 : (base - origin[f]) * scale;
        ends[3 * d + f] = base;
        for (ptrdiff_t r = 0; r < n; r++) {
            value[r] = other ? (value[r] - origin[f]) * scale - ends[2 * d + f] : (value[r] - base) * scale;
            norms[r] += value[r] * value[r];
        }
        if (other && sizeof(REAL) == 8)
            for (int r = 0; r < LEAF; r++) ((float *)out)[f * LEAF + r] = (float)value[r];
        else if (other)
            memcpy((double *)out + f * LEAF, value, sizeof value);
    }
    if (sums) sums[2 * d] = n, sums[2 * d + 1] = 0;
    for (ptrdiff_t r = 0; r < n; r++) most = norms[r] > most ? norms[r] : most;
    return most;
}

#include "shift.h"

/* The sums follow rows of a leaf that lie there as they are, bit r for row r, from their old labels to new ones. */
static void NAME(moves)(
    ptrdiff_t d, const void *leaf, uint64_t moved, const int32_t *old_labels, const int32_t *labels, const double *units,
    int64_t *sums)
{
    const double shift = 6755399441055744.0; /* 1.5 * 2^52 */
    const REAL *x = leaf;
    for (; moved; moved &= moved - 1) {
        int r = lowest_bit(moved);
        int64_t *joined = sums + labels[r] * (2 * d + 2);
        int64_t *quit = old_labels[r] < 0 ? NULL : sums + old_labels[r] * (2 * d + 2);
        for (ptrdiff_t f = 0; f < d; f++) {
            double value = x[f * LEAF + r] * units[f], high = value + shift;
            double low = (value - (high - shift)) * units[d + 1] + shift;
            int64_t units_moved = NAME(whole)(high), parts_moved = NAME(whole)(low);
            joined[2 * f] += units_moved, joined[2 * f + 1] += parts_moved;
            if (quit) quit[2 * f] -= units_moved, quit[2 * f + 1] -= parts_moved;
        }
        joined[2 * d]++;
        if (quit) quit[2 * d]--;
    }
}
