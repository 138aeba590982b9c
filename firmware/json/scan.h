// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The automaton behind json_scan_push, in the form that the cutter needs: runs of bytes that can be
 * copied as they are.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H
#include "json/json.h"

enum json_scan_stop {
    JSON_SCAN_INPUT = 0, ///< all bytes are taken
    JSON_SCAN_SPACE,     ///< the next byte is insignificant white space
    JSON_SCAN_MARK,      ///< the last byte taken is structural and the depth behind it is <= watch
    JSON_SCAN_ERROR,     ///< the next byte cannot be
};

/// Take bytes until one of the above. Insignificant white space is never taken.
enum json_scan_stop
json_scan_run(struct json_scan *s, struct span in, unsigned watch, size_t *used);
/// Behind JSON_SCAN_SPACE: take the white space. @return its length
size_t json_scan_space(struct json_scan *s, struct span in);
/// Length of the plain text at the head of `in`: ASCII without quote, backslash and control
/// characters.
size_t json_scan_plain(struct span in);

#endif
