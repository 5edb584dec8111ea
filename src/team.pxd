"""Threads that go through the shares of one step after another together, by team.h."""

from libc.stdint cimport int64_t

cdef extern from "team.h" nogil:
    const int BOARD
    enum: SUMS
    void open_step(int64_t* board)
    bint wait_for_step(int64_t* board, int64_t* seen)
    int64_t take_share(int64_t* board, int64_t n_shares)
    void give_back(int64_t* board, const int64_t* sums)
    void end_step(int64_t* board, int64_t n_shares, int64_t* sums)
    void disband(int64_t* board)
