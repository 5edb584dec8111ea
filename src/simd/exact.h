/* Sums of products of doubles, exactly, for any finite doubles: an integer as wide as the products are apart (Kulisch 1971).
 *
 * Products are multiples of 2^-2148 below 2^2048. Each limb has 32 bits of the sum, and room to gather what they carry.
 */
#ifndef CKMEANS_EXACT_H
#define CKMEANS_EXACT_H
#include <stdint.h>
#include <string.h>

enum { EXACT_LIMBS = 138 };

typedef struct {
    int least, most; /* exponents, as read by exact_split, of the numbers to come */
    int64_t limbs[EXACT_LIMBS];
} exact_sum;

/* The exponent e of a double, m * 2^(e - 1074) in magnitude for an integer m < 2^53. */
static inline int exact_split(double value, uint64_t *m)
{
    uint64_t bits;
    int exponent;
    memcpy(&bits, &value, 8);
    exponent = (int)(bits >> 52 & 0x7FF);
    *m = (bits & 0xFFFFFFFFFFFFFu) | (uint64_t)(exponent > 0) << 52;
    return exponent > 0 ? exponent - 1 : 0;
}

static inline void exact_expect(exact_sum *sum, double value)
{
    uint64_t m;
    int exponent = exact_split(value, &m);
    if (value == 0) return;
    if (exponent < sum->least) sum->least = exponent;
    if (exponent > sum->most) sum->most = exponent;
}

static inline int exact_size(const exact_sum *sum) { return (2 * (sum->most - sum->least) + 106 + 64) / 32 + 2; }

/* Add sign * value * 2^at in units of the sum, for a value below 2^55. */
static inline void exact_add(exact_sum *sum, uint64_t value, int at, int64_t sign)
{
    uint64_t low = (value & 0xFFFFFFFFu) << (at & 31), high = (value >> 32) << (at & 31);
    int64_t *limb = sum->limbs + (at >> 5);
    limb[0] += sign * (int64_t)(low & 0xFFFFFFFFu);
    limb[1] += sign * (int64_t)((low >> 32) + (high & 0xFFFFFFFFu));
    limb[2] += sign * (int64_t)(high >> 32);
}

/* Add sign * 2^doublings * a * b, of numbers that were expected. */
static inline void exact_add_product(exact_sum *sum, double a, double b, int doublings, int64_t sign)
{
    uint64_t m, n;
    int at = exact_split(a, &m) + exact_split(b, &n) - 2 * sum->least + doublings;
    if (a == 0 || b == 0) return;
    if ((a < 0) != (b < 0)) sign = -sign;
    exact_add(sum, (m & 0x7FFFFFF) * (n & 0x7FFFFFF), at, sign);
    exact_add(sum, (m >> 27) * (n & 0x7FFFFFF) + (m & 0x7FFFFFF) * (n >> 27), at + 27, sign);
    exact_add(sum, (m >> 27) * (n >> 27), at + 54, sign);
}

/* Start a sum of numbers that were all expected. */
static inline void exact_clear(exact_sum *sum) { memset(sum->limbs, 0, exact_size(sum) * sizeof(int64_t)); }

/* Whether the sum is below zero; it is of no further use then. */
static inline int exact_is_negative(exact_sum *sum)
{
    int top = exact_size(sum) - 1;
    for (int i = 0; i < top; i++) sum->limbs[i + 1] += sum->limbs[i] >> 32;
    return sum->limbs[top] < 0;
}
#endif
