/*
 * words.c - the report in sentences. Every number comes from the document; a sentence
 * whose numbers are missing is left out, never guessed.
 */
#include "coordinator/report/words.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/aggregate.h"
#include "coordinator/report/compare.h"
#include "coordinator/report/cost.h"
#include "coordinator/report/facet.h"
#include "coordinator/report/group.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "coordinator/report/small.h"
#include "coordinator/report/verified.h"
#include "shared/base/buf.h"
#include "shared/spec/metric.h"

/* ---- summary --------------------------------------------------------------------- */

static enum metric_goal
goal_of(const json_t *report, const char *metric)
{
    return metric_goal_find(json_str(json_object_get(report, "goals"), metric, "max"));
}

/* The best group of a facet in a metric, among the references or among the others; ties
 * go to the smaller x, which comes first. NULL when none has it. */
static const json_t *
best_group(const json_t *report, const json_t *facet, const char *metric,
           bool reference)
{
    const bool down = goal_of(report, metric) == METRIC_MIN;
    const json_t *best = NULL;
    double top = NAN;

    for (size_t i = 0; i < facet_n_groups(facet); i++) {
        const json_t *group = facet_group(report, facet, i);
        const double v = group_stat(group, metric, "mean");
        if (group_is_reference(group) != reference || isnan(v))
            continue;
        if (best == NULL || (down ? v < top : v > top)) {
            best = group;
            top = v;
        }
    }
    return best;
}

/* "91.20 %" */
static void
put_value(struct buf *b, double v, const char *unit)
{
    number_metric(b, v, unit);
    if (unit[0] != '\0')
        buf_printf(b, " %s", unit);
}

/* " at 50,000 ReLUs (temperature 4)"; without the ReLUs where they are not known. */
static void
put_place(struct buf *b, const json_t *report, const json_t *facet, const json_t *group)
{
    const char *x = json_str(report, "x", "");
    const char *unit = group_unit(group, x);
    const json_t *params = json_object_get(group, "params");
    const double at = group_x(group, x);
    struct buf series = {0};

    if (!isnan(at) && unit[0] != '\0') {
        buf_puts(b, " at ");
        put_value(b, at, unit);
    } else if (!isnan(at) && json_object_get(params, x) == NULL) {
        buf_printf(b, " at %s ", x);
        number_short(b, at);
    }
    label_series(&series, params, json_object_get(facet, "varying"));
    if (series.len > 0)
        buf_printf(b, " (%s)", buf_str(&series));
    buf_release(&series);
}

/* ", 2.10 points below the all-ReLU model's 93.30 % and with 11.1 times fewer ReLUs" */
static void
put_against_reference(struct buf *b, const json_t *group, const json_t *reference,
                      const char *metric, bool with_saving)
{
    const char *unit = group_unit(group, metric);
    const double v = group_stat(group, metric, "mean");
    const double r = group_stat(reference, metric, "mean");
    const double saving = json_num(group, "saving", NAN);

    if (reference == NULL)
        return;
    buf_puts(b, ", ");
    if (v == r) {
        buf_puts(b, "equal to");
    } else {
        number_metric(b, fabs(v - r), unit);
        buf_printf(b, " %s %s", strcmp(unit, "%") == 0 ? "points" : unit,
                   v < r ? "below" : "above");
    }
    buf_puts(b, " the all-ReLU model's ");
    put_value(b, r, unit);
    if (with_saving && !isnan(saving))
        buf_printf(b, ", with %.1f times fewer ReLUs", saving);
}

/* "; the best published with no more ReLUs is 94.43 % (RLNet paper, Table 1)" */
static void
put_against_published(struct buf *b, const json_t *report, const json_t *facet,
                      const json_t *group, const char *metric)
{
    const double relus = group_stat(group, "relus", "mean");
    const struct compare_best best = compare_best(facet, report, metric, relus);

    if (best.point == NULL)
        return;
    buf_puts(b, "; the best published with no more ReLUs is ");
    put_value(b, json_num(best.point, "y", NAN), group_unit(group, metric));
    buf_printf(b, " (%s: %s)", json_str(best.curve, "label", ""),
               json_str(best.curve, "citation", ""));
}

/* One sentence on a metric. Where its best is at `before`, the place of the sentence
 * before, that is not said again. Returns the best group, NULL when there is none. */
static const json_t *
put_best(struct buf *b, const json_t *report, const json_t *facet, const char *metric,
         const json_t *before)
{
    const json_t *best = best_group(report, facet, metric, false);
    const json_t *reference = best_group(report, facet, metric, true);
    const json_t *shown = best != NULL ? best : reference;
    const char *words = label_metric(metric);

    if (shown == NULL)
        return before;
    buf_printf(b, " %s", words);
    if (strcmp(words, metric) != 0)
        buf_printf(b, " (%s)", metric);
    if (best == NULL) {
        buf_puts(b, " of the all-ReLU model");
    } else if (best == before) {
        buf_puts(b, " is best there too");
    } else {
        buf_puts(b, " is best");
        put_place(b, report, facet, best);
    }
    buf_puts(b, ": ");
    put_value(b, group_stat(shown, metric, "mean"), group_unit(shown, metric));
    if (best != NULL)
        put_against_reference(b, best, reference, metric, best != before);
    if (best != NULL)
        put_against_published(b, report, facet, best, metric);
    buf_puts(b, ".");
    return best;
}

static void
put_counts(struct buf *b, const json_t *report)
{
    const json_t *counts = json_object_get(report, "counts");
    const int64_t cells = json_int(counts, "cells", 0);
    const int64_t done = json_int(counts, "succeeded", 0);
    const int64_t groups = json_int(counts, "groups", 0);

    if (cells == 0) {
        buf_puts(b, "The sweep has no cells.");
        return;
    }
    number_count(b, done);
    buf_puts(b, " of ");
    number_count(b, cells);
    buf_printf(b, " cell%s finished", cells == 1 ? "" : "s");
    if (groups < cells) {
        buf_puts(b, ", of ");
        number_count(b, groups);
        buf_printf(b, " setting%s", groups == 1 ? "" : "s");
    }
    buf_puts(b, done == 0 ? ": there is nothing to compare yet." : ".");
}

/* Every metric where there is one facet; of several the first metric only, which is
 * enough for one paragraph. */
static void
put_facet(struct buf *b, const json_t *report, const json_t *facet, bool only)
{
    const json_t *y = json_object_get(report, "y"), *before = NULL;
    json_t *metric;
    size_t i;

    if (!only)
        buf_printf(b, " %s:", json_str(facet, "label", ""));
    json_array_foreach(y, i, metric)
    {
        if (only || i == 0)
            before = put_best(b, report, facet, json_string_value(metric), before);
    }
}

json_t *
words_summary(const json_t *report)
{
    const json_t *facets = json_object_get(report, "facets");
    struct buf b = {0};
    json_t *facet;
    size_t i;

    put_counts(&b, report);
    json_array_foreach(facets, i, facet)
    {
        put_facet(&b, report, facet, json_array_size(facets) == 1);
    }
    json_t *text = json_string(buf_str(&b));
    buf_release(&b);
    return text;
}

/* ---- notes ----------------------------------------------------------------------- */

static void
add_note(json_t *notes, struct buf *text)
{
    json_array_append_new(notes, json_string(buf_str(text)));
    buf_release(text);
}

/* How many cells have this string as a parameter. */
static size_t
count_param(const json_t *cells, const char *name, const char *value)
{
    size_t i, n = 0;
    json_t *cell;

    json_array_foreach(cells, i, cell)
    {
        n += strcmp(json_str(json_object_get(cell, "params"), name, ""), value) == 0;
    }
    return n;
}

static void
note_selection(json_t *notes, const json_t *cells)
{
    const size_t n = count_param(cells, "select_on", "test");
    struct buf b = {0};

    if (n == 0)
        return;
    buf_printf(&b,
               "Selection on the test set is on (select_on: test) in %zu of %zu cells: "
               "the epoch that is reported was chosen by its accuracy on the test "
               "images, as the papers do, so these accuracies are optimistic.",
               n, json_array_size(cells));
    add_note(notes, &b);
}

static void
note_scale(json_t *notes, const json_t *cells)
{
    struct buf limits = {0}, note = {0};

    small_limits(&limits, cells);
    if (limits.len > 0) {
        buf_printf(&note,
                   "Small-scale run (%s): the numbers show the method at work, they "
                   "are not comparable with published ones.",
                   buf_str(&limits));
        add_note(notes, &note);
    }
    buf_release(&limits);
}

static void
note_unfinished(json_t *notes, const json_t *report)
{
    const json_t *counts = json_object_get(report, "counts");
    const int64_t failed = json_int(counts, "failed", 0);
    const int64_t open =
        json_int(counts, "cells", 0) - failed - json_int(counts, "succeeded", 0);
    struct buf b = {0};

    if (failed > 0) {
        buf_printf(&b, "%lld cell%s failed; the causes are listed below.",
                   (long long)failed, failed == 1 ? "" : "s");
        add_note(notes, &b);
    }
    if (open > 0) {
        buf_printf(&b, "%lld cell%s unfinished or cancelled.", (long long)open,
                   open == 1 ? " is" : "s are");
        add_note(notes, &b);
    }
}

static void
note_incomplete(json_t *notes, const json_t *report)
{
    size_t i, n = 0, all = 0;
    struct buf b = {0};
    json_t *group;

    json_array_foreach(json_object_get(report, "groups"), i, group)
    {
        const bool some = json_int(group, "n", 0) > 0;
        n += some && !group_is_complete(group);
        all += some;
    }
    if (n == 0)
        return;
    buf_printf(
        &b,
        "Not all cells of %zu of the %zu settings with results have finished; the "
        "plots show these hollow.",
        n, all);
    add_note(notes, &b);
}

static bool
any_has(const json_t *report, const char *metric)
{
    json_t *group;
    size_t i;

    json_array_foreach(json_object_get(report, "groups"), i, group)
    {
        if (!isnan(group_stat(group, metric, "mean")))
            return true;
    }
    return false;
}

static void
note_missing(json_t *notes, const json_t *report)
{
    const char *x = json_str(report, "x", "");
    struct buf b = {0};
    json_t *metric, *group;
    bool placed = false;
    size_t i;

    if (json_int(json_object_get(report, "counts"), "succeeded", 0) == 0)
        return;
    json_array_foreach(json_object_get(report, "y"), i, metric)
    {
        if (any_has(report, json_string_value(metric)))
            continue;
        buf_printf(&b, "No finished cell reported %s.", json_string_value(metric));
        add_note(notes, &b);
    }
    json_array_foreach(json_object_get(report, "groups"), i, group)
    {
        placed = placed || !isnan(group_x(group, x));
    }
    if (!placed) {
        buf_printf(&b, "No finished cell reported %s, so nothing can be drawn.", x);
        add_note(notes, &b);
    }
}

/* Values such as NaN, which cannot be averaged, among the metrics of the report. */
static void
note_not_numbers(json_t *notes, const json_t *report, const json_t *cells)
{
    size_t i, k, n = 0;
    struct buf b = {0};
    json_t *cell, *metric;

    json_array_foreach(cells, i, cell)
    {
        const json_t *metrics = json_object_get(cell, "metrics");
        json_array_foreach(json_object_get(report, "y"), k, metric)
        {
            const char *name = json_string_value(metric);
            n += json_object_get(metrics, name) != NULL
                 && isnan(aggregate_value(cell, name));
        }
    }
    if (n == 0)
        return;
    buf_printf(&b, "%zu value%s not a finite number and left out.", n,
               n == 1 ? " is" : "s are");
    add_note(notes, &b);
}

/* The published benchmark (Hendrycks and Dietterich 2019) has this many corruptions. */
static const double all_corruptions = 15;

/* NPA over fewer corruptions is another number than the published one. */
static void
note_corruptions(json_t *notes, const json_t *cells)
{
    double least = NAN;
    struct buf b = {0};
    json_t *cell;
    size_t i;

    json_array_foreach(cells, i, cell)
    {
        least = fmin(least, aggregate_value(cell, "corruptions"));
    }
    if (!(least < all_corruptions))
        return;
    buf_printf(&b,
               "NPA and mCE are means over %.0f of the benchmark's %.0f corruptions.",
               least, all_corruptions);
    add_note(notes, &b);
}

/* Published numbers that the sweep file asks for by name, and that cannot be drawn. */
static void
note_published(json_t *notes, const json_t *report)
{
    const bool relus = strcmp(json_str(report, "x", ""), "relus") == 0;
    struct buf b = {0};
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(report, "published"), i, item)
    {
        const char *name = json_string_value(item);
        const struct published_curve *c = published_curves;
        while (c->key != NULL && strcmp(c->key, name) != 0)
            c++;
        if (strcmp(name, "none") == 0 || (c->key != NULL && relus))
            continue;
        buf_printf(&b,
                   c->key == NULL
                       ? "There is no published curve called `%s`."
                       : "The published curve `%s` is known against ReLUs only.",
                   name);
        add_note(notes, &b);
    }
    json_array_foreach(json_object_get(report, "facets"), i, item)
    {
        if (!json_is_true(json_object_get(item, "small"))
            || json_array_size(json_object_get(report, "published")) == 0)
            continue;
        buf_printf(&b, "%s is small-scale: published curves are not drawn there.",
                   json_str(item, "label", "this"));
        add_note(notes, &b);
    }
}

static void
note_cost(json_t *notes, const json_t *report)
{
    const char *cost = json_str(report, "cost", "none");
    struct buf b = {0};

    if (cost_is_measured(cost))
        return;
    buf_printf(
        &b,
        "The costs of private inference (%s) come from a formula that was neither "
        "measured nor checked against its paper: do not quote them.",
        cost);
    json_array_append_new(notes, json_string(buf_str(&b)));
    buf_release(&b);
}

json_t *
words_notes(const json_t *report, const json_t *cells)
{
    json_t *notes = json_array();

    note_selection(notes, cells);
    note_scale(notes, cells);
    note_corruptions(notes, cells);
    note_unfinished(notes, report);
    note_incomplete(notes, report);
    note_missing(notes, report);
    note_not_numbers(notes, report, cells);
    note_published(notes, report);
    note_cost(notes, report);
    verified_notes(notes, json_object_get(report, "verified"));
    return notes;
}
