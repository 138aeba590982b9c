// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Private to config/: what a text must look like. Pure.
 */
#ifndef CONFIG_CONFIG_VALUES_H
#define CONFIG_CONFIG_VALUES_H
#include "config_keys.h"

/// Checks a decoded text against its key's kind. NUL bytes and control characters are refused in
/// all kinds (PEM: line ends are fine).
bool config_text_ok(const struct config_key *key, struct span text);
bool config_listen_ok(struct span text); ///< a numeric address, port 0 included
bool config_host_ok(struct span text);   ///< letters, digits, '-', '.', '_'

#endif
