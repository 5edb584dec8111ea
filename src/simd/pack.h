/* Template, included by tile.h: what is done with the rows before the search proper. */
#define PANEL (MR * W)
#define STRIP 16 /* values; W divides it */
#define CHUNK (16 / (int)sizeof(REAL))

/* Sum (to be added), least and largest of each of STRIP neighbouring values, over n strips a stride apart; of the result
 * the first n_values are for features 0, 1, ..., n_features - 1, 0, ...
 *
 * Up to 64 values are summed in REAL, each divided by 64, so that nothing overflows.
 */
static void NAME(column_extremes)(
    const void *rows, ptrdiff_t n, ptrdiff_t stride, ptrdiff_t n_values, ptrdiff_t n_features,
    double *total, double *low, double *high)
{
    const REAL *x = rows;
    VEC least[STRIP / W], most[STRIP / W];
    REAL out[3][STRIP];
    for (int v = 0; v < STRIP / W; v++) least[v] = most[v] = LOAD(x + v * W);
    while (n) {
        VEC sum[STRIP / W];
        ptrdiff_t part = n < 64 ? n : 64;
        n -= part;
        for (int v = 0; v < STRIP / W; v++) sum[v] = SET1((REAL)0);
        for (; part; part--, x += stride) {
            if (stride > 8 * STRIP) prefetch(x + 16 * stride); /* hardware foresees small strides only */
            UNROLL for (int v = 0; v < STRIP / W; v++) {
                VEC value = LOAD(x + v * W);
                sum[v] = FNMA(value, SET1((REAL)-0.015625), sum[v]);
                least[v] = MIN(least[v], value);
                most[v] = MAX(most[v], value);
            }
        }
        for (int v = 0; v < STRIP / W; v++) STORE(out[0] + v * W, sum[v]);
        for (int j = 0; j < n_values; j++) total[j % n_features] += 64 * (double)out[0][j];
    }
    for (int v = 0; v < STRIP / W; v++) STORE(out[1] + v * W, least[v]), STORE(out[2] + v * W, most[v]);
    for (int j = 0; j < n_values; j++) {
        ptrdiff_t f = j % n_features;
        low[f] = out[1][j] < low[f] ? out[1][j] : low[f];
        high[f] = high[f] < out[2][j] ? out[2][j] : high[f];
    }
}

/* Up to three features of the rows of a panel; the norms, negative, are followed up. */
static INLINE void NAME(few)(
    const REAL *__restrict x, ptrdiff_t stride, int n, const double *__restrict origin, REAL before, REAL after,
    REAL *__restrict panel, REAL *__restrict norms)
{
    for (int r = 0; r < PANEL; r++) {
        REAL norm = norms[r];
        for (int f = 0; f < n; f++) {
            REAL value = (x[r * stride + f] * before - (REAL)origin[f] * before) * after;
            panel[f * PANEL + r] = value;
            norm -= value * value;
        }
        norms[r] = norm;
    }
}

/* Pack as many rows as a panel has, shifted by the origin and scaled; returns the largest squared norm, as computed.
 *
 * A lane of 128 bits holds CHUNK features of one row; CHUNK vectors of rows are transposed within their lanes, so that
 * each vector then holds one feature of W rows in order. Features that are left over go one by one.
 *
 * The origin is in REAL, scale a power of two: there is one rounding, in the difference. What is large is scaled before
 * the difference, so that nothing overflows.
 */
static double NAME(pack)(const void *rows, ptrdiff_t n_features, const double *origin, double scale, void *out)
{
    const REAL *x = rows;
    REAL *panel = out, before = (REAL)(scale < 1 ? scale : 1), after = (REAL)(scale < 1 ? 1 : scale);
    REAL norms[PANEL], least[W];
    VEC norm[MR];
    ptrdiff_t f = 0;
    for (int m = 0; m < MR; m++) norm[m] = SET1((REAL)0);
#ifdef LANES
    for (; f + CHUNK <= n_features; f += CHUNK)
        for (int m = 0; m < MR; m++) {
            VEC in[CHUNK], by_feature[4];
            const char *next = (const char *)(x + PANEL * n_features) + (f / CHUNK * MR + m) * W * 16;
            for (int byte = 0; byte < W * 16; byte += 64) prefetch(next + byte); /* a panel of rows is one piece of memory */
            for (int r = 0; r < CHUNK; r++) in[r] = LANES(x + (m * W + r) * n_features + f, CHUNK * n_features);
            if (CHUNK == 4) {
                VEC a = LOW(in[0], in[CHUNK - 2]), b = LOW(in[1], in[CHUNK - 1]);
                VEC c = HIGH(in[0], in[CHUNK - 2]), d = HIGH(in[1], in[CHUNK - 1]);
                by_feature[0] = LOW(a, b), by_feature[1] = HIGH(a, b), by_feature[2] = LOW(c, d), by_feature[3] = HIGH(c, d);
            } else {
                by_feature[0] = LOW(in[0], in[1]), by_feature[1] = HIGH(in[0], in[1]);
            }
            for (int j = 0; j < CHUNK; j++) {
                VEC back = FNMA(by_feature[j], SET1(before), SET1((REAL)origin[f + j] * before));
                VEC value = FNMA(back, SET1(after), SET1((REAL)0));
                STORE(panel + (f + j) * PANEL + m * W, value);
                norm[m] = FNMA(value, value, norm[m]);
            }
        }
#endif
    for (int m = 0; m < MR; m++) STORE(norms + m * W, norm[m]);
    if (n_features == 1) /* where the stride is known, these loops vectorize */
        NAME(few)(x, 1, 1, origin, before, after, panel, norms);
    else if (n_features == 2 && f == 0)
        NAME(few)(x, 2, 2, origin, before, after, panel, norms);
    else if (n_features == 3 && f == 0)
        NAME(few)(x, 3, 3, origin, before, after, panel, norms);
    else
        for (; f < n_features; f++)
            NAME(few)(x + f, n_features, 1, origin + f, before, after, panel + f * PANEL, norms);
    norm[0] = LOAD(norms);
    for (int m = 1; m < MR; m++) norm[0] = MIN(norm[0], LOAD(norms + m * W));
    STORE(least, norm[0]);
    for (int half = W / 2; half; half /= 2)
        for (int r = 0; r < half; r++) least[r] = least[r] < least[r + half] ? least[r] : least[r + half];
    return -(double)least[0];
}

/* n features of some rows of the other type, in double and rounded once; the squared norms are followed up. */
static INLINE void NAME(convert_few)(
    const OTHER *__restrict x, ptrdiff_t stride, int n, int some, const double *__restrict origin, double scale,
    REAL *__restrict panel, REAL *__restrict norms)
{
    for (int r = 0; r < some; r++) {
        REAL norm = norms[r];
        for (int f = 0; f < n; f++) {
            REAL value = (REAL)(((double)x[r * stride + f] - origin[f]) * scale);
            panel[f * PANEL + r] = value;
            norm += value * value;
        }
        norms[r] = norm;
    }
}

/* The same as pack, for rows of the other type. */
static double NAME(convert)(const void *rows, ptrdiff_t n_features, const double *origin, double scale, void *out)
{
    const OTHER *x = rows;
    REAL *panel = out, norms[PANEL], most = 0;
    ptrdiff_t f = 0;
    for (int r = 0; r < PANEL; r++) norms[r] = 0;
    switch (n_features) { /* where the stride is known, the loop over rows vectorizes */
    case 1: NAME(convert_few)(x, 1, 1, PANEL, origin, scale, panel, norms); break;
    case 2: NAME(convert_few)(x, 2, 2, PANEL, origin, scale, panel, norms); break;
    case 3: NAME(convert_few)(x, 3, 3, PANEL, origin, scale, panel, norms); break;
    case 4: NAME(convert_few)(x, 4, 4, PANEL, origin, scale, panel, norms); break;
    default:
        for (; f + 8 <= n_features; f += 8)
            for (int r = 0; r < PANEL; r += W) {
                const char *next = (const char *)(x + PANEL * n_features) + (f * PANEL + 8 * r) * sizeof(OTHER);
                for (int byte = 0; byte < 8 * W * (int)sizeof(OTHER); byte += 64) prefetch(next + byte);
                NAME(convert_few)(
                    x + r * n_features + f, n_features, 8, W, origin + f, scale, panel + f * PANEL + r, norms + r);
            }
        for (; f < n_features; f++)
            NAME(convert_few)(x + f, n_features, 1, PANEL, origin + f, scale, panel + f * PANEL, norms);
    }
    for (int r = 0; r < PANEL; r++) most = norms[r] > most ? norms[r] : most;
    return most;
}

/* The rows of a panel whose least score is below the threshold of the row: bit r for row r. */
static uint64_t NAME(below)(const void *scores, const void *thresholds)
{
    const REAL *a = scores, *b = thresholds;
    uint64_t rows = 0;
    for (int m = 0; m < MR; m++) {
        uint32_t some = 0;
        for (int i = 0; i < W; i++) some |= (uint32_t)(a[m * W + i] < b[m * W + i]) << i;
        rows |= (uint64_t)some << m * W;
    }
    return rows;
}
#undef PANEL
#undef STRIP
#undef CHUNK
