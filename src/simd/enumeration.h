/* Template: the loops of exhaustive.pyx over the entries of a low table, included by instruction_sets.h once for each instruction set.
 *
 * Arrays over entries are filled up to a multiple of 16, which MR*W divides. `columns` are rows of `stride` numbers:
 * constant, factor, then those of m coefficients; the score of an entry with a prefix of coefficients u is
 *
 *     constant + factor (u_0 + sum_j u_(1+j) column_j).
 *
 * Coefficients are stored transposed, (1 + m, n_prefixes): the prefixes of a tile side by side.
 */

/* Columns of (score - shift) * scale for two clusters, the second eliminated: a_c = V_c + W_c. */
static INLINE void NAME(fill_two)(
    const double *low_sums, const double *low_weights, ptrdiff_t n_low, ptrdiff_t n, const double *weights,
    const double *total, ptrdiff_t d, double shift, double scale, double *columns, ptrdiff_t stride)
{
    const VEC zero = SET1(0.0), one = SET1(1.0), two = SET1(2.0);
    for (ptrdiff_t b = 0; b < n; b += W) {
        VEC a0 = ADD(SET1(weights[0]), LOAD(low_weights + b));
        VEC a1 = ADD(SET1(weights[1]), LOAD(low_weights + n_low + b));
        VEC inverse, half, sum = zero;
        a0 = IF_LESS(zero, a0, a0, one); /* an empty cluster has sum 0: any divisor will do */
        a1 = IF_LESS(zero, a1, a1, one);
        inverse = DIV(one, MUL(a0, a1));
        half = DIV(two, ADD(a0, a1));
        for (ptrdiff_t f = 0; f < d; f++) {
            VEC s0 = LOAD(low_sums + f * n_low + b);
            VEC s1 = ADD(LOAD(low_sums + (d + f) * n_low + b), SET1(total[f]));
            sum = FMA(MUL(s0, s0), a1, FMA(MUL(s1, s1), a0, sum));
            STORE(columns + (2 + f) * stride + b, MUL(FNMA(s1, a0, MUL(s0, a1)), half));
        }
        STORE(columns + b, MUL(ADD(MUL(sum, inverse), SET1(-shift)), SET1(scale)));
        STORE(columns + stride + b, MUL(MUL(ADD(a0, a1), inverse), SET1(scale)));
    }
}

/* The same for any number of clusters; the last is eliminated when `reduced`. */
static INLINE void NAME(fill_any)(
    const double *low_sums, const double *low_weights, ptrdiff_t n_low, ptrdiff_t n, const double *weights,
    const double *total, ptrdiff_t k, ptrdiff_t d, int reduced, double shift, double scale,
    double *columns, ptrdiff_t stride)
{
    const VEC zero = SET1(0.0), one = SET1(1.0), two = SET1(2.0);
    const ptrdiff_t last = k - 1;
    for (ptrdiff_t b = 0; b < n; b += W) {
        const double *s = low_sums + b, *s_last = low_sums + last * d * n_low + b;
        double *linear = columns + (1 + k) * stride + b;
        VEC a_last = ADD(SET1(weights[last]), LOAD(low_weights + last * n_low + b));
        VEC factor, squares = zero, sum;
        a_last = IF_LESS(zero, a_last, a_last, one);
        factor = DIV(one, a_last);
        for (ptrdiff_t f = 0; f < d; f++) {
            VEC value = LOAD(s_last + f * n_low);
            squares = FMA(value, reduced ? FMA(two, SET1(total[f]), value) : value, squares);
            if (!reduced) STORE(linear + (last * d + f) * stride, MUL(two, value));
        }
        sum = MUL(squares, factor);
        for (ptrdiff_t c = 0; c < last; c++) {
            VEC a = ADD(SET1(weights[c]), LOAD(low_weights + c * n_low + b)), r, ratio;
            r = DIV(one, IF_LESS(zero, a, a, one));
            ratio = MUL(r, a_last);
            squares = zero;
            for (ptrdiff_t f = 0; f < d; f++, s += n_low, linear += stride) {
                VEC value = LOAD(s), product;
                squares = FMA(value, value, squares);
                product = MUL(value, ratio);
                if (reduced) product = FNMA(one, LOAD(s_last + f * n_low), product);
                STORE(linear, MUL(two, product));
            }
            STORE(columns + (2 + c) * stride + b, ratio);
            sum = FMA(squares, r, sum);
        }
        STORE(columns + b, MUL(ADD(sum, SET1(-shift)), SET1(scale)));
        STORE(columns + stride + b, MUL(factor, SET1(scale)));
    }
}

static void NAME(fill)(
    const double *low_sums, const double *low_weights, ptrdiff_t n_low, ptrdiff_t n, const double *weights,
    const double *total, ptrdiff_t k, ptrdiff_t d, int reduced, double shift, double scale,
    double *columns, ptrdiff_t stride)
{
    if (reduced && k == 2 && d == 2)
        NAME(fill_two)(low_sums, low_weights, n_low, n, weights, total, 2, shift, scale, columns, stride);
    else if (reduced && k == 2)
        NAME(fill_two)(low_sums, low_weights, n_low, n, weights, total, d, shift, scale, columns, stride);
    else if (reduced && k == 3 && d == 2)
        NAME(fill_any)(low_sums, low_weights, n_low, n, weights, total, 3, 2, 1, shift, scale, columns, stride);
    else
        NAME(fill_any)(low_sums, low_weights, n_low, n, weights, total, k, d, reduced, shift, scale, columns, stride);
}

/* Raises `best` of MR*W entries to u_0 + sum_j u_(1+j) column_j for a tile of prefixes. */
static INLINE void NAME(raise_tile)(
    const double *column, ptrdiff_t stride, ptrdiff_t m, const double *u, ptrdiff_t n_prefixes, const int tile, VEC *best)
{
    VEC sum[NR][MR];
    UNROLL for (int q = 0; q < tile; q++)
        for (int i = 0; i < MR; i++) sum[q][i] = SET1(u[q]);
    for (ptrdiff_t j = 0; j < m; j++) {
        VEC value[MR];
        for (int i = 0; i < MR; i++) value[i] = LOAD(column + j * stride + i * W);
        UNROLL for (int q = 0; q < tile; q++) {
            VEC c = SET1(u[(1 + j) * n_prefixes + q]);
            for (int i = 0; i < MR; i++) sum[q][i] = FMA(value[i], c, sum[q][i]);
        }
    }
    UNROLL for (int q = 0; q < tile; q++)
        for (int i = 0; i < MR; i++) best[i] = MAX(sum[q][i], best[i]);
}

static INLINE void NAME(raise_all)(
    const double *columns, ptrdiff_t stride, ptrdiff_t m, const double *u, ptrdiff_t n_prefixes, ptrdiff_t count,
    ptrdiff_t n, double *top)
{
    for (ptrdiff_t b = 0; b < n; b += MR * W) {
        const double *column = columns + b;
        VEC best[MR];
        ptrdiff_t p = 0;
        for (int i = 0; i < MR; i++) best[i] = SET1(-INFINITY);
        for (; p + NR <= count; p += NR) NAME(raise_tile)(column + 2 * stride, stride, m, u + p, n_prefixes, NR, best);
        for (; p < count; p++) NAME(raise_tile)(column + 2 * stride, stride, m, u + p, n_prefixes, 1, best);
        for (int i = 0; i < MR; i++) {
            VEC value = FMA(LOAD(column + stride + i * W), best[i], LOAD(column + i * W));
            STORE(top + b + i * W, MAX(value, LOAD(top + b + i * W)));
        }
    }
}

/* Raises top to the greatest score of each of n entries with any of `count` prefixes: the loop where the time goes. */
static void NAME(raise)(
    const double *columns, ptrdiff_t stride, ptrdiff_t m, const double *u, ptrdiff_t n_prefixes, ptrdiff_t count,
    ptrdiff_t n, double *top)
{
    switch (m) { /* few coefficients: the loop over them is unrolled */
    case 1: NAME(raise_all)(columns, stride, 1, u, n_prefixes, count, n, top); break;
    case 2: NAME(raise_all)(columns, stride, 2, u, n_prefixes, count, n, top); break;
    case 3: NAME(raise_all)(columns, stride, 3, u, n_prefixes, count, n, top); break;
    case 4: NAME(raise_all)(columns, stride, 4, u, n_prefixes, count, n, top); break;
    case 6: NAME(raise_all)(columns, stride, 6, u, n_prefixes, count, n, top); break;
    case 8: NAME(raise_all)(columns, stride, 8, u, n_prefixes, count, n, top); break;
    default: NAME(raise_all)(columns, stride, m, u, n_prefixes, count, n, top);
    }
}

/* exp(x) for x <= 709, never below exp(-708) = 3.3e-308; relative error below 1e-15.
 *
 * x = m log 2 + r with |r| <= 0.3466; exp(r) by its Taylor polynomial of degree 12 (remainder below 2e-16), 2^m put
 * together from its bits (Muller, Elementary Functions, 3rd ed., 2016, section 11.1: range reduction by Cody and Waite,
 * whose first constant has 32 trailing zeros, so that its product with m is exact).
 */
static INLINE VEC NAME(exponential)(VEC x)
{
    VEC t, m, r, s, p, q;
    x = MAX(x, SET1(-708.0));
    t = FMA(x, SET1(1.4426950408889634), SET1(6755399441055744.0)); /* 1.5 * 2^52: the last bits of the sum hold m */
    m = ADD(t, SET1(-6755399441055744.0));
    r = FNMA(m, SET1(1.90821492927058770002e-10), FNMA(m, SET1(6.93147180369123816490e-01), x));
    s = MUL(r, r); /* even and odd powers apart: two short chains instead of a long one */
    p = SET1(1.0 / 479001600);
    p = FMA(p, s, SET1(1.0 / 3628800));
    p = FMA(p, s, SET1(1.0 / 40320));
    p = FMA(p, s, SET1(1.0 / 720));
    p = FMA(p, s, SET1(1.0 / 24));
    p = FMA(p, s, SET1(0.5));
    q = SET1(1.0 / 39916800);
    q = FMA(q, s, SET1(1.0 / 362880));
    q = FMA(q, s, SET1(1.0 / 5040));
    q = FMA(q, s, SET1(1.0 / 120));
    q = FMA(q, s, SET1(1.0 / 6));
    p = ADD(FMA(FMA(q, r, p), s, r), SET1(1.0));
    return MUL(p, POWER(t));
}

/* values = exp(constant + factor (u_0 + ...)) of n entries with one prefix; sums is raised by them. */
static INLINE void NAME(weigh_all)(
    const double *columns, ptrdiff_t stride, ptrdiff_t m, const double *u, ptrdiff_t n_prefixes, ptrdiff_t n,
    double *values, double *sums)
{
    for (ptrdiff_t b = 0; b < n; b += MR * W) {
        const double *column = columns + b;
        VEC sum[MR];
        for (int i = 0; i < MR; i++) sum[i] = SET1(u[0]);
        for (ptrdiff_t j = 0; j < m; j++)
            for (int i = 0; i < MR; i++)
                sum[i] = FMA(LOAD(column + (2 + j) * stride + i * W), SET1(u[(1 + j) * n_prefixes]), sum[i]);
        for (int i = 0; i < MR; i++) {
            VEC value = FMA(LOAD(column + stride + i * W), sum[i], LOAD(column + i * W));
            value = NAME(exponential)(value);
            STORE(values + b + i * W, value);
            STORE(sums + b + i * W, ADD(LOAD(sums + b + i * W), value));
        }
    }
}

static void NAME(weigh)(
    const double *columns, ptrdiff_t stride, ptrdiff_t m, const double *u, ptrdiff_t n_prefixes, ptrdiff_t n,
    double *values, double *sums)
{
    switch (m) {
    case 1: NAME(weigh_all)(columns, stride, 1, u, n_prefixes, n, values, sums); break;
    case 2: NAME(weigh_all)(columns, stride, 2, u, n_prefixes, n, values, sums); break;
    case 4: NAME(weigh_all)(columns, stride, 4, u, n_prefixes, n, values, sums); break;
    case 6: NAME(weigh_all)(columns, stride, 6, u, n_prefixes, n, values, sums); break;
    default: NAME(weigh_all)(columns, stride, m, u, n_prefixes, n, values, sums);
    }
}

/* Sums values over the tails of each stem, and over the stems of each tail, into zeroed cells; returns the sum of all. */
static double NAME(fold)(
    const double *values, const int *stems, const int *tails, ptrdiff_t n_stems, double *cells)
{
    double total = 0;
    for (ptrdiff_t a = 0; a < n_stems; a++) {
        const double *value = values + stems[a];
        double *tail = cells + tails[a], parts[W], rest = 0;
        const ptrdiff_t n = stems[a + 1] - stems[a];
        VEC sum = SET1(0.0);
        ptrdiff_t b = 0;
        for (; b + W <= n; b += W) {
            VEC v = LOAD(value + b);
            STORE(tail + b, ADD(LOAD(tail + b), v));
            sum = ADD(sum, v);
        }
        for (; b < n; b++) {
            tail[b] += value[b];
            rest += value[b];
        }
        STORE(parts, sum);
        for (int width = W / 2; width; width /= 2)
            for (int i = 0; i < width; i++) parts[i] += parts[i + width];
        cells[a] = parts[0] + rest;
        total += cells[a];
    }
    return total;
}

/* Adds the cells of one prefix to those of the label of each of its rows. */
static void NAME(deal)(
    const double *cells, ptrdiff_t n_cells, const signed char *labels, ptrdiff_t n_rows, ptrdiff_t k, double *sheets)
{
    for (ptrdiff_t i = 0; i < n_rows; i++) {
        double *sheet = sheets + (i * k + labels[i]) * n_cells;
        for (ptrdiff_t b = 0; b < n_cells; b += W) STORE(sheet + b, ADD(LOAD(sheet + b), LOAD(cells + b)));
    }
}
