// SPDX-License-Identifier: Apache-2.0
#include "config/config_help.h"

#include "config_keys.h"

static const char *word_of(const struct config_key *key)
{
    for (unsigned i = 0; i < key->choices_count; i++) {
        if (key->choices[i].number == (int)key->normal) {
            return key->choices[i].word;
        }
    }
    return "";
}

static void put_default(struct buf *out, const struct config_key *key)
{
    if (key->required) {
        buf_put_str(out, "; required");
    } else if (key->kind == KEY_U32) {
        buf_put_str(out, "; default ");
        buf_put_u64(out, key->normal);
    } else if (key->kind == KEY_ENUM) {
        buf_put_str(out, "; default ");
        buf_put_str(out, word_of(key));
    } else if (key->kind == KEY_BOOL) {
        buf_put_str(out, "; default false");
    } else if (key->normal_text != NULL) {
        bool off = key->kind == KEY_LISTEN && key->normal_text[0] == '\0';
        buf_put_str(out, "; default ");
        buf_put_str(out, off ? "off" : key->normal_text);
    }
}

static void
put_key(struct buf *out, const struct config_section *section, const struct config_key *key)
{
    buf_put_str(out, section->path);
    buf_put_str(out, section->path[0] != '\0' ? "." : "");
    buf_put_str(out, key->name);
    buf_put_str(out, ": ");
    config_put_allowed(out, key);
    put_default(out, key);
    buf_put_str(out, "\n    ");
    buf_put_str(out, key->meaning);
    buf_put_char(out, '\n');
}

void config_help(struct buf *out)
{
    for (unsigned s = 0; s < SECTION_COUNT; s++) {
        for (unsigned k = 0; k < config_sections[s].keys_count; k++) {
            put_key(out, &config_sections[s], &config_sections[s].keys[k]);
        }
    }
}
