// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Log lines on standard error: time, level, `ev=` stable and greppable, then key=value, units in
 * the keys.
 * Rate:    each call site has a token bucket (LOG_BURST lines, then one per LOG_REFILL_MS); what
 *          was held back is said in the next line that passes, as suppressed=n.
 * Never:   tokens, bodies, names, URLs with a query; ids of records only as log_id().
 * Levels:  compile time, CONFIG_LOG_LEVEL; a disabled call still type-checks and leaves no string.
 * Output:  one write(2) a line, at most 640 bytes, printable ASCII; anything else shows as '?'.
 */
#ifndef SYS_LOG_H
#define SYS_LOG_H
#include <stdint.h>

#include "base/clock.h"
#include "base/span.h"

#define LOG_BURST     10
#define LOG_REFILL_MS 10000

struct log_site {
    int64_t refill_at_ms;
    int32_t tokens; ///< 0 on first use means a full bucket
    uint32_t suppressed;
    bool used;
};

/// The moment that lines are stamped and rated with; set once per turn by the loop's owner.
void log_set_now(struct now now);
void log_line(struct log_site *site, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define LOG_AT(level, ...)                                                                         \
    do {                                                                                           \
        if ((level) <= CONFIG_LOG_LEVEL) {                                                         \
            static struct log_site log_site_;                                                      \
            log_line(&log_site_, (level), __VA_ARGS__);                                            \
        }                                                                                          \
    } while (0)
#define LOG_ERROR(...) LOG_AT(1, __VA_ARGS__)
#define LOG_WARN(...)  LOG_AT(2, __VA_ARGS__)
#define LOG_INFO(...)  LOG_AT(3, __VA_ARGS__)
#define LOG_DEBUG(...) LOG_AT(4, __VA_ARGS__)

/// Eight hexadecimal digits that stand for an id in log lines (not reversible, equal for equal
/// ids).
struct log_id {
    char text[9];
};
struct log_id log_id(struct span id);

#endif
