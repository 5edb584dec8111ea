/* Template: the scores |c|^2/2 - x.c of single rows with a group of GROUP centers, and the least two of each row.
 *
 * If bounds rule out most groups of centers for most rows, rows are not scored in panels: the lanes are the centers of
 * a group, and GR rows at a time share the loaded coordinates. Rows lie in a buffer, `stride` apart, filled up with zeros;
 * a group is GROUP values |c|^2/2, infinite where there is no center, then n_features times GROUP coordinates.
 */
#define GV (GROUP / W)
#define GR (MR * NR >= 8 * GV ? 8 : MR * NR >= GV ? MR * NR / GV : 1)

static void NAME(group)(
    const void *rows, ptrdiff_t stride, const int32_t *list, ptrdiff_t n, ptrdiff_t n_features, const void *tile,
    void *first, void *second, int32_t *nearest)
{
    static const REAL lanes[GROUP] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const VEC none = SET1((REAL)INFINITY);
    VEC lane[GV];
    for (int g = 0; g < GV; g++) lane[g] = LOAD(lanes + g * W);
    for (ptrdiff_t j = 0; j < n; j += GR) {
        const REAL *x[GR], *c = tile;
        VEC sum[GR][GV];
        for (int r = 0; r < GR; r++) x[r] = (const REAL *)rows + stride * list[j + r < n ? j + r : n - 1];
        UNROLL for (int r = 0; r < GR; r++)
            for (int g = 0; g < GV; g++) sum[r][g] = LOAD(c + g * W);
        c += GROUP;
        for (ptrdiff_t f = 0; f < n_features; f++, c += GROUP) {
            VEC value[GV];
            for (int g = 0; g < GV; g++) value[g] = LOAD(c + g * W);
            UNROLL for (int r = 0; r < GR; r++) {
                VEC of_row = SET1(x[r][f]);
                for (int g = 0; g < GV; g++) sum[r][g] = FNMA(of_row, value[g], sum[r][g]);
            }
        }
        UNROLL for (int r = 0; r < GR; r++) {
            VEC least = sum[r][0], where = none, others = none, index;
            REAL lane_of_least, value;
            for (int g = 1; g < GV; g++) least = MIN(least, sum[r][g]);
            value = REDUCE_MIN(least);
            least = SET1(value);
            for (int g = 0; g < GV; g++) where = MIN(where, IF_LESS(least, sum[r][g], none, lane[g]));
            lane_of_least = REDUCE_MIN(where);
            index = SET1(lane_of_least);
            for (int g = 0; g < GV; g++)
                others = MIN(
                    others, IF_LESS(lane[g], index, sum[r][g], IF_LESS(index, lane[g], sum[r][g], none)));
            if (j + r < n) {
                ((REAL *)first)[j + r] = value;
                ((REAL *)second)[j + r] = REDUCE_MIN(others);
                nearest[j + r] = (int32_t)lane_of_least;
            }
        }
    }
}

/* Shift, scale and round a row, of this type or of the other one, as for a panel; *norm becomes |x|^2. Returns the score
 * |c|^2/2 - x.c with one center. `from` is the origin in double for a row of the other type, else minus the origin, scaled. */
static double NAME(fetch)(
    const void *row, int other, const void *from, double scale, ptrdiff_t n_features, ptrdiff_t stride, void *out,
    const void *center, double half_norm, double *norm)
{
    const REAL *x = row, *c = center, *shift = from;
    const VEC factor = SET1((REAL)-scale);
    REAL *value = out, parts[2][W];
    VEC norms[2], dots[2];
    ptrdiff_t f = 0;
    for (int l = 0; l < 2; l++) norms[l] = dots[l] = SET1((REAL)0);
    if (other)
        for (; f < n_features; f++)
            value[f] = (REAL)(((double)((const OTHER *)row)[f] - ((const double *)from)[f]) * scale);
    for (; f + W <= n_features; f += W) STORE(value + f, FNMA(LOAD(x + f), factor, LOAD(shift + f)));
    for (; f < n_features; f++) value[f] = x[f] * (REAL)scale + shift[f];
    for (; f < stride; f++) value[f] = 0;
    for (f = 0; f < stride; f += 2 * W)
        for (int l = 0; l < 2; l++) {
            VEC v = LOAD(value + f + l * W);
            norms[l] = FNMA(v, v, norms[l]);
            dots[l] = FNMA(v, LOAD(c + f + l * W), dots[l]);
        }
    STORE(parts[0], FNMA(SET1((REAL)-1), norms[1], norms[0]));
    STORE(parts[1], FNMA(SET1((REAL)-1), dots[1], dots[0]));
    for (int half = W / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++) {
            parts[0][l] += parts[0][l + half];
            parts[1][l] += parts[1][l + half];
        }
    *norm = -parts[0][0];
    return half_norm + parts[1][0];
}

/* Marks the groups whose bound, less the drift, is not above `near`; returns the least of the other bounds. */
static double NAME(need)(
    const void *bounds, const void *drift, ptrdiff_t n, double near, unsigned char *needed)
{
    static const REAL lanes[GROUP] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const REAL *bound = bounds, *gone = drift;
    const VEC limit = SET1((REAL)(near * (1 + 1.2e-7))), none = SET1((REAL)INFINITY), lane = LOAD(lanes);
    VEC least = none;
    for (ptrdiff_t g = 0; g < n; g += W) {
        REAL passed[W];
        VEC low = FNMA(SET1((REAL)1), LOAD(gone + g), LOAD(bound + g)), above;
        low = FNMA(SET1((REAL)2.4e-7), low, low);
        above = IF_LESS(limit, low, low, none);
        STORE(passed, IF_LESS(limit, low, SET1((REAL)0), SET1((REAL)1)));
        least = MIN(least, IF_LESS(lane, SET1((REAL)(n - g)), above, none));
        for (int l = 0; l < W; l++) needed[g + l] = passed[l] != 0;
    }
    return REDUCE_MIN(least);
}

/* The least bound, less the drift. */
static double NAME(least)(const void *bounds, const void *drift, ptrdiff_t n)
{
    static const REAL lanes[GROUP] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const REAL *bound = bounds, *gone = drift;
    const VEC none = SET1((REAL)INFINITY), lane = LOAD(lanes);
    VEC least = none;
    for (ptrdiff_t g = 0; g < n; g += W) {
        VEC low = FNMA(SET1((REAL)1), LOAD(gone + g), LOAD(bound + g));
        low = FNMA(SET1((REAL)2.4e-7), low, low);
        least = MIN(least, IF_LESS(lane, SET1((REAL)(n - g)), low, none));
    }
    return REDUCE_MIN(least);
}

#undef GV
#undef GR
