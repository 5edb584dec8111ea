/* Template: the scores |c|^2/2 - x.c of one panel of rows with all centers, and the least two of each row.
 *
 * Included by instruction_sets.h once for each instruction set and type, with REAL, VEC, W (lanes), MR, NR and the vector
 * operations defined. A panel is MR*W rows, feature-major. Centers come in tiles of NR: NR values |c|^2/2, then n_features
 * times NR coordinates; the last tile is filled up with infinite |c|^2/2. MR x NR accumulators stay in registers and the n x k
 * scores are never written (the register tile of Goto & van de Geijn 2008, with the argmin fused).
 */

#ifndef NUMBERED
/* Features of a block: 32 KiB of 64 rows. With 96 it was no faster, with 64 slower (48 KiB of cache). */
#define BLOCK 128
#define SHEET 32 /* tiles; with 16 it was slower for 2,048 features and more */
#define NUMBERED 64
#define EIGHT(n) (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7
#define OTHER_THAN_float double
#define OTHER_THAN_double float
#define OTHER_THAN(type) JOIN(OTHER_THAN_, type)
#define JOIN(a, b) a##b
#define OTHER OTHER_THAN(REAL) /* rows may come in the other type */
#endif
static const REAL NAME(numbers)[NUMBERED] = {
    EIGHT(0), EIGHT(8), EIGHT(16), EIGHT(24), EIGHT(32), EIGHT(40), EIGHT(48), EIGHT(56)};

/* Lanes with another label than before, or two scores too close to tell: bit l for lane l. */
static INLINE uint64_t NAME(needs_relabel)(VEC best, VEC next, VEC index, VEC margin, const int32_t *labels)
{
    VEC apart = FNMA(best, SET1((REAL)1), next);
#ifdef NUMBERS
    return (uint64_t)(uint32_t)(DIFFERENT(index, NUMBERS(labels)) | AT_MOST(apart, margin));
#else
    REAL gap[W], nearest[W], most[W];
    uint64_t bits = 0;
    STORE(gap, apart), STORE(nearest, index), STORE(most, margin);
    for (int l = 0; l < W; l++) bits |= (uint64_t)((nearest[l] != (REAL)labels[l]) | (gap[l] <= most[l])) << l;
    return bits;
#endif
}

/* Which rows a search asks for, and the least two scores. */
static INLINE uint64_t NAME(report)(
    int some, const VEC *best, const VEC *next, const VEC *index,
    REAL *first, REAL *second, int32_t *nearest, const int32_t *labels, REAL margin)
{
    REAL winner[MR * W];
    uint64_t bits = 0;
    if (labels) {
        UNROLL for (int m = 0; m < some; m++)
            bits |= NAME(needs_relabel)(best[m], next[m], index[m], SET1(margin), labels + m * W) << m * W;
        if (!bits) return 0;
    }
    UNROLL for (int m = 0; m < some; m++) {
        STORE(first + m * W, best[m]);
        STORE(second + m * W, next[m]);
        STORE(winner + m * W, index[m]);
    }
    for (int r = 0; r < some * W; r++) nearest[r] = (int32_t)winner[r];
    return bits;
}

/* The least two scores of `some` vectors of rows, of MR in a panel. */
static INLINE uint64_t NAME(score)(
    int some, const REAL *x, ptrdiff_t n_features, const REAL *tiles, ptrdiff_t n_tiles,
    REAL *first, REAL *second, int32_t *nearest, const int32_t *labels, REAL margin)
{
    VEC best[MR], next[MR], index[MR];
    UNROLL for (int m = 0; m < some; m++) {
        best[m] = next[m] = SET1((REAL)INFINITY);
        index[m] = SET1((REAL)0);
    }
    for (ptrdiff_t t = 0; t < n_tiles; t++) {
        VEC sum[MR][NR];
        UNROLL for (int j = 0; j < NR; j++)
            UNROLL for (int m = 0; m < some; m++) sum[m][j] = SET1(tiles[j]);
        tiles += NR;
        for (ptrdiff_t f = 0; f < n_features; f++, tiles += NR) {
            VEC value[MR];
            UNROLL for (int m = 0; m < some; m++) {
                value[m] = LOAD(x + (f * MR + m) * W);
                IN_REGISTER(value[m]);
            }
            UNROLL for (int j = 0; j < NR; j++) {
                VEC c = SET1(tiles[j]);
                UNROLL for (int m = 0; m < some; m++) sum[m][j] = FNMA(value[m], c, sum[m][j]);
            }
        }
        UNROLL for (int j = 0; j < NR; j++) {
            ptrdiff_t number = t * NR + j;
            VEC k = SET1(number < NUMBERED ? NAME(numbers)[number] : (REAL)number);
            UNROLL for (int m = 0; m < some; m++) {
                next[m] = MIN(next[m], MAX(sum[m][j], best[m]));
                index[m] = IF_LESS(sum[m][j], best[m], k, index[m]);
                best[m] = MIN(best[m], sum[m][j]);
            }
        }
    }
    return NAME(report)(some, best, next, index, first, second, nearest, labels, margin);
}

/* Few features: the loop over them is unrolled, and half of a panel leaves registers for what else there is to do. */
static INLINE uint64_t NAME(score_few)(
    ptrdiff_t n_features, const REAL *x, const REAL *tiles, ptrdiff_t n_tiles,
    REAL *first, REAL *second, int32_t *nearest, const int32_t *labels, REAL margin)
{
    const int some = MR > 2 ? 2 : MR, rows = some * W;
    uint64_t bits = 0;
    for (int r = 0; r < MR * W; r += rows)
        bits |= NAME(score)(
            some, x + r, n_features, tiles, n_tiles, first + r, second + r, nearest + r, labels ? labels + r : labels,
            margin) << r;
    return bits;
}

/* The least two scores of all rows of a panel, where features are many. They go in blocks of much the same length: the block of
 * the panel stays in the first-level cache while the scores of SHEET tiles wait in `partial`. What a block adds is summed up by
 * itself, so that a score has the roundings of one block and of the sums of blocks (scores.pxd), not one for each feature. */
static uint64_t NAME(score_blocks)(
    const REAL *x, ptrdiff_t n_features, const REAL *tiles, ptrdiff_t n_tiles,
    REAL *first, REAL *second, int32_t *nearest, const int32_t *labels, REAL margin)
{
    VEC best[MR], next[MR], index[MR];
    REAL partial[SHEET][NR][MR * W];
    const ptrdiff_t n_blocks = (n_features + BLOCK - 1) / BLOCK, block = (n_features + n_blocks - 1) / n_blocks;
    const ptrdiff_t size = (1 + n_features) * NR;
    for (int m = 0; m < MR; m++) {
        best[m] = next[m] = SET1((REAL)INFINITY);
        index[m] = SET1((REAL)0);
    }
    for (ptrdiff_t start = 0; start < n_tiles; start += SHEET)
        for (ptrdiff_t from = 0; from < n_features; from += block) {
            const ptrdiff_t to = n_features - from < block ? n_features : from + block;
            for (ptrdiff_t t = start; t < n_tiles && t < start + SHEET; t++) {
                const REAL *tile = tiles + t * size, *c = tile + (1 + from) * NR;
                VEC sum[MR][NR];
                UNROLL for (int j = 0; j < NR; j++)
                    UNROLL for (int m = 0; m < MR; m++)
                        sum[m][j] = SET1(from ? (REAL)0 : tile[j]);
                for (ptrdiff_t f = from; f < to; f++, c += NR) {
                    VEC value[MR];
                    prefetch(c + size); /* the next tile: hardware does not foresee blocks */
                    UNROLL for (int m = 0; m < MR; m++) {
                        value[m] = LOAD(x + (f * MR + m) * W);
                        IN_REGISTER(value[m]);
                    }
                    UNROLL for (int j = 0; j < NR; j++) {
                        VEC of_center = SET1(c[j]);
                        UNROLL for (int m = 0; m < MR; m++) sum[m][j] = FNMA(value[m], of_center, sum[m][j]);
                    }
                }
                if (from)
                    UNROLL for (int j = 0; j < NR; j++)
                        UNROLL for (int m = 0; m < MR; m++)
                            sum[m][j] = FNMA(SET1((REAL)-1), LOAD(&partial[t - start][j][m * W]), sum[m][j]); /* += */
                if (to < n_features) {
                    UNROLL for (int j = 0; j < NR; j++)
                        UNROLL for (int m = 0; m < MR; m++) STORE(&partial[t - start][j][m * W], sum[m][j]);
                } else {
                    UNROLL for (int j = 0; j < NR; j++) {
                        VEC k = SET1((REAL)(t * NR + j));
                        UNROLL for (int m = 0; m < MR; m++) {
                            next[m] = MIN(next[m], MAX(sum[m][j], best[m]));
                            index[m] = IF_LESS(sum[m][j], best[m], k, index[m]);
                            best[m] = MIN(best[m], sum[m][j]);
                        }
                    }
                }
            }
        }
    return NAME(report)(MR, best, next, index, first, second, nearest, labels, margin);
}

/* The least two scores of each row and where the least is. Given labels and a margin, what is returned is which rows have
 * another label than before, or two scores that are no more than the margin apart: bit r for row r. The scores and nearest
 * centers of other rows may not be written then. */
static uint64_t NAME(panel)(
    const void *x, ptrdiff_t n_features, const void *tiles, ptrdiff_t n_tiles,
    void *first, void *second, int32_t *nearest, const int32_t *labels, double margin)
{
    REAL close = (REAL)margin;
    if (n_features > BLOCK)
        return NAME(score_blocks)(x, n_features, tiles, n_tiles, first, second, nearest, labels, close);
    switch (n_features) {
    case 1: return NAME(score_few)(1, x, tiles, n_tiles, first, second, nearest, labels, close);
    case 2: return NAME(score_few)(2, x, tiles, n_tiles, first, second, nearest, labels, close);
    case 3: return NAME(score_few)(3, x, tiles, n_tiles, first, second, nearest, labels, close);
    case 4: return NAME(score_few)(4, x, tiles, n_tiles, first, second, nearest, labels, close);
    default: return NAME(score)(MR, x, n_features, tiles, n_tiles, first, second, nearest, labels, close);
    }
}

#include "group.h"
#include "pack.h"
#include "shift.h"
