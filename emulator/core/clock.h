/* clock.h - the only source of time. Wall time can be shifted (/_puddle/clock) or replaced by a
 * fake (unit tests); monotonic time is for durations and moves with the fake only. */
#ifndef PUDDLE_CLOCK_H
#define PUDDLE_CLOCK_H
#include "str.h"

int64_t clock_now_ms(void);  /* wall clock, ms since 1970, shift included */
int64_t clock_mono_us(void); /* monotonic, us */
int64_t clock_mono_ms(void);
/* Move wall time by delta_ms (adds up). */
void clock_shift_ms(int64_t delta_ms);
int64_t clock_shift_total_ms(void);
/* fn runs after each shift: timers that stand for a wall time are set anew there. At most 8. */
void clock_on_shift(void (*fn)(void *arg), void *arg);
void clock_off_shift(void (*fn)(void *arg), void *arg);
/* From now on both clocks stand still at the given values until moved. */
void clock_fake_set(int64_t wall_ms, int64_t mono_us);
void clock_fake_advance_ms(int64_t ms);
void clock_fake_off(void);

/* "2024-01-01T00:00:00.000Z" into out[25] (NUL included). */
void clock_format_iso(int64_t wall_ms, char out[25]);
/* strftime in UTC; returns the length (0: did not fit). */
size_t clock_format(int64_t wall_ms, const char *fmt, char *out, size_t out_size);
#endif
