// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <qrencode.h>

#include "status/render.h"

static const char link[] =
    "https://login.microsoftonline.com/3fa85f64-5717-4562-b3fc-2c963f66afa6/v2.0/adminconsent"
    "?client_id=8d7c6b5a-1f2e-4d3c-9b8a-7f6e5d4c3b2a&scope=https%3A%2F%2Fgraph.microsoft.com"
    "%2F.default&redirect_uri=http%3A%2F%2Flocalhost&state=Zk3v9qT1xW7pR5sY2mB8nA";

#define WIDTH_MAX 80

static bool no_memory;

QRcode *__real_QRcode_encodeData(int size, const unsigned char *data, int version, QRecLevel l);
QRcode *__wrap_QRcode_encodeData(int size, const unsigned char *data, int version, QRecLevel l);

QRcode *__wrap_QRcode_encodeData(int size, const unsigned char *data, int version, QRecLevel l)
{
    return no_memory ? NULL : __real_QRcode_encodeData(size, data, version, l);
}

/// Draws the path as a browser does: a line of width 1 covers the modules beside it.
static void draw(const char *path, unsigned char dark[WIDTH_MAX][WIDTH_MAX])
{
    int x = 0, y = 0, dx = 0, dy = 0, len = 0, used = 0;

    memset(dark, 0, WIDTH_MAX * WIDTH_MAX);
    assert_int_equal(strncmp(path, "M0 .5", 5), 0);
    path += 5;
    while (sscanf(path, "m%d %dh%d%n", &dx, &dy, &len, &used) == 3) {
        x += dx;
        y += dy;
        assert_true(x >= 0 && y >= 0 && y < WIDTH_MAX && len > 0 && x + len <= WIDTH_MAX);
        for (int i = 0; i < len; i++) {
            dark[y][x + i]++;
        }
        x += len;
        path += used;
    }
    assert_int_equal(*path, '"');
}

static void path_is_the_code(struct span text, QRecLevel level)
{
    static char out[16384];
    static unsigned char dark[WIDTH_MAX][WIDTH_MAX];
    struct buf b = BUF(out);

    assert_int_equal(render_qr(text, &b), RC_OK);
    assert_true(buf_terminate(&b));
    QRcode *code = QRcode_encodeData((int)text.len, (const unsigned char *)text.ptr, 0, level);
    assert_non_null(code);
    assert_true(code->width <= WIDTH_MAX);
    char box[40];
    (void)snprintf(box, sizeof(box), "viewBox=\"-4 -4 %d %d\"", code->width + 8, code->width + 8);
    assert_non_null(strstr(out, box));
    draw(strstr(out, "d=\"") + 3, dark);
    for (int y = 0; y < code->width; y++) {
        for (int x = 0; x < code->width; x++) {
            assert_int_equal(dark[y][x], code->data[y * code->width + x] & 1);
        }
    }
    QRcode_free(code);
}

static void every_dark_module_is_drawn_once_and_no_light_one(void **state)
{
    (void)state;
    path_is_the_code(SPAN("x"), QR_ECLEVEL_M);
    path_is_the_code(span_sub(span_from_str(link), 0, 213), QR_ECLEVEL_M);
    path_is_the_code(span_sub(span_from_str(link), 0, 214), QR_ECLEVEL_L);
    path_is_the_code(span_from_str(link), QR_ECLEVEL_L);
}

static void a_usual_link_takes_six_kilobytes_at_most(void **state)
{
    (void)state;
    char out[6144];
    struct buf b = BUF(out);

    assert_int_equal(render_qr(span_from_str(link), &b), RC_OK);
}

static void what_is_too_long_or_nothing_is_no_code(void **state)
{
    (void)state;
    static char out[16384], text[426];
    struct buf b = BUF(out);

    memset(text, 'w', sizeof(text));
    assert_int_equal(render_qr((struct span){text, 426}, &b), RC_TOOBIG);
    assert_int_equal(render_qr(SPAN_NONE, &b), RC_TOOBIG);
    assert_int_equal(b.len, 0);
    assert_int_equal(render_qr((struct span){text, 425}, &b), RC_OK);
    assert_true(b.len < 8192);
}

static void without_room_what_was_there_stays_as_it_was(void **state)
{
    (void)state;
    char out[300];
    struct buf b = BUF(out);

    buf_put_str(&b, "before");
    assert_int_equal(render_qr(span_from_str(link), &b), RC_TOOBIG);
    assert_true(buf_ok(&b));
    assert_true(span_equal(buf_span(&b), SPAN("before")));
}

static void without_memory_there_is_no_code_now(void **state)
{
    (void)state;
    char out[6144];
    struct buf b = BUF(out);

    no_memory = true;
    assert_int_equal(render_qr(span_from_str(link), &b), RC_RETRY);
    assert_int_equal(b.len, 0);
    no_memory = false;
    assert_int_equal(render_qr(span_from_str(link), &b), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dark_module_is_drawn_once_and_no_light_one),
        cmocka_unit_test(a_usual_link_takes_six_kilobytes_at_most),
        cmocka_unit_test(what_is_too_long_or_nothing_is_no_code),
        cmocka_unit_test(without_room_what_was_there_stays_as_it_was),
        cmocka_unit_test(without_memory_there_is_no_code_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
