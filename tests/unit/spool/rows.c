// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "store.h"

static int setup(void **state)
{
    int failed = store_setup(state);
    if (failed == 0) {
        store_open(SPOOL_FOUND_NONE);
    }
    return failed;
}

// "key=value" of the first row at or after n; "" none.
static const char *seek(enum spool_table table, unsigned n, bool after)
{
    static char text[64];
    char from[8];
    char key[8];
    struct buf key_out = BUF(key);
    char value[32];
    struct buf value_out = BUF(value);
    struct buf out = BUF(text);
    enum rc rc = spool_seek(&store,
                            table,
                            (struct spool_from){.key = store_key(from, n), .after = after},
                            &key_out,
                            &value_out);
    if (rc == RC_OK) {
        struct reader r = {.left = buf_span(&key_out)};
        buf_put_u64(&out, reader_be64(&r));
        buf_put_char(&out, '=');
        buf_put(&out, buf_span(&value_out));
    } else {
        assert_int_equal(rc, RC_NOTFOUND);
    }
    assert_true(buf_terminate(&out));
    return text;
}

static void a_row_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    store_expect(SPOOL_SEEN, 1, NULL);
    assert_string_equal(seek(SPOOL_SEEN, 0, false), "");
}

static void staged_rows_are_read_before_and_after_the_commit(void **state)
{
    (void)state;
    store_put(SPOOL_SEEN, 1, "one");
    store_put(SPOOL_WORK, 1, "other table");
    store_expect(SPOOL_SEEN, 1, "one");
    store_expect(SPOOL_WORK, 1, "other table");
    store_expect(SPOOL_WINDOW, 1, NULL);
    store_commit();
    store_expect(SPOOL_SEEN, 1, "one");
    store_reopen();
    store_expect(SPOOL_SEEN, 1, "one");
    store_expect(SPOOL_WORK, 1, "other table");
}

static void the_last_word_on_a_key_counts(void **state)
{
    (void)state;
    store_put(SPOOL_SEEN, 1, "short");
    store_put(SPOOL_SEEN, 1, "a longer value than before");
    store_expect(SPOOL_SEEN, 1, "a longer value than before");
    store_put(SPOOL_SEEN, 1, "");
    store_expect(SPOOL_SEEN, 1, "");
    store_delete(SPOOL_SEEN, 1);
    store_expect(SPOOL_SEEN, 1, NULL);
    store_put(SPOOL_SEEN, 1, "back");
    store_commit();
    store_expect(SPOOL_SEEN, 1, "back");
    store_delete(SPOOL_SEEN, 1);
    store_delete(SPOOL_SEEN, 2); // never was there
    store_expect(SPOOL_SEEN, 1, NULL);
    store_commit();
    store_expect(SPOOL_SEEN, 1, NULL);
}

static void what_is_not_committed_is_gone_after_a_crash(void **state)
{
    (void)state;
    store_put(SPOOL_SEEN, 1, "kept");
    store_commit();
    store_put(SPOOL_SEEN, 1, "lost");
    store_put(SPOOL_SEEN, 2, "lost");
    store_reopen();
    store_expect(SPOOL_SEEN, 1, "kept");
    store_expect(SPOOL_SEEN, 2, NULL);
}

static void seek_merges_staged_and_committed_in_key_order(void **state)
{
    (void)state;
    store_put(SPOOL_WORK, 10, "c10");
    store_put(SPOOL_WORK, 20, "c20");
    store_put(SPOOL_WORK, 30, "c30");
    store_put(SPOOL_WORK, 40, "c40");
    store_commit();
    store_put(SPOOL_WORK, 15, "s15");
    store_put(SPOOL_WORK, 30, "s30");
    store_put(SPOOL_WORK, 5, "s5");
    store_delete(SPOOL_WORK, 20);
    store_delete(SPOOL_WORK, 40);
    store_delete(SPOOL_WORK, 25);
    store_put(SPOOL_SEEN, 1, "other table");
    assert_string_equal(seek(SPOOL_WORK, 0, false), "5=s5");
    assert_string_equal(seek(SPOOL_WORK, 5, false), "5=s5");
    assert_string_equal(seek(SPOOL_WORK, 5, true), "10=c10");
    assert_string_equal(seek(SPOOL_WORK, 10, true), "15=s15");
    assert_string_equal(seek(SPOOL_WORK, 15, true), "30=s30");
    assert_string_equal(seek(SPOOL_WORK, 20, false), "30=s30");
    assert_string_equal(seek(SPOOL_WORK, 30, true), "");
    store_commit();
    assert_string_equal(seek(SPOOL_WORK, 0, false), "5=s5");
    assert_string_equal(seek(SPOOL_WORK, 15, true), "30=s30");
    assert_string_equal(seek(SPOOL_WORK, 30, true), "");
}

static void an_empty_from_is_before_every_key(void **state)
{
    (void)state;
    char key[8];
    char value[8];
    struct buf key_out = BUF(key);
    struct buf value_out = BUF(value);
    store_put(SPOOL_LEDGER, 0, "c");
    store_commit();
    assert_int_equal(
        spool_seek(&store, SPOOL_LEDGER, (struct spool_from){.after = false}, &key_out, &value_out),
        RC_OK);
    assert_int_equal(key_out.len, 8);
    store_delete(SPOOL_LEDGER, 0);
    buf_reset(&key_out);
    buf_reset(&value_out);
    assert_int_equal(
        spool_seek(&store, SPOOL_LEDGER, (struct spool_from){.after = true}, &key_out, &value_out),
        RC_NOTFOUND);
}

static void a_row_without_room_for_it_is_too_big(void **state)
{
    (void)state;
    char key[8];
    char got[2];
    struct buf key_out = BUF(key);
    struct buf out = BUF(got);
    store_put(SPOOL_SEEN, 1, "value");
    assert_int_equal(spool_get(&store, SPOOL_SEEN, store_key(key, 1), &out), RC_TOOBIG);
    store_commit();
    buf_reset(&out);
    assert_int_equal(spool_get(&store, SPOOL_SEEN, store_key(key, 1), &out), RC_TOOBIG);
    buf_reset(&out);
    assert_int_equal(
        spool_seek(&store, SPOOL_SEEN, (struct spool_from){.after = false}, &key_out, &out),
        RC_TOOBIG);
}

static void staging_fills_and_says_so(void **state)
{
    (void)state;
    char key[8];
    unsigned n = 0;
    assert_true(spool_staging_has(&store, 80));
    assert_false(spool_staging_has(&store, 100));
    assert_false(spool_wants_commit(&store));
    while (spool_put(&store, SPOOL_SEEN, store_key(key, n), SPAN("v")) == RC_OK) {
        n++;
    }
    assert_int_equal(n, SPOOL_OPS_MAX);
    assert_true(spool_wants_commit(&store));
    assert_false(spool_staging_has(&store, 1));
    assert_int_equal(spool_delete(&store, SPOOL_SEEN, store_key(key, n)), RC_FULL);
    store_put(SPOOL_SEEN, 7, "w"); // a key that is staged already takes no more room
    store_expect(SPOOL_SEEN, 7, "w");
    store_commit();
    assert_true(spool_staging_has(&store, 80));
    store_expect(SPOOL_SEEN, 7, "w");
    store_expect(SPOOL_SEEN, SPOOL_OPS_MAX - 1u, "v");
}

static void staging_holds_as_many_large_rows_as_it_promises(void **state)
{
    (void)state;
    static char large[SPOOL_ROW_BYTES_MAX];
    char key[SPOOL_KEY_BYTES_MAX];
    unsigned n = 0;
    memset(large, 'x', sizeof(large));
    memset(key, 'k', sizeof(key));
    struct span key_span = {.ptr = key, .len = sizeof(key)};
    struct span value = {.ptr = large, .len = sizeof(large)};
    for (; spool_staging_has(&store, 1); n++) {
        key[0] = (char)n;
        assert_int_equal(spool_put(&store, SPOOL_CURSOR, key_span, value), RC_OK);
    }
    assert_true(n >= 80u);
    key[0] = (char)n;
    assert_int_equal(spool_put(&store, SPOOL_CURSOR, key_span, value), RC_FULL);
    store_commit();
}

static void many_rows_in_any_order_are_all_there(void **state)
{
    (void)state;
    unsigned n = 1;
    for (unsigned i = 0; i < 5000u; i++) {
        n = n * 1103515245u + 12345u;
        if (!spool_staging_has(&store, 1)) {
            store_commit();
        }
        store_put(SPOOL_SEEN, n % 100000u, n % 2u == 0 ? "even" : "odd");
    }
    store_commit();
    store_reopen();
    n = 1;
    for (unsigned i = 0; i < 5000u; i++) {
        char key[8];
        char got[8];
        struct buf out = BUF(got);
        n = n * 1103515245u + 12345u;
        assert_int_equal(spool_get(&store, SPOOL_SEEN, store_key(key, n % 100000u), &out), RC_OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_row_that_is_not_there_is_not_found),
        TEST(staged_rows_are_read_before_and_after_the_commit),
        TEST(the_last_word_on_a_key_counts),
        TEST(what_is_not_committed_is_gone_after_a_crash),
        TEST(seek_merges_staged_and_committed_in_key_order),
        TEST(an_empty_from_is_before_every_key),
        TEST(a_row_without_room_for_it_is_too_big),
        TEST(staging_fills_and_says_so),
        TEST(staging_holds_as_many_large_rows_as_it_promises),
        TEST(many_rows_in_any_order_are_all_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
