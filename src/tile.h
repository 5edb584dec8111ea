/* Template: the scores |c|^2/2 - x.c of one panel of rows with all centers, and the least two of each row.
 *
 * Included by sets.h once for each instruction set and type, with REAL, VEC, W (lanes), MR, NR and the vector operations
 * defined. A panel is MR*W rows, feature-major. Centers come in tiles of NR: NR values |c|^2/2, then n_features times NR
 * coordinates; the last tile is filled up with infinite |c|^2/2. MR x NR accumulators stay in registers and the n x k
 * scores are never written (the register tile of Goto & van de Geijn 2008, with the argmin fused).
 */

static INLINE void NAME(score)(
    const REAL *x, ptrdiff_t n_features, const REAL *tiles, ptrdiff_t n_tiles,
    REAL *first, REAL *second, int32_t *nearest)
{
    VEC best[MR], next[MR], index[MR];
    REAL winner[MR * W];
    for (int m = 0; m < MR; m++) {
        best[m] = next[m] = SET1((REAL)INFINITY);
        index[m] = SET1((REAL)0);
    }
    for (ptrdiff_t t = 0; t < n_tiles; t++) {
        VEC sum[MR][NR];
        UNROLL for (int j = 0; j < NR; j++)
            for (int m = 0; m < MR; m++) sum[m][j] = SET1(tiles[j]);
        tiles += NR;
        for (ptrdiff_t f = 0; f < n_features; f++, tiles += NR) {
            VEC value[MR];
            for (int m = 0; m < MR; m++) value[m] = LOAD(x + (f * MR + m) * W);
            UNROLL for (int j = 0; j < NR; j++) {
                VEC c = SET1(tiles[j]);
                for (int m = 0; m < MR; m++) sum[m][j] = FNMA(value[m], c, sum[m][j]);
            }
        }
        UNROLL for (int j = 0; j < NR; j++) {
            VEC k = SET1((REAL)(t * NR + j));
            for (int m = 0; m < MR; m++) {
                next[m] = MIN(next[m], MAX(sum[m][j], best[m]));
                index[m] = IF_LESS(sum[m][j], best[m], k, index[m]);
                best[m] = MIN(best[m], sum[m][j]);
            }
        }
    }
    for (int m = 0; m < MR; m++) {
        STORE(first + m * W, best[m]);
        STORE(second + m * W, next[m]);
        STORE(winner + m * W, index[m]);
    }
    for (int r = 0; r < MR * W; r++) nearest[r] = (int32_t)winner[r];
}

static void NAME(panel)(
    const void *x, ptrdiff_t n_features, const void *tiles, ptrdiff_t n_tiles,
    void *first, void *second, int32_t *nearest)
{
    switch (n_features) { /* few features: the loop over them is unrolled */
    case 1: NAME(score)(x, 1, tiles, n_tiles, first, second, nearest); break;
    case 2: NAME(score)(x, 2, tiles, n_tiles, first, second, nearest); break;
    case 3: NAME(score)(x, 3, tiles, n_tiles, first, second, nearest); break;
    case 4: NAME(score)(x, 4, tiles, n_tiles, first, second, nearest); break;
    default: NAME(score)(x, n_features, tiles, n_tiles, first, second, nearest);
    }
}

/* The rows of a panel with another label than before, or two scores too close to tell: bit r for row r. */
static uint64_t NAME(stirs)(
    const void *first, const void *second, double margin, const int32_t *nearest, const int32_t *labels)
{
    const REAL *a = first, *b = second;
    uint64_t rows = 0;
    for (int half = 0; half < MR; half++) {
        uint32_t some = 0;
        for (int i = 0; i < W; i++) {
            int r = half * W + i;
            some |= (uint32_t)((nearest[r] != labels[r]) | (b[r] - a[r] <= (REAL)margin)) << i;
        }
        rows |= (uint64_t)some << half * W;
    }
    return rows;
}

#include "group.h"
#include "pack.h"
#include "shift.h"
