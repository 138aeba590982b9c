// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What outlives a restart: written, read back, and refused when it is anything else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tale.h"

#define SUBJECT 0x12345678u
#define ROUNDS  200000u

static uint64_t seed = 88172645463325252u;

static uint64_t chance(void)
{
    seed ^= seed << 13u;
    seed ^= seed >> 7u;
    seed ^= seed << 17u;
    return seed;
}

static struct life_kept some_life(void)
{
    struct life_kept kept = {.signed_in = chance() % 2u != 0,
                             .enabled_with_warning = chance() % 2u != 0,
                             .forbidden = (unsigned)(chance() % (1u << CONFIG_PERMISSIONS)),
                             .collecting_since_ms = (int64_t)(chance() % 253402300799999u)};
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        kept.forbidden_since_ms[p] = (int64_t)(chance() % 253402300799999u);
    }
    return kept;
}

static void expect_same(const struct life_kept *a, const struct life_kept *b)
{
    assert_int_equal(a->signed_in, b->signed_in);
    assert_int_equal(a->enabled_with_warning, b->enabled_with_warning);
    assert_int_equal(a->forbidden, b->forbidden);
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        assert_int_equal(a->forbidden_since_ms[p], b->forbidden_since_ms[p]);
    }
    assert_int_equal(a->collecting_since_ms, b->collecting_since_ms);
}

static void what_is_written_is_read_back(void **unused)
{
    (void)unused;
    char text[LIFE_KEPT_BYTES_MAX];
    for (unsigned i = 0; i < 10000; i++) {
        struct life_kept kept = some_life();
        struct life_kept back;
        struct buf b = BUF(text);
        life_write(&kept, UINT32_MAX - i, &b);
        assert_true(buf_ok(&b));
        assert_int_equal(life_read(buf_span(&b), UINT32_MAX - i, &back), RC_OK);
        expect_same(&kept, &back);
    }
}

static void another_tenant_or_application_begins_anew(void **unused)
{
    (void)unused;
    char text[LIFE_KEPT_BYTES_MAX];
    struct buf b = BUF(text);
    struct life_kept kept = {.signed_in = true};
    struct life_kept back = {.forbidden_since_ms = {7}};
    struct config other = tale_config;
    uint32_t subject = life_subject(&tale_config);

    life_write(&kept, subject, &b);
    other.tenant_id[0] = 'f';
    assert_int_equal(life_read(buf_span(&b), life_subject(&other), &back), RC_STALE);
    other = tale_config;
    other.client_id[0] = 'f';
    assert_int_equal(life_read(buf_span(&b), life_subject(&other), &back), RC_STALE);
    assert_int_equal(back.forbidden_since_ms[0], 7); // untouched
}

static void the_record_of_another_tenant_or_application_is_told_from_none(void **unused)
{
    (void)unused;
    struct config other = tale_config;
    struct life_kept kept = {.signed_in = true};

    tale_begin(__func__);
    assert_int_equal(life_load(NULL, &tale_config, &kept), RC_OK); // there is none
    kept.signed_in = true;
    assert_int_equal(life_save(NULL, &tale_config, &kept), RC_OK);
    other.client_id[0] = 'f';
    assert_int_equal(life_load(NULL, &other, &kept), RC_STALE);
    assert_false(kept.signed_in);
    assert_int_equal(life_load(NULL, &tale_config, &kept), RC_OK);
    assert_true(kept.signed_in);
}

/// Else an update of the firmware would stop what a box goes on collecting in spite of a 403, until
/// somebody enables it anew.
static void a_record_of_version_1_has_one_first_403_for_all_of_them(void **unused)
{
    (void)unused;
    static const char text[] =
        "anteroom-life 1\nsubject 305419896\nsigned-in 1\nenabled-with-warning 1\nforbidden 5\n"
        "forbidden-since 1777777777777\ncollecting-since 1666666666666\n";
    struct life_kept kept = {.signed_in = false};
    const struct life_kept wanted = {.signed_in = true,
                                     .enabled_with_warning = true,
                                     .forbidden = 5,
                                     .forbidden_since_ms = {1777777777777, 0, 1777777777777, 0},
                                     .collecting_since_ms = 1666666666666};

    assert_int_equal(life_read(span_from_str(text), SUBJECT, &kept), RC_OK);
    expect_same(&kept, &wanted);
}

/// One that is good; then, each with one thing wrong in it.
static void anything_else_is_refused(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "anteroom-life 2\nsubject 305419896\nsigned-in 1\nenabled-with-warning 0\nforbidden 0\n"
        "forbidden-since 0\nforbidden-since 0\nforbidden-since 0\nforbidden-since 0\n"
        "collecting-since 0\n",
        "",
        "anteroom-life 2\n",
        "anteroom-life 1\nsubject 305419896\nsigned-in 1\nenabled-with-warning 0\nforbidden 0\n"
        "forbidden-since 0\nforbidden-since 0\nforbidden-since 0\nforbidden-since 0\n"
        "collecting-since 0\n",
        "anteroom-life 3\nsubject 305419896\nsigned-in 1\nenabled-with-warning 0\nforbidden 0\n"
        "forbidden-since 0\nforbidden-since 0\nforbidden-since 0\nforbidden-since 0\n"
        "collecting-since 0\n",
        "anteroom-life 2\nsubject 305419896\nsigned-in 2\nenabled-with-warning 0\nforbidden 0\n"
        "forbidden-since 0\nforbidden-since 0\nforbidden-since 0\nforbidden-since 0\n"
        "collecting-since 0\n",
        "anteroom-life 2\nsubject 305419896\nsigned-in 1\nenabled-with-warning 0\nforbidden 16\n"
        "forbidden-since 0\nforbidden-since 0\nforbidden-since 0\nforbidden-since 0\n"
        "collecting-since 0\n",
        "anteroom-life 2\nsubject 305419896\nsigned-in 1\nenabled-with-warning 0\nforbidden 0\n"
        "forbidden-since -1\nforbidden-since 0\nforbidden-since 0\nforbidden-since 0\n"
        "collecting-since 0\n",
        "anteroom-life 2\nsubject 305419896\nsigned-in 1\nenabled-with-warning 0\nforbidden 0\n"
        "forbidden-since 0\nforbidden-since 0\nforbidden-since 0\nforbidden-since 253402300800000\n"
        "collecting-since 0\n",
        "anteroom-life 2\nsubject 305419896\nsigned-in 1\nenabled-with-warning 0\nforbidden 0\n"
        "forbidden-since 0\nforbidden-since 0\nforbidden-since 0\n"
        "collecting-since 0\n",
        "anteroom-life 2\nsubject 305419896\nsigned-in 1\nenabled-with-warning 0\nforbidden 0\n"
        "forbidden-since 0\nforbidden-since 0\nforbidden-since 0\nforbidden-since "
        "0\nforbidden-since 0\n"
        "collecting-since 0\n",
        "anteroom-life 2\nsubject 305419896\nsigned-in 1\nenabled-with-warning 0\nforbidden 0\n"
        "forbidden-since 0\nforbidden-since 0\nforbidden-since 0\nforbidden-since 0\n"
        "collecting-since 0",
        "anteroom-life 2\nsubject 305419896\nsigned-in 1\nenabled-with-warning 0\nforbidden 0\n"
        "forbidden-since 0\nforbidden-since 0\nforbidden-since 0\nforbidden-since 0\n"
        "collecting-since 0\n\n",
        "anteroom-life 2\nsubject 305419896\nenabled-with-warning 0\nsigned-in 1\nforbidden 0\n"
        "forbidden-since 0\nforbidden-since 0\nforbidden-since 0\nforbidden-since 0\n"
        "collecting-since 0\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct life_kept kept = {.forbidden = 5};
        enum rc rc = life_read(span_from_str(texts[i]), SUBJECT, &kept);
        assert_int_equal(rc, i == 0 ? RC_OK : RC_PARSE);
        assert_int_equal(kept.forbidden, i == 0 ? 0 : 5);
    }
}

static void damage_of_any_kind_never_yields_what_cannot_be_written(void **unused)
{
    (void)unused;
    char text[LIFE_KEPT_BYTES_MAX];
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct life_kept kept = some_life();
        struct life_kept back = kept;
        struct buf b = BUF(text);
        life_write(&kept, SUBJECT, &b);
        for (uint64_t n = chance() % 4u; n > 0; n--) {
            text[chance() % b.len] = (char)chance();
        }
        b.len = chance() % 3u == 0 ? chance() % b.len : b.len;
        if (life_read(buf_span(&b), SUBJECT, &back) == RC_OK) {
            assert_in_range(back.forbidden, 0, (1u << CONFIG_PERMISSIONS) - 1u);
            for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
                assert_in_range(back.forbidden_since_ms[p], 0, 253402300799999);
            }
            assert_in_range(back.collecting_since_ms, 0, 253402300799999);
        } else {
            expect_same(&kept, &back);
        }
    }
}

static void a_store_that_cannot_be_read_is_a_life_that_begins_and_says_why(void **unused)
{
    (void)unused;

    static const struct {
        enum rc store, said;
    } results[] = {{RC_CORRUPT, RC_CORRUPT},
                   {RC_STALE, RC_CORRUPT}, // put back from a copy, not of another tenant
                   {RC_IO, RC_IO},
                   {RC_TOOBIG, RC_TOOBIG},
                   {RC_DENIED, RC_DENIED},
                   {RC_RETRY, RC_RETRY}};
    struct life_kept kept = {.signed_in = true};

    tale_begin(__func__);
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        tale.store_rc = results[i].store;
        kept.signed_in = true;
        assert_int_equal(life_load(NULL, &tale_config, &kept), results[i].said);
        assert_false(kept.signed_in);
    }
    tale.store_rc = RC_OK;
    memcpy(tale.record, "anteroom-life 0\n", 16);
    tale.record_len = 16;
    kept.signed_in = true;
    assert_int_equal(life_load(NULL, &tale_config, &kept), RC_PARSE);
    assert_false(kept.signed_in);
    tale.store_rc = RC_FULL;
    assert_int_equal(life_save(NULL, &tale_config, &kept), RC_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(another_tenant_or_application_begins_anew),
        cmocka_unit_test(the_record_of_another_tenant_or_application_is_told_from_none),
        cmocka_unit_test(a_record_of_version_1_has_one_first_403_for_all_of_them),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(damage_of_any_kind_never_yields_what_cannot_be_written),
        cmocka_unit_test(a_store_that_cannot_be_read_is_a_life_that_begins_and_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
