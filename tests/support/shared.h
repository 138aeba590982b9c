// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Reference samples that are no part of the project: found through ANTEROOM_SHARED, and a test that
 * needs them skips visibly where they are not.
 */
#ifndef TESTS_SUPPORT_SHARED_H
#define TESTS_SUPPORT_SHARED_H
#include "base/span.h"

typedef void shared_file(void *context, const char *name, struct span text);

/**
 * Calls `each` with every file of a directory whose name begins with `prefix` and ends with
 * `.json`.
 * @param directory  below ANTEROOM_SHARED, e.g. "samples/graph".
 * @return files seen; 0 if the directory is not there (that is said on standard output).
 */
unsigned shared_each(const char *directory, const char *prefix, shared_file *each, void *context);

#endif
