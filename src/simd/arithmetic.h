/* How this thread's floating point rounds, whether it has subnormal numbers, and which of its exceptions end the process. */
#ifndef CKMEANS_ARITHMETIC_H
#define CKMEANS_ARITHMETIC_H
#include <stdint.h>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
/* To nearest, with subnormal numbers in and out, no exceptions; the flags of those that were stay (Intel SDM, volume 1, 10.2.3). */
static inline uint64_t usual_modes(uint64_t now) { return (now & 0x3F) | 0x1F80; }
static inline uint64_t get_modes(void) { return _mm_getcsr(); }
static inline void set_modes(uint64_t modes) { _mm_setcsr((unsigned)modes); }
#elif defined(__aarch64__)
/* FPCR: rounding (23, 22), flush to zero (24, 19, 0), default NaN (25), alternative halves (26), traps (15, 12 to 8), and more. */
static inline uint64_t usual_modes(uint64_t now) { (void)now; return 0; }
static inline uint64_t get_modes(void)
{
    uint64_t modes;
    __asm__ volatile("mrs %0, fpcr" : "=r"(modes));
    return modes;
}
static inline void set_modes(uint64_t modes) { __asm__ volatile("msr fpcr, %0" : : "r"(modes)); }
#elif defined(_M_ARM64)
#include <intrin.h>
static inline uint64_t usual_modes(uint64_t now) { (void)now; return 0; }
static inline uint64_t get_modes(void) { return (uint64_t)_ReadStatusReg(ARM64_FPCR); }
static inline void set_modes(uint64_t modes) { _WriteStatusReg(ARM64_FPCR, (__int64)modes); }
#else
#include <fenv.h>
static inline uint64_t usual_modes(uint64_t now) { (void)now; return FE_TONEAREST; }
static inline uint64_t get_modes(void) { return (uint64_t)fegetround(); }
static inline void set_modes(uint64_t modes) { fesetround((int)modes); }
#endif
#endif
