"""Sums of w, w x and w |x|^2 over the rows of each cell, exactly: in digits of 32 bits, each in a number of 64, where carries wait.

The digits of a cell are those of its weight, of the sums of w x, feature by feature, and of the sum of w |x|^2, the lowest first. The
lowest of x stands for 2**base, that of w for 2**weight_base, both multiples of 32, and that of products for their product.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef uint64_t LOW = 0xFFFFFFFF
cdef uint64_t FRACTION = (<uint64_t> 1 << 52) - 1


cdef struct number:
    bint negative
    uint32_t digits[2]
    int exponent                      # of the lowest bit of the digits


cdef inline number taken_apart(double value, int base) noexcept nogil:
    """A float in units of 2**exponent, which is at least `base`: lower bits are zero."""
    cdef number found
    cdef uint64_t bits, whole
    memcpy(&bits, &value, 8)
    cdef int exponent = <int> (bits >> 52 & 0x7FF)
    whole = bits & FRACTION
    if exponent:
        whole |= FRACTION + 1
    else:
        exponent = 1
    exponent -= 1075
    if exponent < base:
        whole = whole >> (base - exponent) if base - exponent < 64 else 0
        exponent = base
    found.negative = bits >> 63
    found.digits[0], found.digits[1] = <uint32_t> (whole & LOW), <uint32_t> (whole >> 32)
    found.exponent = exponent
    return found


cdef inline void multiply(const uint32_t* a, int n_a, const uint32_t* b, int n_b, uint32_t* out) noexcept nogil:
    """The n_a + n_b digits of a product."""
    cdef uint64_t carry
    cdef int i, j
    for i in range(n_a + n_b):
        out[i] = 0
    for i in range(n_a):
        carry = 0
        for j in range(n_b):
            carry += out[i + j] + <uint64_t> a[i] * b[j]
            out[i + j] = <uint32_t> (carry & LOW)
            carry >>= 32
        out[i + n_b] = <uint32_t> carry


cdef inline void put(int64_t* total, const uint32_t* digits, int n, Py_ssize_t place, bint negative) noexcept nogil:
    """Add digits from the bit at `place` on."""
    cdef uint64_t carry = 0
    cdef int64_t part, sign = -<int64_t> negative
    cdef int shift = place & 31, i
    total += place >> 5
    while n and not digits[n - 1]:
        n -= 1
    for i in range(n):
        carry |= <uint64_t> digits[i] << shift
        part = <int64_t> (carry & LOW)
        total[i] += (part ^ sign) - sign
        carry >>= 32
    if carry:
        total[n] += (<int64_t> carry ^ sign) - sign


def extent(
    const double[:, ::1] values,      # IN  finite
    int[::1] found,                   # OUT (2,): all are multiples of 2**found[0] and less than 2**found[1]; (0, 0) if all are zero
):
    """How far floats reach down and up."""
    cdef Py_ssize_t i, f
    cdef int lowest = 4000, highest = -4000, exponent
    cdef uint64_t bits, whole
    cdef double value, bit
    with nogil:
        for i in range(values.shape[0]):
            for f in range(values.shape[1]):
                value = values[i, f]
                if value == 0:
                    continue
                memcpy(&bits, &value, 8)
                exponent, whole = <int> (bits >> 52 & 0x7FF), bits & FRACTION
                if exponent:
                    whole |= FRACTION + 1
                else:
                    exponent = 1
                highest = max(highest, exponent - 1022)
                bit = <double> <int64_t> (whole & (~whole + 1))
                memcpy(&bits, &bit, 8)
                lowest = min(lowest, <int> (bits >> 52) - 1023 + exponent - 1075)
        if highest < lowest:
            lowest = highest = 0
        found[0], found[1] = lowest, highest


def add(
    const double[:, ::1] X,           # IN  (n_samples, n_features): finite
    const double[::1] sample_weight,  # IN  (n_samples,), positive; or (0,) for ones
    const Py_ssize_t[::1] labels,     # IN  (n_samples,)
    int64_t[:, ::1] totals,           # INOUT (n_cells, n_digits)
    double[:, ::1] lower,             # INOUT (n_cells, n_features): the boxes
    double[:, ::1] upper,             # INOUT
    int base,                         # IN  see above
    int weight_base,                  # IN
    Py_ssize_t n_weight_digits,       # IN  of the weight of a cell
    Py_ssize_t n_sum_digits,          # IN  of a sum of w x
):
    """Add rows to the cells of these labels; the driver sees to it that there are digits enough, and that no digit overflows."""
    cdef Py_ssize_t i, f, k, d = X.shape[1]
    cdef bint weighted = sample_weight.shape[0] > 0
    cdef number x, w
    cdef uint32_t square[4]
    cdef uint32_t product[6]
    cdef int64_t* own
    with nogil:
        w.digits[0], w.digits[1], w.exponent = 1, 0, 0
        for i in range(X.shape[0]):
            k = labels[i]
            if weighted:
                w = taken_apart(sample_weight[i], weight_base)
            own = &totals[k, 0]
            put(own, w.digits, 2, w.exponent - weight_base, False)
            own += n_weight_digits
            for f in range(d):
                lower[k, f] = min(lower[k, f], X[i, f])
                upper[k, f] = max(upper[k, f], X[i, f])
                x = taken_apart(X[i, f], base)
                x.exponent -= base
                multiply(x.digits, 2, x.digits, 2, square)
                if weighted:
                    multiply(x.digits, 2, w.digits, 2, product)
                    put(own, product, 4, x.exponent + w.exponent - weight_base, x.negative)
                    multiply(square, 4, w.digits, 2, product)
                    put(&totals[k, 0] + n_weight_digits + d * n_sum_digits, product, 6,
                        2 * x.exponent + w.exponent - weight_base, False)
                else:
                    put(own, x.digits, 2, x.exponent - weight_base, x.negative)
                    put(&totals[k, 0] + n_weight_digits + d * n_sum_digits, square, 4,
                        2 * x.exponent - weight_base, False)
                own += n_sum_digits
