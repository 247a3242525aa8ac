/*
 * write_test.c - the files of a report. Golden files lie in golden/; a run with
 * RELUSWEEP_GOLDEN=write in the environment writes them anew, to be looked at before
 * they are committed.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cairo.h>
#include <cmocka.h>

#include "coordinator/report/figure.h"
#include "coordinator/report/format.h"
#include "coordinator/report/report.h"
#include "shared/base/file.h"
#include "tests/coordinator/report/fixture.h"

static const char *const all_files[] = {
    "index.html",     "report.json",     "cells.csv",       "pareto-CA.svg",
    "pareto-CA.png",  "pareto-CA.csv",   "pareto-NPA.svg",  "pareto-NPA.png",
    "pareto-NPA.csv", "pareto-AdvA.svg", "pareto-AdvA.png", "pareto-AdvA.csv",
    "pareto-CA.pdf",  "cells.tex"};

static void
write_into(const char *dir, json_t *rows)
{
    json_t *report = fixture_report(rows);
    struct err err = {0};

    if (report_write(report, dir, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(report);
}

/* A folder with the files of these rows, which are taken. */
static char *
written(json_t *rows)
{
    char *dir = fixture_folder();

    write_into(dir, rows);
    return dir;
}

static void
remove_folder(char *dir)
{
    struct err err = {0};

    assert_int_equal(file_remove_tree(dir, &err), 0);
    free(dir);
}

static void
figures_and_tables_agree_with_the_golden_files(void **state)
{
    static const char *const names[] = {"pareto-CA.svg", "pareto-CA.csv", "cells.csv"};
    char *dir = written(fixture_rows());

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf got = fixture_read(dir, names[i]);
        fixture_golden(names[i], &got);
        buf_release(&got);
    }
    remove_folder(dir);
}

static void
the_terminal_table_agrees_with_the_golden_file(void **state)
{
    json_t *report = fixture_report(fixture_rows());
    struct buf text = {0};

    (void)state;
    report_text(&text, report, 80);
    fixture_golden("table.txt", &text);
    buf_release(&text);
    json_decref(report);
}

/* The widest line, in characters. */
static size_t
widest(const char *text)
{
    size_t most = 0, n = 0;

    for (; *text != '\0'; text++) {
        n = *text == '\n' ? 0 : n + (((unsigned char)*text & 0xC0) != 0x80);
        most = n > most ? n : most;
    }
    return most;
}

static void
the_terminal_table_fits_any_reasonable_width(void **state)
{
    json_t *report = fixture_report(fixture_rows());

    (void)state;
    for (int columns = 44; columns <= 160; columns++) {
        struct buf text = {0};
        report_text(&text, report, columns);
        if (widest(buf_str(&text)) > (size_t)columns)
            fail_msg("%zu of %d columns:\n%s", widest(buf_str(&text)), columns,
                     buf_str(&text));
        buf_release(&text);
    }
    json_decref(report);
}

static void
the_same_rows_give_the_same_bytes(void **state)
{
    char *a = written(fixture_rows()), *b = written(fixture_rows());

    (void)state;
    for (size_t i = 0; i < sizeof all_files / sizeof all_files[0]; i++) {
        struct buf x = fixture_read(a, all_files[i]);
        struct buf y = fixture_read(b, all_files[i]);
        assert_int_equal(x.len, y.len);
        assert_memory_equal(x.data, y.data, x.len);
        buf_release(&x);
        buf_release(&y);
    }
    remove_folder(a);
    remove_folder(b);
}

/* ---- PNG ------------------------------------------------------------------------- */

static void
a_png_has_two_pixels_a_unit_white_paper_and_the_series_colours(void **state)
{
    char *dir = written(fixture_rows()), *path = file_join(dir, "pareto-CA.png");
    cairo_surface_t *s = cairo_image_surface_create_from_png(path);
    const unsigned char *pixels = cairo_image_surface_get_data(s);
    const int stride = cairo_image_surface_get_stride(s);
    int blue = 0, vermillion = 0;

    (void)state;
    assert_int_equal(cairo_surface_status(s), CAIRO_STATUS_SUCCESS);
    assert_int_equal(cairo_image_surface_get_width(s), 1280);
    assert_int_equal(cairo_image_surface_get_height(s), 880);
    for (int y = 0; y < 880; y++) {
        for (int x = 0; x < 1280; x++) {
            uint32_t p;
            memcpy(&p, pixels + y * stride + 4 * x, sizeof p);
            blue += (p & 0xffffff) == 0x0072b2;
            vermillion += (p & 0xffffff) == 0xd55e00;
            if (y < 4 || x < 4 || y >= 876 || x >= 1276)
                assert_int_equal(p & 0xffffff, 0xffffff);
        }
    }
    /* a legend mark and three points of about 64 units square each */
    assert_in_range(blue, 600, 3000);
    assert_in_range(vermillion, 600, 3000);
    cairo_surface_destroy(s);
    free(path);
    remove_folder(dir);
}

/* Of two pictures of the same size: the share of pixels of which some channel differs by
 * more than a quarter, which is more than another version of a font library does. */
static double
share_that_differs(cairo_surface_t *a, cairo_surface_t *b)
{
    const int width = cairo_image_surface_get_width(a);
    const int height = cairo_image_surface_get_height(a);
    const int stride = cairo_image_surface_get_stride(a);
    const unsigned char *p = cairo_image_surface_get_data(a);
    const unsigned char *q = cairo_image_surface_get_data(b);
    int n = 0;

    assert_int_equal(width, cairo_image_surface_get_width(b));
    assert_int_equal(height, cairo_image_surface_get_height(b));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int most = 0;
            for (int c = 0; c < 3; c++) {
                const int d = p[y * stride + 4 * x + c] - q[y * stride + 4 * x + c];
                most = abs(d) > most ? abs(d) : most;
            }
            n += most > 64;
        }
    return (double)n / (width * height);
}

static void
a_png_looks_as_the_golden_one(void **state)
{
    char *dir = written(fixture_rows()), *path = file_join(dir, "pareto-CA.png");
    const char *mode = getenv("RELUSWEEP_GOLDEN");
    struct err err = {0};

    (void)state;
    if (mode != NULL && strcmp(mode, "write") == 0) {
        struct buf png = fixture_read(dir, "pareto-CA.png");
        assert_int_equal(file_write(REPORT_FIXTURES "/golden/pareto-CA.png", png.data,
                                    png.len, &err),
                         0);
        buf_release(&png);
    }
    cairo_surface_t *got = cairo_image_surface_create_from_png(path);
    cairo_surface_t *want =
        cairo_image_surface_create_from_png(REPORT_FIXTURES "/golden/pareto-CA.png");
    assert_int_equal(cairo_surface_status(want), CAIRO_STATUS_SUCCESS);
    assert_true(share_that_differs(got, want) < 0.005);
    cairo_surface_destroy(want);
    cairo_surface_destroy(got);
    free(path);
    remove_folder(dir);
}

static void
a_png_has_no_time_chunk(void **state)
{
    char *dir = written(fixture_rows());
    struct buf png = fixture_read(dir, "pareto-CA.png");

    (void)state;
    assert_memory_equal(png.data, "\x89PNG\r\n\x1a\n", 8);
    assert_null(memmem(png.data, png.len, "tIME", 4));
    buf_release(&png);
    remove_folder(dir);
}

/* ---- markup ---------------------------------------------------------------------- */

enum { DEPTH_MAX = 64 };

static const char *const void_elements[] = {"meta", "br", "!doctype"};

static bool
is_void(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof void_elements / sizeof void_elements[0]; i++)
        if (n == strlen(void_elements[i]) && strncmp(name, void_elements[i], n) == 0)
            return true;
    return false;
}

/* Every tag is closed by its own name, in order; quotes in tags are balanced. */
static void
check_nesting(const char *text)
{
    struct {
        const char *name;
        size_t n;
    } open[DEPTH_MAX];
    size_t depth = 0;

    for (const char *at = strchr(text, '<'); at != NULL; at = strchr(at, '<')) {
        const bool closing = at[1] == '/';
        const char *name = at + 1 + closing, *end = name;
        const size_t n = strcspn(name, " />\n");
        for (bool quoted = false; *end != '>' || quoted; end++) {
            assert_true(*end != '\0' && (quoted || *end != '<'));
            quoted = quoted != (*end == '"');
        }
        if (closing) {
            assert_true(depth > 0 && open[depth - 1].n == n);
            assert_memory_equal(open[--depth].name, name, n);
        } else if (end[-1] != '/' && !is_void(name, n)) {
            assert_true(depth < DEPTH_MAX);
            open[depth].name = name;
            open[depth++].n = n;
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

static void
check_harmless(const char *text)
{
    static const char *const forbidden[] = {"<script",     "style=", " onload",
                                            "javascript:", "src=",   "@import",
                                            "url(",        "\x1b"};

    check_nesting(text);
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        if (strstr(text, forbidden[i]) != NULL)
            fail_msg("the page has `%s`", forbidden[i]);
}

static void
check_page(json_t *rows)
{
    char *dir = written(rows);
    struct buf page = fixture_read(dir, "index.html");

    check_harmless(buf_str(&page));
    buf_release(&page);
    remove_folder(dir);
}

static void
the_page_is_well_formed_and_asks_for_nothing_outside(void **state)
{
    char *dir = written(fixture_rows());
    struct buf page = fixture_read(dir, "index.html");
    struct buf svg = fixture_read(dir, "pareto-CA.svg");

    (void)state;
    check_harmless(buf_str(&page));
    check_harmless(buf_str(&svg));
    assert_null(strstr(buf_str(&page), "https:"));
    assert_non_null(strstr(buf_str(&page), "loss kl is NaN"));
    assert_non_null(strstr(buf_str(&page), "relusweep run quick.yaml --set seed=0,1"));
    assert_non_null(strstr(buf_str(&page), "small &lt;budgets&gt; &amp; seeds"));
    buf_release(&svg);
    buf_release(&page);
    remove_folder(dir);
}

static const char hostile[] = "\"'><script>alert(1)</script>&\x1b[31m\n--]]>\u202E";

/* Replaces every string in the document but those that say how to read it. */
static void
poison(json_t *value)
{
    static const char *const kept[] = {"state", "x",           "group_over",
                                       "axes",  "relu_budget", "goal"};
    const char *key;
    json_t *item;
    size_t i;

    json_array_foreach(value, i, item)
    {
        if (json_is_string(item))
            json_array_set_new(value, i, json_string(hostile));
        poison(item);
    }
    json_object_foreach(value, key, item)
    {
        bool keep = false;
        for (i = 0; i < sizeof kept / sizeof kept[0]; i++)
            keep = keep || strcmp(key, kept[i]) == 0;
        if (!keep && json_is_string(item))
            json_object_set_new(value, key, json_string(hostile));
        else if (!keep)
            poison(item);
    }
}

static void
hostile_strings_everywhere_stay_text(void **state)
{
    json_t *rows = fixture_rows();

    (void)state;
    poison(rows);
    json_object_set_new(json_object_get(rows, "report"), "y",
                        json_pack("[s,s]", "CA", hostile));
    json_t *report = fixture_report(json_incref(rows));
    struct buf text = {0};
    report_text(&text, report, 80);
    assert_null(strchr(buf_str(&text), '\x1b'));
    buf_release(&text);
    json_decref(report);
    check_page(rows);
}

static void
a_metric_name_cannot_leave_the_folder(void **state)
{
    json_t *rows = fixture_rows();

    (void)state;
    json_object_set_new(json_object_get(rows, "report"), "y",
                        json_pack("[s]", "../../etc/x"));
    char *dir = written(rows);
    struct buf csv = fixture_read(dir, "pareto-..-..-etc-x.csv");
    buf_release(&csv);
    remove_folder(dir);
}

static void
reports_without_finished_cells_are_written_too(void **state)
{
    json_t *rows = fixture_rows(), *cell;
    size_t i;

    (void)state;
    check_page(fixture_empty());
    json_array_foreach(json_object_get(rows, "cells"), i, cell)
    {
        json_object_set_new(cell, "state", json_string("failed"));
    }
    check_page(rows);
    rows = fixture_empty();
    fixture_add(rows, 5000, 4, 0, 70);
    check_page(rows);
    rows = fixture_empty();
    fixture_add(rows, 0, 4, 0, 70);
    check_page(rows);
}

static void
a_page_of_a_thousand_points_stays_below_500_kb(void **state)
{
    json_t *rows = fixture_empty();
    uint32_t seed = 8;

    (void)state;
    for (int i = 0; i < 1000; i++)
        fixture_add(rows, 5000 + 90 * i, 1 + i % 4, 0,
                    60 + fixture_random(&seed) % 999 / 100.0);
    char *dir = written(rows);
    struct buf page = fixture_read(dir, "index.html");
    assert_in_range(page.len, 50000, 500000);
    buf_release(&page);
    remove_folder(dir);
}

static void
a_folder_that_cannot_be_made_is_an_error_that_names_it(void **state)
{
    json_t *report = fixture_report(fixture_rows());
    struct err err = {0};

    (void)state;
    assert_int_equal(report_write(report, "/dev/null/report", &err), -1);
    assert_non_null(strstr(err.text, "/dev/null"));
    json_decref(report);
}

/* How many files of the folder define a `<what><name>`. */
static size_t
count_definitions(const char *what)
{
    struct err err = {0};
    size_t defined = 0;
    glob_t files;

    assert_int_equal(glob(REPORT_SOURCES "/*.c", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct buf source = {0};
        assert_int_equal(file_read(&source, files.gl_pathv[i], &err), 0);
        defined += strstr(buf_str(&source), what) != NULL;
        buf_release(&source);
    }
    globfree(&files);
    return defined;
}

static void
every_format_and_kind_of_figure_is_registered(void **state)
{
    size_t n_formats = 0, n_kinds = 0;

    (void)state;
    while (formats[n_formats] != NULL)
        n_formats++;
    while (figure_kinds[n_kinds] != NULL)
        n_kinds++;
    assert_int_equal(n_formats, count_definitions("\nconst struct format format_"));
    assert_int_equal(n_kinds, count_definitions("\nconst struct figure_kind figure_"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_and_tables_agree_with_the_golden_files),
        cmocka_unit_test(the_terminal_table_agrees_with_the_golden_file),
        cmocka_unit_test(the_terminal_table_fits_any_reasonable_width),
        cmocka_unit_test(the_same_rows_give_the_same_bytes),
        cmocka_unit_test(
            a_png_has_two_pixels_a_unit_white_paper_and_the_series_colours),
        cmocka_unit_test(a_png_looks_as_the_golden_one),
        cmocka_unit_test(a_png_has_no_time_chunk),
        cmocka_unit_test(the_page_is_well_formed_and_asks_for_nothing_outside),
        cmocka_unit_test(hostile_strings_everywhere_stay_text),
        cmocka_unit_test(a_metric_name_cannot_leave_the_folder),
        cmocka_unit_test(reports_without_finished_cells_are_written_too),
        cmocka_unit_test(a_page_of_a_thousand_points_stays_below_500_kb),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_an_error_that_names_it),
        cmocka_unit_test(every_format_and_kind_of_figure_is_registered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
