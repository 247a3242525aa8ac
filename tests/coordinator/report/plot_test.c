/* plot_test.c - what holds for every plot: nothing outside the canvas, no two texts on
 * each other, every point drawn once. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/report/plot.h"
#include "tests/coordinator/report/fixture.h"

enum { TEXTS_MAX = 200, ROUNDS = 60 };

struct box {
    double x1, y1, x2, y2;
    const char *text;
};

static struct box
box_of(const struct display_item *t)
{
    const double w = display_text_width(t->text, t->size, t->bold);
    const double x = t->anchor == DISPLAY_START    ? t->x
                     : t->anchor == DISPLAY_MIDDLE ? t->x - w / 2
                                                   : t->x - w;

    return (struct box){x, t->y - 0.74 * t->size, x + w, t->y + 0.2 * t->size, t->text};
}

static void
check_texts(const struct display *d)
{
    struct box boxes[TEXTS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < d->n_items; i++)
        if (d->items[i].kind == DISPLAY_TEXT && n < TEXTS_MAX)
            boxes[n++] = box_of(&d->items[i]);
    for (size_t i = 0; i < n; i++) {
        const struct box a = boxes[i];
        if (a.x1 < 0 || a.y1 < 0 || a.x2 > d->width || a.y2 > d->height)
            fail_msg("`%s` leaves the canvas", a.text);
        for (size_t j = 0; j < i; j++) {
            const struct box b = boxes[j];
            if (a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2)
                fail_msg("`%s` and `%s` overlap", a.text, b.text);
        }
    }
}

static void
check_inside(const struct display *d, double x, double y, double room)
{
    if (!isnan(x)
        && (x < room || y < room || x > d->width - room || y > d->height - room))
        fail_msg("(%g, %g) is outside of the canvas", x, y);
}

static void
check_marks(const struct display *d)
{
    for (size_t i = 0; i < d->n_items; i++) {
        const struct display_item *item = &d->items[i];
        if (item->kind == DISPLAY_MARKER)
            check_inside(d, item->x, item->y, item->size);
        for (size_t k = 0; k < item->n_points; k++)
            check_inside(d, item->points[k].x, item->points[k].y, 0);
    }
}

/* Markers with a tooltip, of a group's style (filled) or not (hollow). */
static size_t
count_markers(const struct display *d, enum display_color fill, bool other)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n_items; i++) {
        const struct display_item *item = &d->items[i];
        if (item->kind == DISPLAY_MARKER && item->title != NULL)
            n += (item->style.fill == fill) != other;
    }
    return n;
}

static bool
has_text(const struct display *d, const char *part)
{
    for (size_t i = 0; i < d->n_items; i++)
        if (d->items[i].kind == DISPLAY_TEXT && strstr(d->items[i].text, part))
            return true;
    return false;
}

/* Draws metric CA of a report made from `rows`, checks it and leaves it in *d. */
static void
draw(struct display *d, json_t *rows)
{
    json_t *report = fixture_report(rows);
    struct chart c;

    chart_init(&c, report, json_array_get(json_object_get(report, "facets"), 0), "CA");
    plot_draw(d, &c);
    check_texts(d);
    check_marks(d);
    chart_release(&c);
    json_decref(report);
}

/* Rows with up to n settings at random budgets, temperatures and seeds. */
static json_t *
random_rows(uint32_t *seed, size_t n)
{
    json_t *rows = fixture_empty();
    const uint32_t spread = 1 + fixture_random(seed) % 5000;

    for (size_t i = 0; i < n; i++) {
        const int64_t budget = 100 + 100 * (fixture_random(seed) % 990);
        const double temperature = 1 + fixture_random(seed) % 9;
        fixture_add(rows, budget, temperature, fixture_random(seed) % 3,
                    50 + fixture_random(seed) % spread / 100.0);
    }
    if (fixture_random(seed) % 2)
        fixture_add(rows, 0, 4, 0, 50 + fixture_random(seed) % 5000 / 100.0);
    return rows;
}

static void
random_reports_draw_without_overlap_or_clipping(void **state)
{
    uint32_t seed = 6;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct display d;
        draw(&d, random_rows(&seed, 1 + fixture_random(&seed) % 40));
        display_release(&d);
    }
}

static void
settings_at_one_budget_stand_side_by_side_with_their_values(void **state)
{
    json_t *rows = fixture_empty();
    double last = NAN;
    struct display d;

    (void)state;
    for (int t = 1; t <= 5; t++)
        fixture_add(rows, 50000, t, 0, 70 + t / 100.0);
    draw(&d, rows);
    assert_true(has_text(&d, "70.01") && has_text(&d, "70.05"));
    for (size_t i = 0; i < d.n_items; i++) {
        const struct display_item *a = &d.items[i];
        if (a->kind != DISPLAY_MARKER || a->title == NULL)
            continue;
        assert_true(isnan(last) || a->x > last + 8);
        last = a->x;
    }
    display_release(&d);
}

static void
a_setting_that_lacks_cells_is_hollow(void **state)
{
    json_t *rows = fixture_empty();
    struct display d;

    (void)state;
    fixture_add(rows, 5000, 4, 0, 70);
    fixture_add(rows, 10000, 4, 0, 75);
    json_t *open = fixture_add(rows, 10000, 4, 1, 0);
    json_object_set_new(open, "state", json_string("leased"));
    draw(&d, rows);
    assert_int_equal(count_markers(&d, DISPLAY_PAPER, false), 1);
    assert_int_equal(count_markers(&d, DISPLAY_PAPER, true), 1);
    assert_true(has_text(&d, "some cells missing"));
    display_release(&d);
}

static void
nothing_to_draw_is_said_in_words(void **state)
{
    json_t *rows = fixture_empty();
    struct display d;

    (void)state;
    json_t *open = fixture_add(rows, 10000, 4, 1, 0);
    json_object_set_new(open, "state", json_string("failed"));
    draw(&d, rows);
    assert_true(has_text(&d, "No finished cell has reported CA."));
    display_release(&d);
}

static void
long_names_are_cut_and_stay_on_the_canvas(void **state)
{
    json_t *rows = fixture_empty();
    char name[400];
    struct display d;

    (void)state;
    memset(name, 'W', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    json_object_set_new(rows, "title", json_string(name));
    json_array_append_new(json_object_get(rows, "axes"), json_string("note"));
    for (int i = 0; i < 3; i++) {
        json_t *cell = fixture_add(rows, i < 2 ? 5000 * (i + 1) : 0, 4, 0, 70 + i);
        name[i] = 'i';
        json_object_set_new(json_object_get(cell, "params"), "note", json_string(name));
    }
    draw(&d, rows);
    assert_true(has_text(&d, "…"));
    display_release(&d);
}

static void
a_thousand_points_are_all_there(void **state)
{
    json_t *rows = fixture_empty();
    struct display d;

    (void)state;
    for (int i = 0; i < 1000; i++)
        fixture_add(rows, 5000 + 90 * i, 1 + i % 4, 0, 60 + i % 97 / 10.0);
    fixture_add(rows, 0, 4, 0, 80);
    draw(&d, rows);
    assert_int_equal(count_markers(&d, DISPLAY_COLOR_COUNT, true), 1001);
    display_release(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_reports_draw_without_overlap_or_clipping),
        cmocka_unit_test(settings_at_one_budget_stand_side_by_side_with_their_values),
        cmocka_unit_test(a_setting_that_lacks_cells_is_hollow),
        cmocka_unit_test(nothing_to_draw_is_said_in_words),
        cmocka_unit_test(long_names_are_cut_and_stay_on_the_canvas),
        cmocka_unit_test(a_thousand_points_are_all_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
