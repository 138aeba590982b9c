// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * ASSERT: our own invariants, on in production, independent of NDEBUG.
 * Never on bytes from network, disk, configuration or environment: those are RC_PARSE or
 * RC_CORRUPT. Failing writes one line to stderr, lets the hook leave its last words, and aborts;
 * the supervisor restarts, the boot path recovers.
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

_Noreturn void assert_failed(const char *condition, const char *file, int line);

/// Called once, with "FILE:LINE CONDITION", before the end; an assertion that fails in it ends the
/// process at once. NULL: none.
void assert_set_hook(void (*hook)(const char *text));

#define ASSERT(cond) ((cond) ? (void)0 : assert_failed(#cond, __FILE__, __LINE__))

#endif
