/* Template, included by instruction_sets.h for double: the inner loops of spectrum.pyx.
 *
 * Sums go on in EIGHT_SUMS lanes, or in the order of the terms, and nothing is fused: every instruction set gives the same bits.
 */

static double NAME(dot)(const double *a, const double *b, ptrdiff_t n)
{
    double sums[EIGHT_SUMS] = {0};
    ptrdiff_t c = 0;
    for (; c + EIGHT_SUMS <= n; c += EIGHT_SUMS)
        for (int t = 0; t < EIGHT_SUMS; t++)
            sums[t] += a[c + t] * b[c + t];
    for (int t = 0; c < n; c++, t++)
        sums[t] += a[c] * b[c];
    return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

/* a -= factor * b */
static void NAME(subtract)(double *restrict a, const double *restrict b, double factor, ptrdiff_t n)
{
    for (ptrdiff_t c = 0; c < n; c++)
        a[c] -= factor * b[c];
}

/* a -= v_r * w + w_r * v; then p += x_r * a; returns a . x */
static double NAME(update)(double *restrict a, const double *v, const double *w, const double *x, double *restrict p,
                           double v_r, double w_r, double x_r, ptrdiff_t n)
{
    double sums[EIGHT_SUMS] = {0};
    ptrdiff_t c = 0;
    for (; c + EIGHT_SUMS <= n; c += EIGHT_SUMS) {
        for (int t = 0; t < EIGHT_SUMS; t++)
            a[c + t] -= v_r * w[c + t] + w_r * v[c + t];
        for (int t = 0; t < EIGHT_SUMS; t++)
            p[c + t] += x_r * a[c + t];
        for (int t = 0; t < EIGHT_SUMS; t++)
            sums[t] += a[c + t] * x[c + t];
    }
    for (int t = 0; c < n; c++, t++) {
        a[c] -= v_r * w[c] + w_r * v[c];
        p[c] += x_r * a[c];
        sums[t] += a[c] * x[c];
    }
    return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

/* A tile of a product: `n_rows` rows, at most NR, times a panel of MR * W columns; the sums are in the order of the terms.
 * Entry r, c of the left matrix is a[r * row + c * column]. */
static void NAME(tile)(const double *a, ptrdiff_t row, ptrdiff_t column, const double *panel, ptrdiff_t n_terms,
                       ptrdiff_t n_rows, double *out, ptrdiff_t stride, ptrdiff_t n_columns)
{
    VEC sum[NR][MR];
    const double *x[NR];
    for (int r = 0; r < NR; r++) x[r] = a + row * (r < n_rows ? r : n_rows - 1);
    UNROLL for (int r = 0; r < NR; r++)
        UNROLL for (int m = 0; m < MR; m++) sum[r][m] = SET1(0.0);
    for (ptrdiff_t t = 0; t < n_terms; t++, panel += MR * W) {
        VEC value[MR];
        UNROLL for (int m = 0; m < MR; m++) {
            value[m] = LOAD(panel + m * W);
            IN_REGISTER(value[m]);
        }
        UNROLL for (int r = 0; r < NR; r++) {
            VEC own = SET1(x[r][t * column]);
            UNROLL for (int m = 0; m < MR; m++) sum[r][m] = ADD(sum[r][m], MUL(own, value[m]));
        }
    }
    for (int r = 0; r < n_rows; r++) {
        double sums[MR * W];
        UNROLL for (int m = 0; m < MR; m++) STORE(sums + m * W, sum[r][m]);
        memcpy(out + r * stride, sums, sizeof(double) * (n_columns < MR * W ? n_columns : MR * W));
    }
}

enum { NAME(tile_rows) = NR, NAME(tile_columns) = MR * W };
