/* Template: squared distances of ABREAST rows to all centers, by differences in double.
 *
 * Nothing is fused and features are added in order, so that every instruction set gives the bits of metric.pxd: sq_distances.
 */
static void NAME(distances)(
    const double *x,         /* (ABREAST, n_features) */
    ptrdiff_t n_features,
    const double *centers_t, /* (n_features, n_clusters) */
    ptrdiff_t n_clusters,
    double *out)             /* (ABREAST, n_clusters) */
{
    for (ptrdiff_t k = 0; k < n_clusters && n_clusters >= W; k += 2 * W) {
        const ptrdiff_t last = n_clusters - W; /* two vectors of centers; where the centers end, some of them once more */
        const ptrdiff_t at[2] = {k < last ? k : last, k + W < last ? k + W : last};
        VEC sum[ABREAST][2];
        UNROLL for (int r = 0; r < ABREAST; r++)
            UNROLL for (int v = 0; v < 2; v++) sum[r][v] = SET1(0.0);
        for (ptrdiff_t f = 0; f < n_features; f++) {
            VEC center[2];
            UNROLL for (int v = 0; v < 2; v++) {
                center[v] = LOAD(centers_t + f * n_clusters + at[v]);
                IN_REGISTER(center[v]);
            }
            UNROLL for (int r = 0; r < ABREAST; r++) {
                VEC value = SET1(x[r * n_features + f]);
                UNROLL for (int v = 0; v < 2; v++) {
                    VEC difference = FNMA(center[v], SET1(1.0), value); /* rounded once, fused or not */
                    sum[r][v] = ADD(sum[r][v], MUL(difference, difference));
                }
            }
        }
        UNROLL for (int r = 0; r < ABREAST; r++)
            UNROLL for (int v = 0; v < 2; v++) STORE(out + r * n_clusters + at[v], sum[r][v]);
    }
    if (n_clusters < W)
        for (int r = 0; r < ABREAST; r++)
            for (ptrdiff_t k = 0; k < n_clusters; k++) {
                double sum = 0;
                for (ptrdiff_t f = 0; f < n_features; f++) {
                    double difference = x[r * n_features + f] - centers_t[f * n_clusters + k];
                    sum += difference * difference;
                }
                out[r * n_clusters + k] = sum;
            }
}
