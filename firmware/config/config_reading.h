// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Private to config/: one run of the reader, and how it says what is wrong.
 * Texts of the configuration are never repeated in a fault, only key names and numbers: a secret
 * that was pasted at the wrong place must not get into a log.
 */
#ifndef CONFIG_CONFIG_READING_H
#define CONFIG_CONFIG_READING_H
#include "config_keys.h"
#include "json/json.h"

#define CONFIG_ECHO_BYTES_MAX 40u ///< of a key or a number that is repeated in a fault

struct reading {
    struct config *config;
    const struct json *doc;
    struct config_faults *faults;
    char section[40]; ///< path of the section at hand: "", "http", "sinks[0]"
    char *base;       ///< struct that the section's offsets count from
};

/// "section.key: what" and, unless empty, "; allowed: ...".
void config_fault(struct reading *r, struct span key, const char *what, const char *allowed);
/// The same with what the key allows.
void config_fault_key(struct reading *r, const struct config_key *key, const char *what);
/// "section.key: unknown key; known keys: ..."
void config_fault_unknown(struct reading *r, const struct config_section *section, struct span key);
/// "section.key: <number> is out of range; allowed: low..high"
void config_fault_number(struct reading *r, const struct config_key *key, struct span number);
/// Before there is any structure: "line 3, column 7: ..."
void config_fault_text(struct config_faults *faults, struct span text, size_t at);

/// Reads one value of a known key.
void config_read_value(struct reading *r, const struct config_key *key, int node);
/// Puts the default of a key that is not given; a required one is a fault.
void config_set_default(const struct config_key *key, char *base);

#endif
