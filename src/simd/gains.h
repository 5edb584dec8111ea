/* Template, included by gains_both.h: eight candidates and four rows at a time.
 *
 * Squared distances are by differences in double; nothing is fused, features and rows are added in order, so that every
 * instruction set gives the same bits, and those of rows left out because they gain nothing.
 */
#define ROWS (W >= 4 ? 4 : 2) /* whose accumulators fit the registers */

static void GAINS(
    const ROW *X,                /* (n, n_features) */
    ptrdiff_t n_features,
    const double *sample_weight, /* (n,), or NULL for ones */
    const double *closest,       /* (n,): squared distances to the nearest center so far */
    const ptrdiff_t *rows,       /* (n_rows,): those to add up, in order */
    ptrdiff_t n_rows,
    const double *opposites,     /* (n_features, 8): minus the candidates */
    double *sums)                /* (8,): += weight * what the squared distance would fall by */
{
    VEC gain[8 / W];
    for (int v = 0; v < 8 / W; v++) gain[v] = LOAD(sums + v * W);
    for (ptrdiff_t first = 0; first < n_rows; first += ROWS) {
        const ROW *x[ROWS];
        VEC sum[ROWS][8 / W];
        for (int r = 0; r < ROWS; r++) {
            x[r] = X + rows[first + r < n_rows ? first + r : n_rows - 1] * n_features;
            for (int v = 0; v < 8 / W; v++) sum[r][v] = SET1(0.0);
        }
        for (ptrdiff_t f = 0; f < n_features; f++)
            for (int r = 0; r < ROWS; r++) {
                VEC value = SET1((double)x[r][f]);
                UNROLL for (int v = 0; v < 8 / W; v++) {
                    VEC difference = ADD(value, LOAD(opposites + 8 * f + v * W));
                    sum[r][v] = ADD(sum[r][v], MUL(difference, difference));
                }
            }
        for (int r = 0; r < ROWS && first + r < n_rows; r++) {
            ptrdiff_t i = rows[first + r];
            VEC weight = SET1(sample_weight ? sample_weight[i] : 1.0);
            for (int v = 0; v < 8 / W; v++) {
                VEC fall = MAX(FNMA(sum[r][v], SET1(1.0), SET1(closest[i])), SET1(0.0));
                gain[v] = ADD(gain[v], MUL(weight, fall));
            }
        }
    }
    for (int v = 0; v < 8 / W; v++) STORE(sums + v * W, gain[v]);
}
#undef ROWS
