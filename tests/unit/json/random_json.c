// SPDX-License-Identifier: Apache-2.0
#include "random_json.h"

#include "base/assert.h"

#include "seeded.h"

#define DEPTH_MAX 12u

struct level {
    bool object;
    unsigned left; ///< members or elements still to come
    bool first;
};

static void put_one_of(struct buf *b, uint64_t *seed, const char *const *list, unsigned count)
{
    buf_put_str(b, list[seeded_below(seed, count)]);
}

static void put_space(struct buf *b, uint64_t *seed)
{
    for (unsigned n = seeded_below(seed, 8); n > 5; n--) {
        buf_put_char(b, " \t\r\n"[seeded_below(seed, 4)]);
    }
}

static void put_string(struct buf *b, uint64_t *seed)
{
    static const char *const parts[] = {
        "a",
        "value",
        "plain text that is longer than eight bytes",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        " ",
        "\\\"",
        "\\\\",
        "\\/",
        "\\b\\f\\n\\r\\t",
        "\\u0000",
        "\\u00e9",
        "\\uD834\\uDd1e",
        "\xC3\xA9",
        "\xE2\x82\xAC",
        "\xF0\x9D\x84\x9E",
        "\x7F",
    };
    buf_put_char(b, '"');
    for (unsigned n = seeded_below(seed, 6); n > 0; n--) {
        put_one_of(b, seed, parts, sizeof(parts) / sizeof(parts[0]));
    }
    buf_put_char(b, '"');
}

static void put_key(struct buf *b, uint64_t *seed)
{
    static const char *const keys[] = {
        "\"value\"", "\"a\"", "\"v\\u0061lue\"", "\"\\u0061\"", "\"id\""};
    if (seeded_below(seed, 4) == 0) {
        put_string(b, seed);
    } else {
        put_one_of(b, seed, keys, sizeof(keys) / sizeof(keys[0]));
    }
    put_space(b, seed);
    buf_put_char(b, ':');
}

static void put_scalar(struct buf *b, uint64_t *seed)
{
    static const char *const scalars[] = {
        "true",
        "false",
        "null",
        "0",
        "-0",
        "-1",
        "17",
        "9007199254740993",
        "-0.5",
        "1e5",
        "12.25E-3",
        "0e+0",
        "123456789012345678901234567890",
    };
    if (seeded_below(seed, 2) == 0) {
        put_string(b, seed);
    } else {
        put_one_of(b, seed, scalars, sizeof(scalars) / sizeof(scalars[0]));
    }
}

static void open(struct buf *b, uint64_t *seed, struct level *level)
{
    buf_put_char(b, level->object ? '{' : '[');
    put_space(b, seed);
    level->left = seeded_below(seed, 5);
    level->first = true;
}

void random_json(struct buf *b, uint64_t *seed, unsigned size)
{
    struct level levels[DEPTH_MAX] = {{.object = true}};
    unsigned depth = 1;
    put_space(b, seed);
    open(b, seed, &levels[0]);
    levels[0].left = 2u + seeded_below(seed, 4);
    while (depth > 0) { // each turn writes a value or closes a level
        struct level *level = &levels[depth - 1u];
        if (level->left == 0 || size == 0) {
            buf_put_char(b, level->object ? '}' : ']');
            put_space(b, seed);
            depth--;
            continue;
        }
        level->left--;
        size--;
        if (!level->first) {
            buf_put_char(b, ',');
            put_space(b, seed);
        }
        level->first = false;
        if (level->object) {
            put_key(b, seed);
            put_space(b, seed);
        }
        if (depth < DEPTH_MAX && seeded_below(seed, 2) == 0) {
            levels[depth].object = seeded_below(seed, depth == 1 ? 8 : 3) == 0;
            open(b, seed, &levels[depth]);
            depth++;
        } else {
            put_scalar(b, seed);
            put_space(b, seed);
        }
    }
    ASSERT(buf_ok(b));
}

void random_bytes(struct buf *b, uint64_t *seed, unsigned len_max)
{
    static const char *const odd[] = {
        "\xC3\xA9",
        "\xE2\x82\xAC",
        "\xF0\x9D\x84\x9E",
        "\xF4\x8F\xBF\xBF",
        "\xED\x9F\xBF",
        "\"",
        "\\",
        "\n",
        "\x01",
        "\x7F",
        "\xC3",
        "\xE2\x82",
        "\xF0\x9D\x84",
        "\xFF",
        "\xED\xA0\x80",
        "\xC0\x80",
    };
    for (unsigned n = seeded_below(seed, len_max + 1u); n > 0; n--) {
        if (seeded_below(seed, 3) == 0) {
            put_one_of(b, seed, odd, sizeof(odd) / sizeof(odd[0]));
        } else {
            buf_put_char(b, (char)(uint8_t)seeded_next(seed));
        }
    }
}
