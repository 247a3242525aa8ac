/* models_test.c - facts about trained networks: layers, overlaps, batch norm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/report/figure.h"
#include "coordinator/report/merge.h"
#include "coordinator/report/models.h"
#include "tests/coordinator/report/fixture.h"

static json_t *
model(int cell, int first, int second)
{
    return json_pack("{s:i, s:[{s:i,s:i},{s:i,s:i}], s:{s:s, s:[{s:s,s:[f,f],s:[f,f]},"
                     "{s:s,s:[f,f],s:[f,f]}]}}",
                     "cell", cell, "layers", "relus", 8000, "kept", first, "relus",
                     2000, "kept", second, "norm", "name", "layer4.1.bn2", "paths",
                     "name", "BN_c", "mean", 0.1, 0.2, "var", 1.0, 2.0, "name", "BN_a",
                     "mean", 0.3, 0.4, "var", 1.5, 2.5);
}

static json_t *
rows_with_models(void)
{
    json_t *rows = fixture_empty();

    fixture_add(rows, 0, 4, 0, 90);
    fixture_add(rows, 5000, 4, 0, 70);
    fixture_add(rows, 9000, 4, 0, 75);
    json_object_set_new(rows, "models",
                        json_pack("[o,o,o]", model(0, 8000, 2000), model(1, 4000, 1000),
                                  model(2, 7000, 2000)));
    json_object_set_new(rows, "overlaps",
                        json_pack("[{s:i,s:i,s:f}]", "a", 1, "b", 2, "iou", 0.5));
    return rows;
}

static const json_t *
figure_of(const json_t *report, const char *kind)
{
    json_t *figure;
    size_t i;

    json_array_foreach(json_object_get(report, "figures"), i, figure)
    {
        if (strcmp(json_str(figure, "kind", ""), kind) == 0)
            return figure;
    }
    return NULL;
}

static bool
draws(const json_t *report, const char *kind, const char *text)
{
    const json_t *figure = figure_of(report, kind);
    struct display d;
    bool found = false;

    assert_non_null(figure);
    figure_draw(&d, report, figure);
    for (size_t i = 0; i < d.n_items; i++) {
        const struct display_item *item = &d.items[i];
        found = found || (item->kind == DISPLAY_TEXT && strcmp(item->text, text) == 0)
                || (item->title != NULL && strcmp(item->title, text) == 0);
    }
    display_release(&d);
    return found;
}

static void
layers_overlaps_and_norms_are_drawn_without_the_reference(void **state)
{
    json_t *report = fixture_report(rows_with_models());
    json_t *reduced = models_reduced(report, 0);

    (void)state;
    assert_int_equal(json_array_size(reduced), 2);
    assert_true(draws(report, "layers", "layer 1: 4,000 of 8,000"));
    assert_true(draws(report, "layers", "relu_budget 9k"));
    assert_true(draws(report, "overlap", "0.50"));
    assert_true(draws(report, "norms", "adversarial"));
    json_decref(reduced);
    json_decref(report);
}

static void
rows_without_models_have_no_such_figures(void **state)
{
    json_t *report = fixture_report(fixture_rows());

    (void)state;
    assert_null(figure_of(report, "layers"));
    assert_null(figure_of(report, "overlap"));
    assert_null(figure_of(report, "norms"));
    json_decref(report);
}

static void
merged_sweeps_keep_models_with_their_cells(void **state)
{
    json_t *a = rows_with_models(), *b = rows_with_models(), *cell;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(b, "cells"), i, cell)
    {
        json_object_set_new(json_object_get(cell, "params"), "note", json_string("b"));
        json_object_set_new(json_object_get(cell, "written"), "note", json_string("b"));
    }
    json_t *list = json_pack("[o,o]", a, b);
    json_t *merged = report_merge(list);
    const json_t *pairs = json_object_get(merged, "overlaps");
    assert_int_equal(json_array_size(json_object_get(merged, "models")), 6);
    assert_int_equal(json_int(json_array_get(pairs, 1), "a", 0), 4);
    json_t *report = fixture_report(merged), *reduced = models_reduced(report, 0);
    assert_int_equal(json_array_size(reduced), 4);
    json_decref(reduced);
    json_decref(report);
    json_decref(list);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_overlaps_and_norms_are_drawn_without_the_reference),
        cmocka_unit_test(rows_without_models_have_no_such_figures),
        cmocka_unit_test(merged_sweeps_keep_models_with_their_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
