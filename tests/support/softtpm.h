// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The other side of the TPM in software that a test runs with (tests/support/softtpm.py).
 */
#ifndef TESTS_SOFTTPM_H
#define TESTS_SOFTTPM_H
#include <stdbool.h>
#include <stddef.h>

/// One line of its control language; the answer's line, NUL-terminated. Fails the test otherwise.
void softtpm_ask(const char *line, char *answer, size_t capacity);
/// The same where the answer is "ok".
void softtpm_tell(const char *line);
/// Did these bytes cross the bus?
bool softtpm_heard(const void *bytes, size_t len);

#endif
