// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The keys of the configuration as a text for people, made of the table that the reader uses.
 */
#ifndef CONFIG_CONFIG_HELP_H
#define CONFIG_CONFIG_HELP_H
#include "base/span.h"

#define CONFIG_HELP_BYTES_MAX 16384u

/// Appends one line per key: path, what is allowed, default, meaning.
void config_help(struct buf *out);

#endif
