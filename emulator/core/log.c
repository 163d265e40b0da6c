#include "log.h"
#include "clock.h"
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum log_format format = LOG_TEXT;
static enum log_level min_level = LOG_INFO;

void log_setup(enum log_format new_format, enum log_level new_min_level)
{
    format = new_format;
    min_level = new_min_level;
}

bool log_enabled(enum log_level level)
{
    return level >= min_level;
}

/* Bytes of broken UTF-8 are escaped too: a line of JSON stays JSON whatever a request held. A tab
 * in text forges nothing, and REPORT lines have them. */
static void add_escaped(struct buf *b, struct str s, bool json)
{
    bool broken = !str_is_utf8(s);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\t' && !json)
            buf_addc(b, '\t');
        else if (c < 0x20 || c == 0x7F || (broken && c >= 0x80))
            buf_addf(b, json ? "\\u%04x" : "\\x%02x", c);
        else if (json && (c == '"' || c == '\\'))
            buf_addf(b, "\\%c", c);
        else
            buf_addc(b, (char)c);
    }
}

void log_msg(enum log_level level, const char *part, const char *fmt, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char text[4096], when[25];
    struct buf line;
    va_list args;
    if (!log_enabled(level))
        return;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct str s = {text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1};
    clock_format_iso(clock_now_ms(), when);
    buf_init(&line, 32 * 1024);
    if (format == LOG_JSON) {
        buf_addf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"part\":\"%s\",\"message\":\"", when,
                 names[level], part);
        add_escaped(&line, s, true);
        buf_add(&line, STR("\"}\n"));
    } else {
        buf_addf(&line, "%s %s %s: ", when, names[level], part);
        add_escaped(&line, s, false);
        buf_addc(&line, '\n');
    }
    /* one write: lines of parent and children do not mix */
    ssize_t written = write(STDERR_FILENO, line.p, line.n);
    (void)written;
    buf_release(&line);
}
