#include "clock.h"
#include "panic.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct {
    bool on;
    int64_t wall_ms, mono_us;
} fake;
static int64_t shift_ms;
enum { LISTENERS_MAX = 8 };
static struct {
    void (*fn)(void *arg);
    void *arg;
} listeners[LISTENERS_MAX];
static size_t listener_count;

static int64_t read_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_now_ms(void)
{
    return (fake.on ? fake.wall_ms : read_us(CLOCK_REALTIME) / 1000) + shift_ms;
}

int64_t clock_mono_us(void)
{
    return fake.on ? fake.mono_us : read_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

void clock_shift_ms(int64_t delta_ms)
{
    shift_ms += delta_ms;
    for (size_t i = 0; i < listener_count; i++)
        listeners[i].fn(listeners[i].arg);
}

void clock_on_shift(void (*fn)(void *arg), void *arg)
{
    ASSERT(listener_count < LISTENERS_MAX);
    listeners[listener_count].fn = fn;
    listeners[listener_count++].arg = arg;
}

void clock_off_shift(void (*fn)(void *arg), void *arg)
{
    for (size_t i = 0; i < listener_count; i++) {
        if (listeners[i].fn == fn && listeners[i].arg == arg) {
            listeners[i] = listeners[--listener_count];
            return;
        }
    }
}

int64_t clock_shift_total_ms(void)
{
    return shift_ms;
}

void clock_fake_set(int64_t wall_ms, int64_t mono_us)
{
    fake.on = true;
    fake.wall_ms = wall_ms;
    fake.mono_us = mono_us;
}

void clock_fake_advance_ms(int64_t ms)
{
    fake.wall_ms += ms;
    fake.mono_us += ms * 1000;
}

void clock_fake_off(void)
{
    fake.on = false;
}

size_t clock_format(int64_t wall_ms, const char *fmt, char *out, size_t out_size)
{
    int64_t seconds = wall_ms / 1000 - (wall_ms % 1000 < 0);
    time_t t = (time_t)seconds;
    struct tm tm;
    if (gmtime_r(&t, &tm) == NULL)
        return 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return strftime(out, out_size, fmt, &tm);
#pragma GCC diagnostic pop
}

void clock_format_iso(int64_t wall_ms, char out[25])
{
    char date[32] = "";
    int64_t ms = wall_ms % 1000 < 0 ? wall_ms % 1000 + 1000 : wall_ms % 1000;
    clock_format(wall_ms, "%Y-%m-%dT%H:%M:%S", date, sizeof date);
    snprintf(out, 25, "%.19s.%03dZ", date, (int)ms);
}
