/* Template: the loops of search.pxd over all rows, included by few_table.h once for each instruction set and type.
 *
 * Rows are in panels of MR*W as in tile.h; each center is |c|^2/2 and then its coordinates. There are too few of both for
 * the tiles of tile.h: centers that only fill up a tile would cost too much, and one call does all rows.
 */

/* The scores |c|^2/2 - x.c of a panel with n centers, 4 at most, the first of them number k; the least two of each row. */
static INLINE void NAME(group)(
    const REAL *x, ptrdiff_t d, const REAL *centers, ptrdiff_t k, const int n, VEC *best, VEC *next, VEC *index)
{
    VEC sum[4][MR];
    UNROLL for (int j = 0; j < n; j++)
        UNROLL for (int m = 0; m < MR; m++) sum[j][m] = SET1(centers[j * (1 + d)]);
    for (ptrdiff_t f = 0; f < d; f++) {
        VEC value[MR];
        UNROLL for (int m = 0; m < MR; m++) value[m] = LOAD(x + (f * MR + m) * W);
        UNROLL for (int j = 0; j < n; j++) {
            VEC c = SET1(centers[j * (1 + d) + 1 + f]);
            UNROLL for (int m = 0; m < MR; m++) sum[j][m] = FNMA(value[m], c, sum[j][m]);
        }
    }
    UNROLL for (int j = 0; j < n; j++) {
        VEC number = SET1((REAL)(k + j));
        UNROLL for (int m = 0; m < MR; m++) {
            next[m] = MIN(next[m], MAX(sum[j][m], best[m]));
            index[m] = IF_LESS(sum[j][m], best[m], number, index[m]);
            best[m] = MIN(best[m], sum[j][m]);
        }
    }
}

static INLINE ptrdiff_t NAME(label_all)(
    const REAL *panels, ptrdiff_t n_panels, ptrdiff_t d, const REAL *centers, ptrdiff_t k, REAL margin, REAL *scores,
    int32_t *nearest, const int32_t *labels, int32_t *to_relabel)
{
    ptrdiff_t n_to_relabel = 0;
    const VEC one = SET1((REAL)1), close = SET1(margin);
    for (ptrdiff_t row = 0; row < n_panels * MR * W; row += MR * W, panels += d * MR * W) {
        VEC best[MR], next[MR], index[MR];
        REAL winner[MR * W];
        uint64_t pair[2], differ = 0;
        ptrdiff_t c = 0;
        UNROLL for (int m = 0; m < MR; m++) {
            best[m] = next[m] = SET1((REAL)INFINITY);
            index[m] = SET1((REAL)0);
        }
        for (; c + 4 <= k; c += 4) NAME(group)(panels, d, centers + c * (1 + d), c, 4, best, next, index);
        switch (k - c) {
        case 1: NAME(group)(panels, d, centers + c * (1 + d), c, 1, best, next, index); break;
        case 2: NAME(group)(panels, d, centers + c * (1 + d), c, 2, best, next, index); break;
        case 3: NAME(group)(panels, d, centers + c * (1 + d), c, 3, best, next, index); break;
        }
        UNROLL for (int m = 0; m < MR; m++) {
            STORE(scores + (2 * row + m * W), best[m]);
            STORE(scores + (2 * row + (MR + m) * W), next[m]);
            STORE(winner + m * W, IF_LESS(FNMA(best[m], one, next[m]), close, SET1((REAL)-2), index[m]));
        }
        for (int r = 0; r < MR * W; r++) nearest[row + r] = (int32_t)winner[r];
        for (int r = 0; r < MR * W; r += 2) {
            memcpy(pair, nearest + row + r, 8);
            memcpy(pair + 1, labels + row + r, 8);
            differ |= pair[0] ^ pair[1];
        }
        if (differ)
            for (ptrdiff_t i = row; i < row + MR * W; i++) {
                to_relabel[n_to_relabel] = (int32_t)i;
                n_to_relabel += nearest[i] != labels[i];
            }
    }
    return n_to_relabel;
}

/* The nearest center of each row, -2 where two scores are within the margin; lists those with another label than before. */
static ptrdiff_t NAME(label)(
    const void *panels, ptrdiff_t n_panels, ptrdiff_t d, const void *centers, ptrdiff_t k, double margin, void *scores,
    int32_t *nearest, const int32_t *labels, int32_t *to_relabel)
{
    const REAL close = (REAL)(margin * (1 + 1e-6)); /* above the margin, rounding or not */
    switch (d) { /* few features: the loop over them is unrolled */
    case 1: return NAME(label_all)(panels, n_panels, 1, centers, k, close, scores, nearest, labels, to_relabel);
    case 2: return NAME(label_all)(panels, n_panels, 2, centers, k, close, scores, nearest, labels, to_relabel);
    case 3: return NAME(label_all)(panels, n_panels, 3, centers, k, close, scores, nearest, labels, to_relabel);
    case 4: return NAME(label_all)(panels, n_panels, 4, centers, k, close, scores, nearest, labels, to_relabel);
    default: return NAME(label_all)(panels, n_panels, d, centers, k, close, scores, nearest, labels, to_relabel);
    }
}

/* Lists the rows for which `factor` times the least squared distance may exceed the second least. All weights are 1. */
static ptrdiff_t NAME(exchange_candidates)(
    const void *scores, const double *norms, ptrdiff_t n_panels, double factor, double slack, double norm_error, int32_t *rows)
{
    const REAL *first = scores;
    ptrdiff_t n_found = 0;
    for (ptrdiff_t row = 0; row < n_panels * MR * W; row += MR * W, first += 2 * MR * W, norms += MR * W) {
        unsigned char may_gain[MR * W];
        for (int r = 0; r < MR * W; r++)
            may_gain[r] = factor * (norms[r] + 2 * (double)first[r] + slack + norm_error * norms[r])
                > norms[r] + 2 * (double)first[MR * W + r] - slack - norm_error * norms[r];
        for (int r = 0; r < MR * W; r++) {
            rows[n_found] = (int32_t)(row + r);
            n_found += may_gain[r];
        }
    }
    return n_found;
}

#ifdef ADD
static INLINE void NAME(lower_all)(
    const double *columns, ptrdiff_t stride, ptrdiff_t d, ptrdiff_t row, const double *closest, double *out)
{
    const VEC one = SET1(1.0);
    for (ptrdiff_t i = 0; i < stride; i += W) {
        VEC sum = SET1(0.0);
        for (ptrdiff_t f = 0; f < d; f++) {
            VEC difference = FNMA(SET1(columns[f * stride + row]), one, LOAD(columns + f * stride + i));
            sum = ADD(sum, MUL(difference, difference)); /* no FMA: the same bits everywhere */
        }
        STORE(out + i, closest ? MIN(sum, LOAD(closest + i)) : sum);
    }
}

/* Squared distances of all rows, column by column, to one of them, or those to the closest center if that is less. */
static void NAME(lower)(
    const double *columns, ptrdiff_t stride, ptrdiff_t d, ptrdiff_t row, const double *closest, double *out)
{
    switch (d) {
    case 1: NAME(lower_all)(columns, stride, 1, row, closest, out); break;
    case 2: NAME(lower_all)(columns, stride, 2, row, closest, out); break;
    case 3: NAME(lower_all)(columns, stride, 3, row, closest, out); break;
    case 4: NAME(lower_all)(columns, stride, 4, row, closest, out); break;
    default: NAME(lower_all)(columns, stride, d, row, closest, out);
    }
}
#endif
