// SPDX-License-Identifier: Apache-2.0
/*
 * Writes what is rendered of every made-up snapshot to files in ANTEROOM_TMP (SCENE.json, .line,
 * .prom, .html; and page.csp), for those who read it with programs that nobody here wrote
 * (tests/system).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "snapshots.h"
#include "status/render.h"

static char text[RENDER_METRICS_BYTES_MAX > RENDER_PAGE_BYTES_MAX ? RENDER_METRICS_BYTES_MAX
                                                                  : RENDER_PAGE_BYTES_MAX];

static void write_file(const char *scene, const char *ending, struct span part, const char *mode)
{
    char path[512];
    const char *directory = getenv("ANTEROOM_TMP");

    assert_non_null(directory);
    (void)snprintf(path, sizeof(path), "%s/%s.%s", directory, scene, ending);
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    assert_int_equal(fwrite(part.ptr, 1, part.len, file), part.len);
    assert_int_equal(fclose(file), 0);
}

static void write_each(const char *ending, void (*render)(const struct snapshot *, struct buf *))
{
    for (unsigned i = 0; i < SCENES; i++) {
        struct snapshot s;
        struct buf b = BUF(text);

        snapshots_make((enum snapshots_scene)i, &s);
        render(&s, &b);
        assert_true(buf_ok(&b));
        write_file(snapshots_names[i], ending, buf_span(&b), "w");
    }
}

static void status_is_written(void **state)
{
    (void)state;
    write_each("json", render_json);
}

static void line_is_written(void **state)
{
    (void)state;
    write_each("line", render_line);
}

static void metrics_are_written(void **state)
{
    (void)state;
    write_each("prom", render_metrics);
}

static void page_is_written(void **state)
{
    (void)state;
    struct span csp = render_page_csp();

    write_file("page", "csp", csp, "w");
    for (unsigned i = 0; i < SCENES; i++) {
        struct snapshot s;
        struct span parts[RENDER_PARTS_MAX];
        struct buf b = buf_of(text, RENDER_PAGE_BYTES_MAX);
        const struct render_page page = {
            .token = "bm90IGEgc2VjcmV0IG9mIGFueWJvZHk",
            .notice = i == SCENE_SIGNING_IN ? "A link is made: it stands below." : "",
            .can_forget = i == SCENE_HOLDING || i == SCENE_LARGEST,
        };

        snapshots_make((enum snapshots_scene)i, &s);
        unsigned count = render_page(&s, &page, &b, parts);
        assert_true(count > 0 && count <= RENDER_PARTS_MAX);
        for (unsigned p = 0; p < count; p++) {
            write_file(snapshots_names[i], "html", parts[p], p == 0 ? "w" : "a");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_is_written),
        cmocka_unit_test(line_is_written),
        cmocka_unit_test(metrics_are_written),
        cmocka_unit_test(page_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
