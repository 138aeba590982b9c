// SPDX-License-Identifier: Apache-2.0
#include "graph/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "seeded.h"

#define GUID_TEXT "3cf3bbc8-b21d-4f2e-bfd0-b13603ae6c65"

// A store of one row, instead of the spool's.
static struct {
    enum spool_table table;
    char key[SPOOL_KEY_BYTES_MAX];
    size_t key_bytes;
    char value[SPOOL_ROW_BYTES_MAX];
    size_t value_bytes;
    enum rc rc;
} stored;

RC spool_put(struct spool *s, enum spool_table table, struct span key, struct span value)
{
    (void)s;
    assert_true(key.len >= 1 && key.len <= SPOOL_KEY_BYTES_MAX);
    assert_true(value.len <= SPOOL_ROW_BYTES_MAX);
    stored.table = table;
    memcpy(stored.key, key.ptr, key.len);
    stored.key_bytes = key.len;
    memcpy(stored.value, value.ptr, value.len);
    stored.value_bytes = value.len;
    return stored.rc;
}

RC spool_get(struct spool *s, enum spool_table table, struct span key, struct buf *out)
{
    (void)s;
    assert_int_equal(table, stored.table);
    assert_true(span_equal(key, (struct span){.ptr = stored.key, .len = stored.key_bytes}));
    if (stored.rc == RC_OK) {
        buf_put(out, (struct span){.ptr = stored.value, .len = stored.value_bytes});
        return buf_ok(out) ? RC_OK : RC_TOOBIG;
    }
    return stored.rc;
}

static struct record_id id_of(const char *text)
{
    struct record_id id;
    assert_int_equal(record_id_set(&id, span_from_str(text)), RC_OK);
    return id;
}

static void random_id(uint64_t *seed, struct record_id *id)
{
    static const char chars[] = "0123456789abcdefABCDEFxyzXYZ-_.~";
    char text[RECORD_ID_BYTES_MAX];
    struct buf b = BUF(text);
    uint8_t random[GUID_BYTES];
    for (size_t i = 0; i < sizeof(random); i++) {
        random[i] = (uint8_t)seeded_next(seed);
    }
    if (seeded_below(seed, 2) == 0) {
        buf_put_guid(&b, random);
    } else {
        buf_put_char(&b, 'x');
        for (unsigned n = seeded_below(seed, RECORD_ID_BYTES_MAX); n > 0; n--) {
            buf_put_char(&b, chars[seeded_below(seed, sizeof(chars) - 1u)]);
        }
    }
    assert_int_equal(record_id_set(id, buf_span(&b)), RC_OK);
}

static void an_id_is_what_a_url_path_can_carry(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "a/b",
        "a b",
        "a?b",
        "a#b",
        "a%20b",
        "a:b",
        "a'b",
        "a\\b",
        "\xC3\xA9",
        "a\n",
    };
    struct record_id id;
    char text[RECORD_ID_BYTES_MAX + 1u];
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(record_id_set(&id, span_from_str(bad[i])), RC_PARSE);
    }
    assert_int_equal(record_id_set(&id, SPAN("a\0b")), RC_PARSE);
    assert_int_equal(record_id_set(&id, SPAN("a.-_~Z9")), RC_OK);
    assert_int_equal(record_id_set(&id, SPAN("...")), RC_OK);
    struct span longest = {.ptr = text, .len = RECORD_ID_BYTES_MAX};
    assert_int_equal(record_id_set(&id, longest), RC_OK);
    assert_true(span_equal(record_id_span(&id), longest));
    longest.len++;
    assert_int_equal(record_id_set(&id, longest), RC_TOOBIG);
}

static void seen_keys_are_in_the_order_of_time(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (unsigned n = 0; n < 500; n++) {
        int64_t times[2];
        struct rows_key keys[2];
        for (unsigned i = 0; i < 2; i++) {
            struct record_id id;
            random_id(&seed, &id);
            times[i] = (int64_t)(seeded_next(&seed) >> (1 + seeded_below(&seed, 40)));
            keys[i] = seen_key(times[i], record_id_span(&id));
            assert_int_equal(keys[i].len, SEEN_KEY_BYTES);
            assert_true(seen_key_start_ms(rows_key_span(&keys[i])) == times[i]);
        }
        if (times[0] != times[1]) {
            assert_true((memcmp(keys[0].bytes, keys[1].bytes, SEEN_KEY_BYTES) < 0) ==
                        (times[0] < times[1]));
        }
    }
}

static void different_ids_have_different_keys(void **state)
{
    (void)state;
    struct rows_key guid = seen_key(5, SPAN(GUID_TEXT));
    struct rows_key other = seen_key(5, SPAN("3cf3bbc8-b21d-4f2e-bfd0-b13603ae6c66"));
    struct rows_key odd = seen_key(5, SPAN("odd"));
    struct rows_key odder = seen_key(5, SPAN("odder"));
    assert_false(span_equal(rows_key_span(&guid), rows_key_span(&other)));
    assert_false(span_equal(rows_key_span(&odd), rows_key_span(&odder)));
    struct rows_key upper = seen_key(5, SPAN("3CF3BBC8-B21D-4F2E-BFD0-B13603AE6C65"));
    assert_true(span_equal(rows_key_span(&guid), rows_key_span(&upper))); // the same GUID
}

static void work_keys_come_back_and_are_in_their_order(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (unsigned n = 0; n < 500; n++) {
        struct rows_key seen = seen_key((int64_t)(seeded_next(&seed) >> 20), SPAN(GUID_TEXT));
        enum work_class wanted = seeded_below(&seed, 2) == 0 ? WORK_READY : WORK_WAITING;
        uint64_t order = seeded_next(&seed);
        struct rows_key key = work_key(wanted, order, rows_key_span(&seen));
        struct rows_key seen_back = {.len = 0};
        enum work_class class_back = WORK_ILLEGAL;
        uint64_t order_back = 0;
        assert_int_equal(key.len, WORK_KEY_BYTES);
        assert_int_equal(work_key_read(rows_key_span(&key), &class_back, &order_back, &seen_back),
                         RC_OK);
        assert_int_equal(class_back, wanted);
        assert_true(order_back == order);
        assert_true(span_equal(rows_key_span(&seen_back), rows_key_span(&seen)));
    }
    assert_true(work_order_ready(2000) < work_order_ready(1000)); // newest first
    struct rows_key seen = seen_key(0, SPAN(GUID_TEXT));
    struct rows_key low = work_key(WORK_WAITING, 255, rows_key_span(&seen));
    struct rows_key high = work_key(WORK_WAITING, 256, rows_key_span(&seen));
    assert_true(memcmp(low.bytes, high.bytes, WORK_KEY_BYTES) < 0);
}

static void a_damaged_key_is_refused(void **state)
{
    (void)state;
    struct rows_key seen = seen_key(7, SPAN(GUID_TEXT));
    struct rows_key work = work_key(WORK_READY, 9, rows_key_span(&seen));
    struct rows_key window = window_key(1795428000, 6);
    struct rows_key out;
    enum work_class c = WORK_ILLEGAL;
    uint64_t order = 0;
    int64_t start = 0;
    uint32_t hours = 0;
    for (size_t len = 0; len < SPOOL_KEY_BYTES_MAX; len++) {
        struct rows_key long_work = work;
        struct rows_key long_window = window;
        long_work.len = len;
        long_window.len = len;
        assert_int_equal(work_key_read(rows_key_span(&long_work), &c, &order, &out),
                         len == WORK_KEY_BYTES ? RC_OK : RC_CORRUPT);
        assert_int_equal(window_key_read(rows_key_span(&long_window), &start, &hours),
                         len == WINDOW_KEY_BYTES ? RC_OK : RC_CORRUPT);
    }
    work.bytes[0] = 0;
    assert_int_equal(work_key_read(rows_key_span(&work), &c, &order, &out), RC_CORRUPT);
    work.bytes[0] = 3;
    assert_int_equal(work_key_read(rows_key_span(&work), &c, &order, &out), RC_CORRUPT);
}

static void window_rows_come_back(void **state)
{
    (void)state;
    uint64_t seed = 3;
    stored.rc = RC_OK;
    for (unsigned n = 0; n < 200; n++) {
        int64_t start = (int64_t)(seeded_next(&seed) >> 8);
        uint32_t hours = (uint32_t)seeded_next(&seed);
        struct rows_key key = window_key(start, hours);
        struct window_row row = {.listed_ms = (int64_t)(seeded_next(&seed) >> 1),
                                 .records = (uint32_t)seeded_next(&seed),
                                 .pending = (uint32_t)seeded_next(&seed)};
        struct window_row back;
        int64_t start_back = 0;
        uint32_t hours_back = 0;
        assert_int_equal(window_put(NULL, rows_key_span(&key), &row), RC_OK);
        assert_int_equal(stored.table, SPOOL_WINDOW);
        struct span value = {.ptr = stored.value, .len = stored.value_bytes};
        assert_int_equal(window_decode(value, &back), RC_OK);
        assert_true(back.listed_ms == row.listed_ms && back.records == row.records &&
                    back.pending == row.pending);
        assert_int_equal(window_key_read(rows_key_span(&key), &start_back, &hours_back), RC_OK);
        assert_true(start_back == start && hours_back == hours);
    }
}

static void seen_rows_come_back(void **state)
{
    (void)state;
    uint64_t seed = 4;
    stored.rc = RC_OK;
    for (unsigned n = 0; n < 1000; n++) {
        struct seen_row row = {.version_done = seeded_next(&seed),
                               .version_wanted = seeded_next(&seed)};
        struct seen_row back;
        random_id(&seed, &row.id);
        row.state = (enum seen_state)(1u + seeded_below(&seed, SEEN_STATES - 1u));
        if (row.state == SEEN_PENDING) {
            row.work_class = seeded_below(&seed, 2) == 0 ? WORK_READY : WORK_WAITING;
            row.work_order = seeded_next(&seed);
            row.end_ms = (int64_t)(seeded_next(&seed) >> 1);
        }
        struct rows_key key =
            seen_key((int64_t)(seeded_next(&seed) >> 20), record_id_span(&row.id));
        assert_int_equal(seen_put(NULL, rows_key_span(&key), &row), RC_OK);
        assert_int_equal(seen_get(NULL, rows_key_span(&key), &back), RC_OK);
        assert_int_equal(back.state, row.state);
        assert_int_equal(back.work_class, row.work_class);
        assert_true(back.version_done == row.version_done &&
                    back.version_wanted == row.version_wanted &&
                    back.work_order == row.work_order && back.end_ms == row.end_ms);
        assert_true(span_equal(record_id_span(&back.id), record_id_span(&row.id)));
    }
}

static void a_guid_is_not_stored_twice(void **state)
{
    (void)state;
    struct seen_row row = {.state = SEEN_DONE, .version_done = 1, .version_wanted = 1};
    struct rows_key key = seen_key(5, SPAN(GUID_TEXT));
    stored.rc = RC_OK;
    row.id = id_of(GUID_TEXT);
    assert_int_equal(seen_put(NULL, rows_key_span(&key), &row), RC_OK);
    assert_int_equal(stored.value_bytes, 19);
    row.id = id_of("3CF3BBC8-B21D-4F2E-BFD0-B13603AE6C65"); // the same one, written otherwise
    assert_int_equal(seen_put(NULL, rows_key_span(&key), &row), RC_OK);
    assert_int_equal(stored.value_bytes, 19 + GUID_TEXT_BYTES);
}

static void work_rows_come_back(void **state)
{
    (void)state;
    struct rows_key seen = seen_key(5, SPAN(GUID_TEXT));
    struct rows_key key = work_key(WORK_READY, 1, rows_key_span(&seen));
    struct work_row row = {.attempts = 0xFFFFFFFE, .strikes = 7};
    struct work_row back = {.attempts = 0};
    stored.rc = RC_OK;
    assert_int_equal(work_put(NULL, rows_key_span(&key), &row), RC_OK);
    assert_int_equal(stored.table, SPOOL_WORK);
    assert_int_equal(work_get(NULL, rows_key_span(&key), &back), RC_OK);
    assert_memory_equal(&back, &row, sizeof(row));
}

static void what_the_store_says_is_passed_on(void **state)
{
    (void)state;

    static const enum rc answers[] = {RC_NOTFOUND, RC_CORRUPT, RC_IO};
    struct rows_key seen = seen_key(5, SPAN(GUID_TEXT));
    struct rows_key work = work_key(WORK_READY, 1, rows_key_span(&seen));
    struct seen_row seen_row = {.state = SEEN_DONE, .id = id_of(GUID_TEXT)};
    struct work_row work_row = {.attempts = 1};
    struct window_row window_row = {.listed_ms = 1};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        stored.rc = RC_FULL;
        assert_int_equal(seen_put(NULL, rows_key_span(&seen), &seen_row), RC_FULL);
        stored.rc = answers[i];
        assert_int_equal(seen_get(NULL, rows_key_span(&seen), &seen_row), answers[i]);
        stored.rc = RC_FULL;
        assert_int_equal(window_put(NULL, rows_key_span(&seen), &window_row), RC_FULL);
        assert_int_equal(work_put(NULL, rows_key_span(&work), &work_row), RC_FULL);
        stored.rc = answers[i];
        assert_int_equal(work_get(NULL, rows_key_span(&work), &work_row), answers[i]);
    }
}

// Any damage is told, or the row that comes out is one that may be put back.
static void a_damaged_row_is_refused(void **state)
{
    (void)state;
    struct rows_key key = seen_key(5, SPAN("odd"));
    struct seen_row row = {.state = SEEN_PENDING,
                           .version_wanted = 3,
                           .work_class = WORK_READY,
                           .work_order = 9,
                           .id = id_of("odd")};
    char good[SPOOL_ROW_BYTES_MAX];
    stored.rc = RC_OK;
    assert_int_equal(seen_put(NULL, rows_key_span(&key), &row), RC_OK);
    size_t good_bytes = stored.value_bytes;
    memcpy(good, stored.value, good_bytes);
    size_t fixed_bytes = good_bytes - 3u; // before the id
    for (stored.value_bytes = 0; stored.value_bytes < fixed_bytes; stored.value_bytes++) {
        assert_int_equal(seen_get(NULL, rows_key_span(&key), &row), RC_CORRUPT);
    }
    stored.value_bytes = good_bytes;
    unsigned refused = 0;
    for (size_t i = 0; i < good_bytes; i++) {
        for (unsigned c = 0; c < 256; c++) {
            memcpy(stored.value, good, good_bytes);
            stored.value[i] = (char)(uint8_t)c;
            stored.value_bytes = good_bytes;
            enum rc rc = seen_get(NULL, rows_key_span(&key), &row);
            assert_true(rc == RC_OK || rc == RC_CORRUPT);
            refused += rc == RC_CORRUPT;
            if (rc == RC_OK) {
                assert_int_equal(seen_put(NULL, rows_key_span(&key), &row), RC_OK);
            }
        }
    }
    assert_true(refused >= 3u * 250u); // format, state, class; and the id's characters
}

static void a_value_of_another_length_or_format_is_refused(void **state)
{
    (void)state;
    struct rows_key seen = seen_key(5, SPAN(GUID_TEXT));
    struct rows_key key = work_key(WORK_READY, 1, rows_key_span(&seen));
    struct work_row work = {.attempts = 1};
    struct window_row window = {.listed_ms = 1};
    stored.rc = RC_OK;
    assert_int_equal(work_put(NULL, rows_key_span(&key), &work), RC_OK);
    size_t whole = stored.value_bytes;
    for (stored.value_bytes = 0; stored.value_bytes <= 40; stored.value_bytes++) {
        assert_int_equal(work_get(NULL, rows_key_span(&key), &work),
                         stored.value_bytes == whole ? RC_OK
                         : stored.value_bytes <= 32u ? RC_CORRUPT
                                                     : RC_TOOBIG);
    }
    stored.value_bytes = whole;
    stored.value[0]++;
    assert_int_equal(work_get(NULL, rows_key_span(&key), &work), RC_CORRUPT);

    assert_int_equal(window_put(NULL, rows_key_span(&key), &window), RC_OK);
    struct span value = {.ptr = stored.value, .len = 0};
    for (; value.len < 40; value.len++) {
        assert_int_equal(window_decode(value, &window),
                         value.len == stored.value_bytes ? RC_OK : RC_CORRUPT);
    }
    value.len = stored.value_bytes;
    stored.value[0]++;
    assert_int_equal(window_decode(value, &window), RC_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_what_a_url_path_can_carry),
        cmocka_unit_test(seen_keys_are_in_the_order_of_time),
        cmocka_unit_test(different_ids_have_different_keys),
        cmocka_unit_test(work_keys_come_back_and_are_in_their_order),
        cmocka_unit_test(a_damaged_key_is_refused),
        cmocka_unit_test(window_rows_come_back),
        cmocka_unit_test(seen_rows_come_back),
        cmocka_unit_test(a_guid_is_not_stored_twice),
        cmocka_unit_test(work_rows_come_back),
        cmocka_unit_test(what_the_store_says_is_passed_on),
        cmocka_unit_test(a_damaged_row_is_refused),
        cmocka_unit_test(a_value_of_another_length_or_format_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
