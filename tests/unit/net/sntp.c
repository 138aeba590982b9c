// SPDX-License-Identifier: Apache-2.0
// Time servers: packets as they should be and as they should not, and sockets on the loop.
#include "net/sntp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"

#define TO_1970_S INT64_C(2208988800)
#define NOW_MS    INT64_C(1795392000250)
#define FLOOR_MS  INT64_C(1790000000000)
#define YEAR_MS   (INT64_C(365) * 86400000)

static const uint8_t nonce[8] = {1, 2, 3, 4, 5, 6, 7, 8};

struct fields {
    unsigned leap, version, mode, stratum;
    uint32_t root_delay, root_dispersion;
    const uint8_t *origin;
    int64_t received_ms, sent_ms;
};

static const struct fields right = {.version = 4,
                                    .mode = 4,
                                    .stratum = 2,
                                    .origin = nonce,
                                    .received_ms = NOW_MS,
                                    .sent_ms = NOW_MS};

static void put_stamp(struct buf *b, int64_t ms)
{
    buf_put_be32(b, (uint32_t)(uint64_t)(ms / 1000 + TO_1970_S)); // an era has 32 bits of seconds
    buf_put_be32(b, (uint32_t)(((uint64_t)(ms % 1000) << 32) / 1000u) + 1u);
}

static struct span make(const struct fields *f, char out[static SNTP_PACKET_BYTES])
{
    struct buf b = buf_of(out, SNTP_PACKET_BYTES);
    buf_put_u8(&b, (uint8_t)(f->leap << 6 | f->version << 3 | f->mode));
    buf_put_u8(&b, (uint8_t)f->stratum);
    buf_put(&b, SPAN("\6\xe9"));
    buf_put_be32(&b, f->root_delay);
    buf_put_be32(&b, f->root_dispersion);
    buf_put(&b, SPAN("GPS\0"));
    buf_put_be64(&b, 0);
    buf_put(&b, (struct span){.ptr = (const char *)f->origin, .len = 8});
    put_stamp(&b, f->received_ms);
    put_stamp(&b, f->sent_ms);
    return buf_span(&b);
}

static RC read_one(const struct fields *f, int64_t trip_ms, int64_t floor_ms, struct sntp_answer *a)
{
    char bytes[SNTP_PACKET_BYTES];
    return sntp_read(make(f, bytes), nonce, trip_ms, floor_ms, a);
}

static void a_question_holds_the_nonce_and_nothing_of_us(void **unused)
{
    (void)unused;
    char q[SNTP_PACKET_BYTES];
    char wanted[SNTP_PACKET_BYTES] = {0x23};
    memcpy(wanted + 40, nonce, 8);
    sntp_question(nonce, q);
    assert_memory_equal(q, wanted, sizeof(q));
}

static void a_right_answer_is_the_time_in_the_middle_of_the_trip(void **unused)
{
    (void)unused;
    struct sntp_answer a = {0};
    assert_int_equal(read_one(&right, 100, FLOOR_MS, &a), RC_OK);
    assert_int_equal(a.wall_ms, NOW_MS + 50);
    assert_int_equal(a.unsure_ms, 50);
    struct fields held = right;
    held.received_ms = NOW_MS - 60; // it thought about it for that long
    assert_int_equal(read_one(&held, 100, FLOOR_MS, &a), RC_OK);
    assert_int_equal(a.wall_ms, NOW_MS + 20);
}

static void eras_follow_the_floor_beyond_2036_and_2106(void **unused)
{
    (void)unused;
    static const int64_t times[] = {INT64_C(2085978495999), // the last second of the first era
                                    INT64_C(2085978496000), // 2036-02-07
                                    INT64_C(2147483648000), // 2038
                                    INT64_C(4294967296000), // 2106
                                    INT64_C(6380945792000), // the third era
                                    INT64_C(9000000000000)};
    for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        static const int64_t ages[] = {0, YEAR_MS, 9 * YEAR_MS, 100 * YEAR_MS};
        for (unsigned k = 0; k < 4; k++) {
            struct fields f = right;
            struct sntp_answer a;
            f.received_ms = f.sent_ms = times[i];
            assert_int_equal(read_one(&f, 0, times[i] - ages[k], &a), RC_OK);
            assert_int_equal(a.wall_ms, times[i]);
        }
    }
}

static void a_server_a_little_below_the_floor_is_not_136_years_ahead(void **unused)
{
    (void)unused;
    struct sntp_answer a;
    assert_int_equal(read_one(&right, 0, NOW_MS + 3600000, &a), RC_OK);
    assert_int_equal(a.wall_ms, NOW_MS);
}

static void what_does_not_answer_the_question_is_denied(void **unused)
{
    (void)unused;
    static const uint8_t other[8] = {1, 2, 3, 4, 5, 6, 7, 9};
    struct fields f = right;
    struct sntp_answer a;
    f.origin = other;
    assert_int_equal(read_one(&f, 0, FLOOR_MS, &a), RC_DENIED);
}

static void what_no_server_sends_is_nonsense(void **unused)
{
    (void)unused;
    struct sntp_answer a;
    struct fields f = right;
    f.mode = 3;
    assert_int_equal(read_one(&f, 0, FLOOR_MS, &a), RC_PARSE);
    f.mode = 5;
    assert_int_equal(read_one(&f, 0, FLOOR_MS, &a), RC_PARSE);
    f = right;
    f.version = 0;
    assert_int_equal(read_one(&f, 0, FLOOR_MS, &a), RC_PARSE);
    char bytes[SNTP_PACKET_BYTES];
    struct span whole = make(&right, bytes);
    for (size_t len = 0; len < SNTP_PACKET_BYTES; len++) {
        assert_int_equal(sntp_read(span_sub(whole, 0, len), nonce, 0, FLOOR_MS, &a), RC_PARSE);
    }
    memset(bytes + 40, 0, 8); // no time in it
    assert_int_equal(sntp_read(whole, nonce, 0, FLOOR_MS, &a), RC_PARSE);
}

static void a_server_that_does_not_know_the_time_is_not_heard(void **unused)
{
    (void)unused;
    static const struct fields rows[] = {
        {.leap = 3, .stratum = 2},
        {.stratum = 0},
        {.stratum = 16},
        {.stratum = 255},
        {.stratum = 2, .root_dispersion = 2u << 16},
        {.stratum = 2, .root_delay = 3u << 16},
        {.stratum = 2, .root_delay = UINT32_MAX, .root_dispersion = UINT32_MAX},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fields f = right;
        struct sntp_answer a;
        f.leap = rows[i].leap;
        f.stratum = rows[i].stratum;
        f.root_delay = rows[i].root_delay;
        f.root_dispersion = rows[i].root_dispersion;
        assert_int_equal(read_one(&f, 0, FLOOR_MS, &a), RC_UNSUPPORTED);
    }
}

// ---- sockets ----------------------------------------------------------------

static struct {
    struct loop loop;
    struct sntp sntp;
    int server;
    struct sockaddr_in client;
    char question[64];
    char name[32];
} world;

static int begin(void **unused)
{
    (void)unused;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    memset(&world, 0, sizeof(world));
    world.server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (loop_init(&world.loop) != RC_OK || world.server < 0 ||
        bind(world.server, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        getsockname(world.server, (struct sockaddr *)&at, &len) != 0) {
        return -1;
    }
    snprintf(world.name, sizeof(world.name), "127.0.0.1:%u", ntohs(at.sin_port));
    sntp_init(&world.sntp, &world.loop);
    sntp_add(&world.sntp, span_from_str(world.name));
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    sntp_stop(&world.sntp);
    close(world.server);
    loop_deinit(&world.loop);
    return 0;
}

static void hear(void)
{
    socklen_t len = sizeof(world.client);
    ssize_t got = recvfrom(world.server,
                           world.question,
                           sizeof(world.question),
                           0,
                           (struct sockaddr *)&world.client,
                           &len);
    assert_int_equal(got, SNTP_PACKET_BYTES);
}

static void say(int from, const struct fields *f)
{
    char bytes[SNTP_PACKET_BYTES];
    struct span s = make(f, bytes);
    ssize_t sent =
        sendto(from, s.ptr, s.len, 0, (struct sockaddr *)&world.client, sizeof(world.client));
    assert_int_equal(sent, SNTP_PACKET_BYTES);
}

static struct fields reply(void)
{
    struct fields f = right;
    f.origin = (const uint8_t *)world.question + 40;
    return f;
}

static struct now later(struct now now, int64_t ms)
{
    now.mono.ms += ms;
    return now;
}

static void an_answer_arrives_through_the_loop(void **unused)
{
    (void)unused;
    struct sntp_answer answers[SNTP_SERVERS_MAX];
    struct now now = loop_now();
    sntp_start(&world.sntp, now);
    assert_int_equal(sntp_answers(&world.sntp, answers), 0);
    assert_int_equal(sntp_step(&world.sntp, FLOOR_MS, now).ms, now.mono.ms + SNTP_WAIT_MS);
    hear();
    struct fields f = reply();
    say(world.server, &f);
    (void)loop_wait(&world.loop, mono_after(loop_now().mono, 10000));
    assert_int_equal(sntp_step(&world.sntp, FLOOR_MS, later(now, 40)).ms, MONO_NEVER.ms);
    assert_int_equal(sntp_answers(&world.sntp, answers), 1);
    assert_int_equal(answers[0].wall_ms, NOW_MS + 20);
    assert_int_equal(answers[0].at.ms, now.mono.ms + 40);
}

static void each_question_has_a_nonce_of_its_own(void **unused)
{
    (void)unused;
    char first[64];
    struct now now = loop_now();
    sntp_start(&world.sntp, now);
    hear();
    memcpy(first, world.question, sizeof(first));
    (void)sntp_step(&world.sntp, FLOOR_MS, later(now, SNTP_WAIT_MS));
    hear();
    assert_memory_not_equal(first + 40, world.question + 40, 8);
}

static void an_answer_to_an_earlier_question_and_nonsense_are_passed_over(void **unused)
{
    (void)unused;
    struct sntp_answer answers[SNTP_SERVERS_MAX];
    struct now now = loop_now();
    sntp_start(&world.sntp, now);
    hear();
    struct fields wrong = right; // the nonce of nobody
    say(world.server, &wrong);
    struct fields f = reply();
    f.mode = 3;
    say(world.server, &f);
    f = reply();
    say(world.server, &f);
    for (unsigned i = 0; i < 3; i++) {
        (void)loop_wait(&world.loop, loop_now().mono);
        (void)sntp_step(&world.sntp, FLOOR_MS, now);
    }
    assert_int_equal(sntp_answers(&world.sntp, answers), 1);
}

static void a_stranger_is_not_heard(void **unused)
{
    (void)unused;
    struct sntp_answer answers[SNTP_SERVERS_MAX];
    struct now now = loop_now();
    sntp_start(&world.sntp, now);
    hear();
    int stranger = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct fields f = reply(); // even with the right nonce
    say(stranger, &f);
    close(stranger);
    (void)loop_wait(&world.loop, loop_now().mono);
    (void)sntp_step(&world.sntp, FLOOR_MS, now);
    assert_int_equal(sntp_answers(&world.sntp, answers), 0);
}

static void a_silent_server_is_asked_three_times_and_given_up(void **unused)
{
    (void)unused;
    struct sntp_answer answers[SNTP_SERVERS_MAX];
    struct now now = loop_now();
    sntp_start(&world.sntp, now);
    for (unsigned i = 1; i < SNTP_TRIES; i++) {
        hear();
        now = later(now, SNTP_WAIT_MS);
        assert_int_not_equal(sntp_step(&world.sntp, FLOOR_MS, now).ms, MONO_NEVER.ms);
    }
    hear();
    now = later(now, SNTP_WAIT_MS);
    assert_int_equal(sntp_step(&world.sntp, FLOOR_MS, now).ms, MONO_NEVER.ms);
    assert_int_equal(sntp_answers(&world.sntp, answers), 0);
}

static void a_closed_port_is_given_up_in_the_same_time(void **unused)
{
    (void)unused;
    struct now now = loop_now();
    close(world.server);
    world.server = -1;
    sntp_start(&world.sntp, now);
    for (unsigned i = 0; i < SNTP_TRIES; i++) {
        (void)loop_wait(&world.loop, loop_now().mono);
        now = later(now, SNTP_WAIT_MS);
        (void)sntp_step(&world.sntp, FLOOR_MS, now);
    }
    assert_int_equal(sntp_step(&world.sntp, FLOOR_MS, now).ms, MONO_NEVER.ms);
}

static void a_server_that_asks_to_be_left_alone_is(void **unused)
{
    (void)unused;
    struct now now = loop_now();
    sntp_start(&world.sntp, now);
    hear();
    struct fields f = reply();
    f.stratum = 0;
    say(world.server, &f);
    (void)loop_wait(&world.loop, mono_after(loop_now().mono, 10000));
    (void)sntp_step(&world.sntp, FLOOR_MS, now);
    assert_int_equal(sntp_step(&world.sntp, FLOOR_MS, later(now, SNTP_WAIT_MS)).ms, MONO_NEVER.ms);
}

static void nothing_is_watched_when_all_is_over(void **unused)
{
    (void)unused;
    struct now now = loop_now();
    sntp_start(&world.sntp, now);
    sntp_start(&world.sntp, now); // anew
    sntp_stop(&world.sntp);
    for (unsigned i = 0; i < LOOP_WATCHES_MAX; i++) {
        assert_int_equal(world.loop.watches[i].fd, -1);
    }
}

int main(void)
{
#define NET_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_holds_the_nonce_and_nothing_of_us),
        cmocka_unit_test(a_right_answer_is_the_time_in_the_middle_of_the_trip),
        cmocka_unit_test(eras_follow_the_floor_beyond_2036_and_2106),
        cmocka_unit_test(a_server_a_little_below_the_floor_is_not_136_years_ahead),
        cmocka_unit_test(what_does_not_answer_the_question_is_denied),
        cmocka_unit_test(what_no_server_sends_is_nonsense),
        cmocka_unit_test(a_server_that_does_not_know_the_time_is_not_heard),
        NET_TEST(an_answer_arrives_through_the_loop),
        NET_TEST(each_question_has_a_nonce_of_its_own),
        NET_TEST(an_answer_to_an_earlier_question_and_nonsense_are_passed_over),
        NET_TEST(a_stranger_is_not_heard),
        NET_TEST(a_silent_server_is_asked_three_times_and_given_up),
        NET_TEST(a_closed_port_is_given_up_in_the_same_time),
        NET_TEST(a_server_that_asks_to_be_left_alone_is),
        NET_TEST(nothing_is_watched_when_all_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
