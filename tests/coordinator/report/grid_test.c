/*
 * grid_test.c - the report of a realistic grid: facets, published numbers, the papers'
 * tables, ablations, cost, several sweeps. Golden files as in write_test.c.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/report/facet.h"
#include "coordinator/report/group.h"
#include "coordinator/report/merge.h"
#include "coordinator/report/report.h"
#include "shared/base/file.h"
#include "tests/coordinator/report/fixture.h"

static json_t *grid; /* the report of fixture_grid */
static char *folder; /* its files */

/* Writes all tables and those of the figures that the tests look at: every file is made
 * safe on the disk, which takes its time. */
static int
write_grid(void **state)
{
    struct err err = {0};
    json_t *some = json_array(), *figure, *copy;
    size_t i;

    (void)state;
    grid = fixture_report(fixture_grid());
    folder = fixture_folder();
    copy = json_copy(grid);
    json_array_foreach(json_object_get(grid, "figures"), i, figure)
    {
        const char *name = json_str(figure, "name", "");
        if (strstr(name, "-CA-") != NULL && strstr(name, "resnet18") != NULL)
            json_array_append(some, figure);
    }
    json_object_set_new(copy, "figures", some);
    const int rc = report_write(copy, folder, &err);
    json_decref(copy);
    return rc;
}

static int
remove_grid(void **state)
{
    struct err err = {0};
    const int rc = file_remove_tree(folder, &err);

    (void)state;
    free(folder);
    json_decref(grid);
    return rc;
}

static const json_t *
find(const json_t *report, const char *list, const char *name)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(report, list), i, item)
    {
        if (strcmp(json_str(item, "name", ""), name) == 0)
            return item;
    }
    return NULL;
}

/* Text of a sheet's cell. */
static const char *
cell(const json_t *sheet, size_t row, size_t column)
{
    const json_t *cells = json_array_get(json_object_get(sheet, "rows"), row);

    return json_string_value(json_array_get(cells, column));
}

static const json_t *
facet_at(const json_t *report, size_t i)
{
    return json_array_get(json_object_get(report, "facets"), i);
}

static size_t
n_curves(const json_t *report, size_t facet, const char *metric)
{
    const json_t *curves = json_object_get(facet_at(report, facet), "curves");

    return json_array_size(json_object_get(curves, metric));
}

static void
tables_and_plots_agree_with_the_golden_files(void **state)
{
    static const char *const names[] = {"pareto-CA-cifar100-resnet18.svg",
                                        "sensitivity-CA-cifar100-resnet18.svg",
                                        "rlnet-table4.csv",
                                        "rlnet-table6.tex",
                                        "against-published.csv",
                                        "hypervolume.csv",
                                        "ablation-loss-cifar10-resnet18.csv",
                                        "work.csv"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf got = fixture_read(folder, names[i]);
        fixture_golden(names[i], &got);
        buf_release(&got);
    }
}

static void
each_data_set_and_model_is_a_facet_with_a_front_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(json_array_size(json_object_get(grid, "facets")), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *facet = facet_at(grid, i);
        const json_t *front = json_object_get(json_object_get(facet, "fronts"), "CA");
        assert_int_equal(facet_n_groups(facet), 37);
        assert_true(json_array_size(front) >= 5);
        for (size_t k = 0; k < facet_n_groups(facet); k++) {
            const json_t *group = facet_group(grid, facet, k);
            assert_string_equal(
                json_str(facet, "dataset", ""),
                json_str(json_object_get(group, "params"), "dataset", ""));
        }
    }
}

static void
published_curves_belong_to_data_set_model_and_metric(void **state)
{
    (void)state;
    assert_string_equal(json_str(facet_at(grid, 0), "label", ""), "cifar10, resnet18");
    assert_int_equal(n_curves(grid, 0, "CA"), 6);
    assert_int_equal(n_curves(grid, 0, "AdvA"), 2);
    assert_int_equal(n_curves(grid, 1, "AdvA"), 0); /* no WRN on CIFAR-10 */
}

/* The grid's report with one parameter of all cells, or of the request, changed. */
static json_t *
grid_with(const char *param, json_t *value, const char *request, json_t *wanted)
{
    json_t *rows = fixture_grid(), *item;
    size_t i;

    json_array_foreach(json_object_get(rows, "cells"), i, item)
    {
        if (param != NULL)
            json_object_set(json_object_get(item, "params"), param, value);
    }
    if (request != NULL)
        json_object_set(json_object_get(rows, "report"), request, wanted);
    json_decref(value);
    json_decref(wanted);
    return fixture_report(rows);
}

static void
small_runs_are_not_compared_with_published_numbers(void **state)
{
    json_t *report = grid_with("train_images", json_integer(8000), NULL, NULL);

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_true(json_is_true(json_object_get(facet_at(report, i), "small")));
        assert_int_equal(n_curves(report, i, "CA"), 0);
    }
    assert_null(find(report, "sheets", "against-published"));
    assert_null(find(report, "sheets", "rlnet-table1"));
    json_decref(report);
}

static void
curves_are_chosen_by_name(void **state)
{
    json_t *report =
        grid_with(NULL, NULL, "reference", json_pack("[s,s]", "snl", "nobody"));
    json_t *none = grid_with(NULL, NULL, "reference", json_pack("[s]", "none"));
    char *notes = json_dumps(json_object_get(report, "notes"), 0);

    (void)state;
    assert_int_equal(n_curves(report, 0, "CA"), 1);
    assert_int_equal(n_curves(none, 0, "CA"), 0);
    assert_non_null(strstr(notes, "no published curve called `nobody`"));
    free(notes);
    json_decref(none);
    json_decref(report);
}

static void
a_papers_table_has_our_difference_where_the_setting_is_the_same(void **state)
{
    const json_t *table = find(grid, "sheets", "rlnet-table4");

    (void)state;
    assert_int_equal(json_array_size(json_object_get(table, "rows")), 4);
    assert_string_equal(cell(table, 1, 4), "L_kl T=1");
    assert_string_equal(cell(table, 1, 5), "71.08");
    assert_string_equal(cell(table, 1, 15), "loss kl, temperature 1");
    const double difference = strtod(cell(table, 1, 7), NULL);
    const double ours = strtod(cell(table, 1, 6), NULL);
    assert_true(fabs(ours - 71.08 - difference) < 0.011);
    assert_null(find(grid, "sheets", "bcd-table2")); /* no BCD among our methods */
}

static void
ablations_compare_settings_that_differ_in_nothing_else(void **state)
{
    const json_t *sheet = find(grid, "sheets", "ablation-temperature-cifar10-resnet18");

    (void)state;
    assert_non_null(sheet);
    for (size_t i = 0; i < json_array_size(json_object_get(sheet, "rows")); i++) {
        const double one = strtod(cell(sheet, i, 2), NULL);
        const double four = strtod(cell(sheet, i, 3), NULL);
        assert_true(fabs(four - one - strtod(cell(sheet, i, 4), NULL)) < 0.011);
    }
}

static void
cost_follows_the_constants_and_can_be_the_axis(void **state)
{
    json_t *rows = fixture_grid(), *request = json_object_get(rows, "report");

    (void)state;
    json_object_set_new(request, "cost", json_string("delphi"));
    json_object_set_new(request, "x", json_string("pi_online_s"));
    json_t *report = fixture_report(rows);
    const json_t *all = facet_group(report, facet_at(report, 0), 0);
    const double r = 557056, m = r * 997, e = r * 0.9;
    const double down = 1184 * r, up = 9 * e;
    const double seconds = r * 21.9e-6 + m * 0.77e-9 + up / 12.5e6 + down / 62.5e6;
    assert_true(group_is_reference(all));
    assert_true(fabs(group_stat(all, "pi_online_bytes", "mean") - up - down) < 1);
    assert_true(fabs(group_stat(all, "pi_online_s", "mean") - seconds) < 1e-6);
    assert_non_null(find(report, "sheets", "cost-constants"));
    assert_int_equal(n_curves(report, 0, "CA"), 0); /* theirs have no such x */
    json_decref(report);
}

static void
an_estimate_that_was_not_measured_is_called_so(void **state)
{
    json_t *rows = fixture_grid(), *note;
    bool said = false;
    size_t i;

    (void)state;
    json_object_set_new(json_object_get(rows, "report"), "cost",
                        json_string("cheetah"));
    json_t *report = fixture_report(rows);
    json_array_foreach(json_object_get(report, "notes"), i, note)
    {
        said = said || strstr(json_string_value(note), "do not quote") != NULL;
    }
    assert_true(said);
    json_decref(report);
}

static void
an_unknown_cost_model_is_refused_with_the_nearest_name(void **state)
{
    json_t *rows = fixture_grid(), *report;
    struct err err = {0};

    (void)state;
    json_object_set_new(json_object_get(rows, "report"), "cost", json_string("delfi"));
    assert_int_equal(report_build(&report, rows, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "did you mean `delphi`?"));
    json_decref(rows);
}

static void
sharing_saves_the_teachers_that_cells_have_in_common(void **state)
{
    const json_t *work = find(grid, "sheets", "work");

    (void)state;
    assert_string_equal(cell(work, 0, 0), "teacher");
    assert_string_equal(cell(work, 0, 1), "12");
    assert_string_equal(cell(work, 0, 4), "204.0 h");
    assert_string_equal(cell(work, 0, 5), "7548.0 h");
}

static void
several_sweeps_are_told_apart_by_what_their_files_chose(void **state)
{
    json_t *a = fixture_grid(), *b = fixture_grid(), *cell_b;
    size_t i;

    (void)state;
    json_object_set_new(b, "name", json_string("other"));
    json_array_foreach(json_object_get(b, "cells"), i, cell_b)
    {
        json_object_set_new(json_object_get(cell_b, "params"), "method",
                            json_string("senet"));
    }
    json_t *list = json_pack("[o,o]", a, b);
    json_t *report = fixture_report(report_merge(list));
    assert_string_equal(json_str(report, "name", ""), "grid+other");
    assert_int_equal(facet_n_groups(facet_at(report, 0)), 74);
    assert_int_equal(json_array_size(json_object_get(report, "sweeps")), 2);
    char *varying = json_dumps(json_object_get(report, "varying"), 0);
    assert_non_null(strstr(varying, "method"));
    free(varying);
    json_decref(report);
    json_decref(list);
}

static void
pdf_files_have_no_time_but_the_fixed_one(void **state)
{
    struct buf pdf = fixture_read(folder, "pareto-CA-cifar10-resnet18.pdf");

    (void)state;
    assert_memory_equal(pdf.data, "%PDF-", 5);
    assert_non_null(memmem(pdf.data, pdf.len, "(20000101000000Z)", 17));
    assert_null(memmem(pdf.data, pdf.len, "ModDate", 7));
    buf_release(&pdf);
}

static void
a_long_terminal_table_shows_fronts_and_references(void **state)
{
    struct buf text = {0};

    (void)state;
    report_text(&text, grid, 80);
    assert_non_null(strstr(buf_str(&text), "settings on no front"));
    assert_non_null(strstr(buf_str(&text), "capital: on the Pareto front of means"));
    buf_release(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_and_plots_agree_with_the_golden_files),
        cmocka_unit_test(each_data_set_and_model_is_a_facet_with_a_front_of_its_own),
        cmocka_unit_test(published_curves_belong_to_data_set_model_and_metric),
        cmocka_unit_test(small_runs_are_not_compared_with_published_numbers),
        cmocka_unit_test(curves_are_chosen_by_name),
        cmocka_unit_test(
            a_papers_table_has_our_difference_where_the_setting_is_the_same),
        cmocka_unit_test(ablations_compare_settings_that_differ_in_nothing_else),
        cmocka_unit_test(cost_follows_the_constants_and_can_be_the_axis),
        cmocka_unit_test(an_estimate_that_was_not_measured_is_called_so),
        cmocka_unit_test(an_unknown_cost_model_is_refused_with_the_nearest_name),
        cmocka_unit_test(sharing_saves_the_teachers_that_cells_have_in_common),
        cmocka_unit_test(several_sweeps_are_told_apart_by_what_their_files_chose),
        cmocka_unit_test(pdf_files_have_no_time_but_the_fixed_one),
        cmocka_unit_test(a_long_terminal_table_shows_fronts_and_references),
    };
    return cmocka_run_group_tests(tests, write_grid, remove_grid);
}
