/* Threads that go through the shares of one step after another together, without a lock: one of them leads.
 *
 * The board holds, each in a cache line of its own: the number of the step, with how many of its shares are taken in the
 * lower half; how many of them are done; and SUMS sums over the shares that are done. A share can be taken only of the step
 * that is open, and the leader opens the next one when all are done: a thread that comes late finds nothing to do, and
 * nobody waits for one that never comes. */
#ifndef CKMEANS_TEAM_H
#define CKMEANS_TEAM_H
#include <stddef.h>
#include <stdint.h>

#include "processor.h"

#define LINE 8 /* integers in a cache line */
#define SUMS 3 /* sums over the shares of a step */
#define BOARD ((2 + SUMS) * LINE)
#define OVER ((int64_t)1 << 62)
#define PATIENCE 20000 /* looks at the board before a helper leaves: one to a few milliseconds of a processor */

#if defined(_MSC_VER) && !defined(__clang__)
__declspec(dllimport) int __stdcall SwitchToThread(void);
static INLINE int64_t add_to(int64_t *at, int64_t value) { return _InterlockedExchangeAdd64(at, value); }
static INLINE int64_t look(int64_t *at) { return _InterlockedOr64(at, 0); }
static INLINE void put_up(int64_t *at, int64_t value) { _InterlockedExchange64(at, value); }
#else
#include <sched.h>
static INLINE int64_t add_to(int64_t *at, int64_t value) { return __atomic_fetch_add(at, value, __ATOMIC_ACQ_REL); }
static INLINE int64_t look(int64_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
static INLINE void put_up(int64_t *at, int64_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }
#endif

/* Wait a moment; now and then let others have the processor. */
static INLINE void rest(int64_t n_looks)
{
    if (n_looks % 64 == 63)
#if defined(_MSC_VER) && !defined(__clang__)
        SwitchToThread();
    else
        YieldProcessor();
#else
        sched_yield();
#if defined(__x86_64__)
    else
        __builtin_ia32_pause();
#endif
#endif
}

/* For the leader: open the next step. Its input must be there, and all shares of the last step done. */
static INLINE void open_step(int64_t *board)
{
    put_up(board, ((look(board) >> 32) + 1) << 32);
}

/* For helpers: wait for a step after the one seen last; 0 when it is time to leave. */
static INLINE int wait_for_step(int64_t *board, int64_t *seen)
{
    for (int64_t n = 0; n < PATIENCE; n++) {
        int64_t now = look(board);
        if (now >= OVER) return 0;
        if (now >> 32 != *seen) {
            *seen = now >> 32;
            return 1;
        }
        rest(n);
    }
    return 0;
}

/* The number of a share of the open step that nobody else has; -1 if there is none. */
static INLINE int64_t take_share(int64_t *board, int64_t n_shares)
{
    int64_t now = add_to(board, 1);
    return now >= OVER || (now & 0xffffffff) >= n_shares ? -1 : now & 0xffffffff;
}

static INLINE void give_back(int64_t *board, const int64_t *sums)
{
    for (int j = 0; j < SUMS; j++) add_to(board + (2 + j) * LINE, sums[j]);
    add_to(board + LINE, 1);
}

/* For the leader: wait until all shares are done, and take the sums. */
static INLINE void end_step(int64_t *board, int64_t n_shares, int64_t *sums)
{
    for (int64_t n = 0; look(board + LINE) < n_shares; n++) rest(n);
    for (int j = 0; j < SUMS; j++) sums[j] = look(board + (2 + j) * LINE);
    for (int j = 1; j < 2 + SUMS; j++) put_up(board + j * LINE, 0);
}

static INLINE void disband(int64_t *board)
{
    put_up(board, OVER);
}
#endif
