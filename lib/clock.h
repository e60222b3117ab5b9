/* clock.h - time, injectable for tests.  Monotonic for intervals, wall for what people read. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock_ns(void); /* CLOCK_MONOTONIC: the same in all processes of one machine */
uint64_t clock_ms(void);
int64_t clock_wall_s(void); /* seconds since 1970, UTC */
int64_t clock_wall_ms(void);
void clock_rfc3339(char out[32], int64_t wall_ms); /* 2026-01-02T03:04:05.678Z */

/* Tests only: a fixed offset that is added to both clocks in this process. */
void clock_skip_ms(int64_t ms);

#endif
