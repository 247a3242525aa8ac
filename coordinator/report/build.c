/*
 * build.c - rows to the report document: groups, references, fronts, failures, words.
 * The writers add nothing of their own to it. Pure; it must not know the database, the
 * clock or how anything is drawn.
 */
#include "coordinator/report/report.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/ablation.h"
#include "coordinator/report/aggregate.h"
#include "coordinator/report/compare.h"
#include "coordinator/report/cost.h"
#include "coordinator/report/facet.h"
#include "coordinator/report/figure.h"
#include "coordinator/report/group.h"
#include "coordinator/report/jobs.h"
#include "coordinator/report/label.h"
#include "coordinator/report/models.h"
#include "coordinator/report/papers.h"
#include "coordinator/report/volumes.h"
#include "coordinator/report/words.h"
#include "coordinator/report/work.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

/* Shown in tables whenever there, beside the metrics that the sweep asks for. */
static const char *const usual_metrics[] = {"CA", "NPA", "AdvA", "mCE"};

/* ---- what the sweep file asks for ------------------------------------------------ */

/* A list of distinct words from a list or a single one; others are skipped. */
static json_t *
words_of(const json_t *value)
{
    json_t *words = json_array(), *item;
    size_t i;

    if (json_is_string(value))
        json_array_append(words, (json_t *)value);
    json_array_foreach(value, i, item)
    {
        if (json_is_string(item) && !json_has_text(words, json_string_value(item)))
            json_array_append(words, item);
    }
    return words;
}

/* What each of the sweeps was made from; one sweep is itself. */
static void
set_sweeps(json_t *report, const json_t *rows)
{
    json_t *sweeps = json_object_get(rows, "sweeps");

    if (sweeps != NULL)
        json_object_set(report, "sweeps", sweeps);
    else
        json_object_set_new(
            report, "sweeps",
            json_pack("[{s:s, s:s, s:s}]", "name", json_str(rows, "name", ""), "file",
                      json_str(rows, "file", ""), "sets", json_str(rows, "sets", "")));
}

static void
set_request(json_t *report, const json_t *rows)
{
    const json_t *request = json_object_get(rows, "report");
    json_t *y = words_of(json_object_get(request, "y"));

    if (json_array_size(y) == 0)
        for (size_t i = 0; i < 3; i++)
            json_array_append_new(y, json_string(usual_metrics[i]));
    json_object_set_new(report, "y", y);
    json_object_set_new(report, "x", json_string(json_str(request, "x", "relus")));
    json_object_set_new(report, "cost", json_string(json_str(request, "cost", "none")));
    json_object_set_new(report, "published",
                        words_of(json_object_get(request, "reference")));
    json_object_set_new(report, "axes", words_of(json_object_get(rows, "axes")));
    json_object_set_new(report, "group_over",
                        words_of(json_object_get(request, "group_over")));
    for (const char *const *key =
             (const char *const[]){"name", "title", "file", "sets", NULL};
         *key != NULL; key++)
        json_object_set_new(report, *key, json_string(json_str(rows, *key, "")));
    set_sweeps(report, rows);
}

/* ---- groups ---------------------------------------------------------------------- */

/* All-ReLU rows: by their budget, or because every ReLU was kept. */
static bool
keeps_all(const json_t *group)
{
    const char *budget = json_str(json_object_get(group, "params"), label_budget, "");
    const double kept = group_stat(group, "relus", "mean");

    return strcmp(budget, label_budget_all) == 0
           || kept == group_stat(group, "relus_total", "mean");
}

static void
set_saving(json_t *groups)
{
    json_t *group;
    size_t i;

    json_array_foreach(groups, i, group)
    {
        const double kept = group_stat(group, "relus", "mean");
        const double total = group_stat(group, "relus_total", "mean");
        json_object_set_new(group, "reference", json_boolean(keeps_all(group)));
        if (kept > 0 && !isnan(total))
            json_object_set_new(group, "saving", json_real(total / kept));
    }
}

static void
set_labels(json_t *report)
{
    const json_t *varying = json_object_get(report, "varying");
    struct buf b = {0};
    json_t *group;
    size_t i;

    json_array_foreach(json_object_get(report, "groups"), i, group)
    {
        buf_clear(&b);
        label_params(&b, json_object_get(group, "params"), varying);
        if (b.len == 0)
            buf_puts(&b, group_is_reference(group) ? "all ReLUs" : "the only setting");
        json_object_set_new(group, "label", json_string(buf_str(&b)));
    }
    buf_release(&b);
}

struct ranked {
    json_t *group;
    double x;
    size_t index;
};

/* By facet, references first, then by x, then groups without x; ties by label, then as given. */
static int
by_place(const void *a, const void *b)
{
    const struct ranked *p = a, *q = b;
    const bool rp = group_is_reference(p->group), rq = group_is_reference(q->group);
    const int64_t fp = json_int(p->group, "facet", 0);
    const int64_t fq = json_int(q->group, "facet", 0);

    if (fp != fq)
        return fp < fq ? -1 : 1;
    if (rp != rq)
        return rp ? -1 : 1;
    if (isnan(p->x) != isnan(q->x))
        return isnan(p->x) ? 1 : -1;
    if (p->x != q->x && !isnan(p->x))
        return p->x < q->x ? -1 : 1;
    const int order =
        strverscmp(json_str(p->group, "label", ""), json_str(q->group, "label", ""));
    return order != 0 ? order : (p->index > q->index) - (p->index < q->index);
}

static void
sort_groups(json_t *report)
{
    json_t *groups = json_object_get(report, "groups"), *order = json_array(), *group;
    const size_t n = json_array_size(groups);
    struct ranked *list = xcalloc(n + 1, sizeof *list);
    size_t i;

    json_array_foreach(groups, i, group)
    {
        list[i].group = group;
        list[i].x = group_x(group, json_str(report, "x", ""));
        list[i].index = i;
    }
    qsort(list, n, sizeof *list, by_place);
    for (i = 0; i < n; i++)
        json_array_append(order, list[i].group);
    free(list);
    json_object_set_new(report, "groups", order);
}

/* ---- metrics ---------- ---------------------------------------------------------- */

/* The first record of a metric in any group, NULL when there is none. */
static const json_t *
find_metric(const json_t *groups, const char *metric)
{
    json_t *group;
    size_t i;

    json_array_foreach(groups, i, group)
    {
        const json_t *record =
            json_object_get(json_object_get(group, "metrics"), metric);
        if (record != NULL)
            return record;
    }
    return NULL;
}

/* "goals" of the y metrics (without a word of their own: more is better) and "columns",
 * the metrics of the tables. */
static void
set_columns(json_t *report)
{
    const json_t *groups = json_object_get(report, "groups");
    json_t *goals = json_object(), *columns = json_array(), *metric;
    size_t i;

    json_array_foreach(json_object_get(report, "y"), i, metric)
    {
        const char *name = json_string_value(metric);
        const char *goal = json_str(find_metric(groups, name), "goal", "max");
        json_object_set_new(goals, name,
                            json_string(strcmp(goal, "min") == 0 ? "min" : "max"));
        json_array_append(columns, metric);
    }
    for (i = 0; i < sizeof usual_metrics / sizeof usual_metrics[0]; i++)
        if (!json_has_text(columns, usual_metrics[i])
            && find_metric(groups, usual_metrics[i]) != NULL)
            json_array_append_new(columns, json_string(usual_metrics[i]));
    json_object_set_new(report, "goals", goals);
    json_object_set_new(report, "columns", columns);
}

/* ---- cells and counts ------------------------------------------------------------ */

/* A cell as cells.csv and report.json show it: what the file chose, what came out. */
static json_t *
cell_record(const json_t *cell, const json_t *axes)
{
    json_t *params = json_copy(json_object_get(cell, "written"));
    json_t *values = json_object(), *digests = json_array(), *item;
    const char *name;
    size_t i;

    if (params == NULL)
        params = json_object();
    json_array_foreach(axes, i, item)
    {
        name = json_string_value(item);
        json_t *v = json_object_get(json_object_get(cell, "params"), name);
        if (v != NULL)
            json_object_set(params, name, v);
        else
            json_object_del(params, name);
    }
    json_object_foreach(json_object_get(cell, "metrics"), name, item)
    {
        if (!isnan(aggregate_value(cell, name)))
            json_object_set_new(values, name, json_real(aggregate_value(cell, name)));
    }
    json_array_foreach(json_object_get(cell, "jobs"), i, item)
    {
        json_array_append_new(digests, json_string(json_str(item, "digest", "")));
    }
    return json_pack("{s:o, s:s, s:o, s:o}", "params", params, "state",
                     json_str(cell, "state", "unknown"), "metrics", values, "jobs",
                     digests);
}

/* What the file chose for all cells alike. */
static json_t *
fixed_params(const json_t *report, const json_t *cells)
{
    json_t *fixed = json_copy(json_object_get(json_array_get(cells, 0), "written"));
    json_t *axis;
    size_t i;

    if (fixed == NULL)
        return json_object();
    json_array_foreach(json_object_get(report, "axes"), i, axis)
    {
        json_object_del(fixed, json_string_value(axis));
    }
    return fixed;
}

static bool
is_lost(const char *state)
{
    return strcmp(state, "failed") == 0 || strcmp(state, "quarantined") == 0
           || strcmp(state, "upstream_failed") == 0;
}

static void
set_counts(json_t *report, const json_t *cells)
{
    const json_t *jobs = json_object_get(report, "jobs");
    json_int_t done = 0, failed = 0;
    double seconds = 0;
    json_t *item;
    size_t i;

    json_array_foreach(cells, i, item)
    {
        const char *state = json_str(item, "state", "");
        done += strcmp(state, "succeeded") == 0;
        failed += is_lost(state);
    }
    json_array_foreach(jobs, i, item)
    {
        seconds += json_num(item, "seconds", 0);
    }
    json_object_set_new(
        report, "counts",
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:f}", "cells",
                  (json_int_t)json_array_size(cells), "succeeded", done, "failed",
                  failed, "groups",
                  (json_int_t)json_array_size(json_object_get(report, "groups")),
                  "jobs", (json_int_t)json_array_size(jobs), "seconds", seconds));
}

static void
set_digests(json_t *report, const json_t *rows)
{
    const char *file = json_str(rows, "file", "");
    char *text = json_canonical(rows);

    json_object_set_new(report, "digests",
                        json_pack("{s:s, s:s}", "file",
                                  sha256_bytes(file, strlen(file)).hex, "rows",
                                  sha256_bytes(text, strlen(text)).hex));
    free(text);
}

static void
set_cells(json_t *report, const json_t *cells)
{
    const json_t *axes = json_object_get(report, "axes");
    json_t *records = json_array(), *cell;
    size_t i;

    json_array_foreach(cells, i, cell)
    {
        json_array_append_new(records, cell_record(cell, axes));
    }
    json_object_set_new(report, "cells", records);
    json_object_set_new(report, "fixed", fixed_params(report, cells));
    json_object_set_new(report, "jobs", jobs_list(cells));
}

/* Tables and figures: made from what is in the document by now. */
static void
add_parts(json_t *report, const json_t *rows, const struct published *published)
{
    const bool costs = strcmp(json_str(report, "cost", "none"), "none") != 0;

    json_object_set_new(report, "sheets", json_array());
    json_object_set_new(report, "figures", json_array());
    compare_add(report, published);
    volumes_add(report);
    papers_add(report, published);
    ablation_add(report);
    models_add(report, rows);
    if (costs)
        cost_add_sheets(report, json_str(report, "cost", ""));
    work_add(report);
    for (const struct figure_kind *const *kind = figure_kinds; *kind != NULL; kind++)
        (*kind)->list(report);
}

/* The cells with the metrics of the cost model that is asked for. New reference, or NULL
 * with err filled. */
static json_t *
costed_cells(const json_t *rows, struct err *err)
{
    const char *cost = json_str(json_object_get(rows, "report"), "cost", "none");
    const json_t *cells = json_object_get(rows, "cells");

    if (strcmp(cost, "none") == 0)
        return json_incref((json_t *)cells);
    json_t *copy = json_deep_copy(cells);
    if (cost_add_metrics(copy, cost, err) == 0)
        return copy;
    json_decref(copy);
    return NULL;
}

/* New reference. */
static json_t *
groups_of(const json_t *report, const json_t *rows, const json_t *cells)
{
    const json_t *groups = json_object_get(rows, "groups");

    return groups != NULL
               ? json_deep_copy(groups)
               : aggregate_cells(cells, json_object_get(report, "group_over"));
}

static json_t *
build(const json_t *rows, const json_t *cells, const struct published *published)
{
    json_t *report = json_object();

    set_request(report, rows);
    json_t *groups = groups_of(report, rows, cells);
    json_object_set_new(report, "groups", groups);
    set_saving(groups);
    json_object_set_new(report, "varying",
                        facet_varying(groups, json_object_get(report, "axes")));
    set_labels(report);
    facet_find(report);
    sort_groups(report);
    set_columns(report);
    facet_fill(report, cells);
    set_cells(report, cells);
    const json_t *jobs = json_object_get(report, "jobs");
    json_object_set_new(report, "failures", jobs_failures(jobs));
    json_object_set_new(report, "stages", jobs_stages(jobs));
    json_object_set_new(report, "provenance", jobs_provenance(cells));
    set_counts(report, cells);
    set_digests(report, rows);
    add_parts(report, rows, published);
    json_object_set(report, "verified", json_object_get(rows, "verified"));
    json_object_set_new(report, "summary", words_summary(report));
    json_object_set_new(report, "notes", words_notes(report, cells));
    return report;
}

int
report_build(json_t **out, const json_t *rows, struct err *err)
{
    struct published published;
    const char *name;

    *out = NULL;
    if (json_need_string(&name, rows, "name", "rows of the report", err) != 0)
        return -1;
    if (!json_is_array(json_object_get(rows, "cells")))
        return err_set(err, ERR_DATA, "rows of the report: key `cells` must be a list");
    json_t *cells = costed_cells(rows, err);
    if (cells == NULL)
        return -1;
    if (published_init(&published, err) == 0)
        *out = build(rows, cells, &published);
    published_release(&published);
    json_decref(cells);
    return *out != NULL ? 0 : err_wrap(err, "report");
}
