// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Why the box or the process started anew, and the last words of the one before.
 * Model:    last words are one 512-byte record of STATE (two slots); an orderly end writes "clean".
 *           The order of belief: kernel panic (pstore) > watchdog (boot status) > last words >
 *           clean > killed (same boot) > power. Panic and watchdog count only when the machine
 *           started anew: their traces stay for the whole boot, and a process may start often.
 * Backends: linux (CONFIG_RESET_PSTORE_DIR, boot id of /proc), sandbox (STATE/sandbox/boot_id, the
 *           kernel's without it, and STATE/sandbox/panic). All pass tests/contract/reset.c.
 * Format:   base/slots.h "reset": state (8 bit, enum reset_cause; RESET_ILLEGAL: running), boot id
 *           (16 bytes), uptime noted (64), moment of the newest panic seen (64), length of words
 *           (8), words.
 */
#ifndef HAL_RESET_H
#define HAL_RESET_H
#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"
#include "base/span.h"

#define RESET_WORDS_BYTES_MAX 200u
#define RESET_BOOT_ID_BYTES   16u

enum reset_cause {
    RESET_ILLEGAL = 0,
    RESET_FIRST,    ///< nothing is known of a life before
    RESET_CLEAN,    ///< ended in good order
    RESET_ASKED,    ///< ended itself for a restart, and said why
    RESET_ASSERT,   ///< an assertion failed: last words say which
    RESET_KILLED,   ///< same boot, no last words: killed, or the supervisor's doing
    RESET_WATCHDOG, ///< the hardware watchdog bit
    RESET_PANIC,    ///< the kernel
    RESET_POWER,    ///< another boot, and nothing said why
    RESET_CAUSES,
};

struct reset {
    int dir_fd;                             ///< the state directory, borrowed; -1: closed
    enum reset_cause cause;                 ///< of this start
    bool same_boot;                         ///< the machine did not restart, only the process
    uint64_t uptime_ms;                     ///< of the life before, as last noted; 0: unknown
    char words[RESET_WORDS_BYTES_MAX + 1u]; ///< its last words, printable, or ""
    uint8_t boot_id[RESET_BOOT_ID_BYTES];
    uint64_t noted_ms; ///< uptime of this life, as last noted
    uint64_t panic_ms; ///< newest trace of a panic: a later one is a new one
    bool looked;       ///< hal_reset_look found the traces already
    char missing[96];  ///< of a look that fails: what is not there, and the board's name for it
};

/**
 * Look for the traces of a panic while we may: the kernel shows them to root only. Optional;
 * without it hal_reset_open looks with what rights there are.
 * @retval RC_UNSUPPORTED  the kernel keeps none: a panic will look like a loss of power.
 * @retval RC_DENIED       we may not see them: likewise. @retval RC_IO @covtest
 */
RC hal_reset_look(struct reset *r, int state_fd);

/**
 * Find the cause of this start, and begin this life's record ("running").
 * @param r         all zero, or as hal_reset_look left it.
 * @param state_fd  borrowed until the process ends.
 * @param bitten    the watchdog's boot status (hal/watchdog.h).
 * @retval RC_CORRUPT      the record of the life before does not check, and was begun anew: cause
 * is what the hardware says, else RESET_FIRST.
 * @retval RC_FULL, RC_IO  the record cannot be read or written: cause is known as far as it can be.
 *                         @covtest
 */
RC hal_reset_open(struct reset *r, int state_fd, bool bitten);
/// Note how long we live (every few minutes at most: a flash write). @retval RC_FULL @retval RC_IO
/// @covtest
RC hal_reset_note(struct reset *r, uint64_t uptime_ms);
/// Last words, cut at RESET_WORDS_BYTES_MAX; allocates nothing, takes no lock, works in a failing
/// assertion; slow. cause is RESET_CLEAN, RESET_ASKED or RESET_ASSERT. @retval RC_FULL
/// @retval RC_IO @covtest
RC hal_reset_words(struct reset *r, enum reset_cause cause, struct span words);
const char *hal_reset_cause_name(enum reset_cause c); ///< "power", "watchdog", ...

#endif
