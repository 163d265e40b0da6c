/* log.h - the program's own log, on stderr, one line a message, text or JSON. Control bytes in
 * arguments are escaped, so that a request cannot forge a line. */
#ifndef PUDDLE_LOG_H
#define PUDDLE_LOG_H
#include "str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };
/* Messages below min_level are dropped. Default: text, info. */
void log_setup(enum log_format format, enum log_level min_level);
bool log_enabled(enum log_level level);
/* part: the subsystem, e.g. "lambda". */
void log_msg(enum log_level level, const char *part, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#endif
