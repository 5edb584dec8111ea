/* Template, included by instruction_sets.h for float: the scores of all centers for one sparse row, from an inverted index. */

/* Subtract value * center, for up to 64 entries of a row, from the scores. */
static void NAME(subtract)(
    const inverted_centers *c,
    const float *values,       /* (n,) */
    const ptrdiff_t *features, /* (n,) */
    ptrdiff_t n,
    float *scores)             /* (c->stride,) */
{
    const float *full[64];
    float factors[64];
    ptrdiff_t m = 0, k = 0;
    for (ptrdiff_t e = 0; e < n; e++) {
        ptrdiff_t f = features[e];
        if (c->place[f] >= 0) {
            full[m] = c->full + c->place[f] * c->stride;
            factors[m] = values[e];
            prefetch(full[m++]);
        } else
            for (int64_t j = c->starts[f]; j < c->starts[f + 1]; j++)
                scores[c->owners[j]] -= values[e] * c->values[j];
    }
    for (; k + 4 * W <= c->stride; k += 4 * W) {
        VEC sums[4];
        UNROLL for (int v = 0; v < 4; v++) sums[v] = LOAD(scores + k + v * W);
        for (ptrdiff_t j = 0; j < m; j++) {
            VEC factor = SET1(factors[j]);
            UNROLL for (int v = 0; v < 4; v++) sums[v] = FNMA(factor, LOAD(full[j] + k + v * W), sums[v]);
        }
        UNROLL for (int v = 0; v < 4; v++) STORE(scores + k + v * W, sums[v]);
    }
    for (; k < c->stride; k += W) {
        VEC sum = LOAD(scores + k);
        for (ptrdiff_t j = 0; j < m; j++) sum = FNMA(SET1(factors[j]), LOAD(full[j] + k), sum);
        STORE(scores + k, sum);
    }
}

/* The least of some scores. */
static float NAME(least)(const float *scores, ptrdiff_t n)
{
    VEC least = LOAD(scores);
    for (ptrdiff_t k = W; k < n; k += W) least = MIN(least, LOAD(scores + k));
    return REDUCE_MIN(least);
}

/* List the scores up to a bound; returns their number. */
static ptrdiff_t NAME(up_to)(const float *scores, ptrdiff_t n, float bound, int32_t *list)
{
    ptrdiff_t found = 0;
    for (ptrdiff_t k = 0; k < n; k += 16) {
        if (NAME(least)(scores + k, 16) > bound) continue;
        for (ptrdiff_t j = k; j < k + 16; j++) {
            list[found] = (int32_t)j;
            found += scores[j] <= bound;
        }
    }
    return found;
}
