/* Template, included by instruction_sets.h for float: the scores of all centers for one sparse row, from an inverted index. */

/* W whole numbers of 16 bits. */
static INLINE VEC NAME(shorts)(const int16_t *p)
{
#ifdef SHORTS
    return SHORTS(p);
#else
    return (float)*p;
#endif
}

/* Subtract factor * record, of up to 64 entries of a row, from n vectors of scores. */
static INLINE void NAME(subtract_some)(
    const int16_t *const *records, const float *factors, ptrdiff_t m, ptrdiff_t k, int n, float *scores)
{
    VEC sums[4];
    UNROLL for (int v = 0; v < n; v++) sums[v] = LOAD(scores + k + v * W);
    for (ptrdiff_t j = 0; j < m; j++) {
        const VEC factor = SET1(factors[j]);
        UNROLL for (int v = 0; v < n; v++) sums[v] = FNMA(factor, NAME(shorts)(records[j] + k + v * W), sums[v]);
    }
    UNROLL for (int v = 0; v < n; v++) STORE(scores + k + v * W, sums[v]);
}

/* The same of all scores. */
static void NAME(subtract)(
    const int16_t *const *records, /* (m,): each of stride numbers */
    const float *factors,          /* (m,) */
    ptrdiff_t m,
    ptrdiff_t stride,
    float *scores)                 /* (stride,) */
{
    ptrdiff_t k = 0;
    for (; k + 4 * W <= stride; k += 4 * W) NAME(subtract_some)(records, factors, m, k, 4, scores);
    if (k + 2 * W <= stride) NAME(subtract_some)(records, factors, m, k, 2, scores), k += 2 * W;
    if (k < stride) NAME(subtract_some)(records, factors, m, k, 1, scores);
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
