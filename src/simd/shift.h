/* Template, included by tile.h: the sums of fixed.pxd follow rows without weights that moved. The same bits as shift_rows.
 *
 * After 1.5 * 2^52 was added, the last bits of a double are the whole number, so rounding and conversion vectorize.
 */
static INLINE int64_t NAME(whole)(double shifted)
{
    int64_t bits;
    memcpy(&bits, &shifted, 8);
    return bits - 0x4338000000000000; /* the bits of 1.5 * 2^52 */
}

static INLINE void NAME(shift_few)(
    const REAL *X, ptrdiff_t n_features, const int32_t *labels, const ptrdiff_t *moved, const int32_t *old_labels,
    ptrdiff_t n_moved, const double *__restrict units, double fine, int64_t *sums)
{
    const double shift = 6755399441055744.0; /* 1.5 * 2^52 */
    for (ptrdiff_t m = 0; m < n_moved; m++) {
        const REAL *__restrict x = X + moved[m] * n_features;
        if (m + 16 < n_moved) prefetch(X + moved[m + 16] * n_features);
        int64_t *__restrict joined = sums + labels[moved[m]] * (2 * n_features + 2);
        joined[2 * n_features]++;
        if (old_labels[m] < 0) {
            for (ptrdiff_t f = 0; f < n_features; f++) {
                double value = x[f] * units[f], high = value + shift;
                double low = (value - (high - shift)) * fine + shift;
                joined[2 * f] += NAME(whole)(high);
                joined[2 * f + 1] += NAME(whole)(low);
            }
        } else {
            int64_t *__restrict quit = sums + old_labels[m] * (2 * n_features + 2);
            quit[2 * n_features]--;
            for (ptrdiff_t f = 0; f < n_features; f++) {
                double value = x[f] * units[f], high = value + shift;
                double low = (value - (high - shift)) * fine + shift;
                int64_t units_moved = NAME(whole)(high), parts_moved = NAME(whole)(low);
                joined[2 * f] += units_moved;
                joined[2 * f + 1] += parts_moved;
                quit[2 * f] -= units_moved;
                quit[2 * f + 1] -= parts_moved;
            }
        }
    }
}

static void NAME(shift)(
    const void *X, ptrdiff_t n_features, const int32_t *labels, const ptrdiff_t *moved, const int32_t *old_labels,
    ptrdiff_t n_moved, const double *units, int64_t *sums)
{
    double fine = units[n_features + 1];
    switch (n_features) { /* few features: the loop over them is unrolled */
    case 1: NAME(shift_few)(X, 1, labels, moved, old_labels, n_moved, units, fine, sums); break;
    case 2: NAME(shift_few)(X, 2, labels, moved, old_labels, n_moved, units, fine, sums); break;
    case 3: NAME(shift_few)(X, 3, labels, moved, old_labels, n_moved, units, fine, sums); break;
    case 4: NAME(shift_few)(X, 4, labels, moved, old_labels, n_moved, units, fine, sums); break;
    default: NAME(shift_few)(X, n_features, labels, moved, old_labels, n_moved, units, fine, sums);
    }
}
