// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What every backend of the token store checks alike.
 */
#ifndef TOKENSTORE_NAME_H
#define TOKENSTORE_NAME_H
#include "hal/tokenstore.h"

/// 1..TOKENSTORE_NAME_BYTES_MAX of [a-z0-9-], first a letter: never a path, never hidden.
static inline bool tokenstore_name_ok(struct span name)
{
    if (name.len == 0 || name.len > TOKENSTORE_NAME_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = c >= 'a' && c <= 'z';
        bool other = (c >= '0' && c <= '9') || c == '-';
        if (!letter && (i == 0 || !other)) {
            return false;
        }
    }
    return true;
}

static inline bool tokenstore_value_ok(struct span value)
{
    return value.len > 0 && value.len <= TOKENSTORE_VALUE_BYTES_MAX;
}

#endif
