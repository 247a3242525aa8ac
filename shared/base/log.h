#ifndef SHARED_BASE_LOG_H
#define SHARED_BASE_LOG_H

/*
 * One line per event on stderr: "2026-11-21T10:00:00Z info dispatch job=12 state=leased".
 * Subject ids first, key=value. Control characters in values are escaped, so text from
 * peers cannot reach a terminal raw. Metrics are not log lines; the engine does not log.
 */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below the level that RELUSWEEP_LOG names (debug, info, warn, error; info where it
 * is not set) are dropped. */
void log_line(enum log_level level, const char *module, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(module, ...) log_line(LOG_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...)  log_line(LOG_INFO, module, __VA_ARGS__)
#define log_warn(module, ...)  log_line(LOG_WARN, module, __VA_ARGS__)
#define log_error(module, ...) log_line(LOG_ERROR, module, __VA_ARGS__)

#endif
