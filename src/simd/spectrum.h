/* The inner loops of spectrum.pyx, written so that compilers use vector instructions without changing the order of sums. */
#ifndef CKMEANS_SPECTRUM_H
#define CKMEANS_SPECTRUM_H
#include <stddef.h>

#define LANES 8 /* sums that go on side by side */

static double lanes_sum(const double *sums)
{
    return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

static double dot(const double *a, const double *b, ptrdiff_t n)
{
    double sums[LANES] = {0};
    ptrdiff_t c = 0;
    for (; c + LANES <= n; c += LANES)
        for (int t = 0; t < LANES; t++)
            sums[t] += a[c + t] * b[c + t];
    for (int t = 0; c < n; c++, t++)
        sums[t] += a[c] * b[c];
    return lanes_sum(sums);
}

/* a -= factor * b */
static void subtract(double *restrict a, const double *restrict b, double factor, ptrdiff_t n)
{
    for (ptrdiff_t c = 0; c < n; c++)
        a[c] -= factor * b[c];
}

/* a -= v_r * w + w_r * v; then p += x_r * a; returns a . x */
static double update(double *restrict a, const double *v, const double *w, const double *x, double *restrict p,
                     double v_r, double w_r, double x_r, ptrdiff_t n)
{
    double sums[LANES] = {0};
    ptrdiff_t c = 0;
    for (; c + LANES <= n; c += LANES) {
        for (int t = 0; t < LANES; t++)
            a[c + t] -= v_r * w[c + t] + w_r * v[c + t];
        for (int t = 0; t < LANES; t++)
            p[c + t] += x_r * a[c + t];
        for (int t = 0; t < LANES; t++)
            sums[t] += a[c + t] * x[c + t];
    }
    for (int t = 0; c < n; c++, t++) {
        a[c] -= v_r * w[c] + w_r * v[c];
        p[c] += x_r * a[c];
        sums[t] += a[c] * x[c];
    }
    return lanes_sum(sums);
}
#endif
