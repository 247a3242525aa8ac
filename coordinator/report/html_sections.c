/*
 * html_sections.c - the sections of the page that are tables and text: cells, failures,
 * provenance, how to reproduce. Long lists are cut and say so: everything is in the CSV
 * and JSON files beside the page.
 */
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/escape.h"
#include "coordinator/report/group.h"
#include "coordinator/report/html.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "coordinator/report/table.h"
#include "shared/base/mem.h"

enum {
    ROWS_MAX = 250, /* of the table of cells */
    JOBS_MAX = 100, /* of the table of jobs */
    LIST_MAX = 12,  /* of jobs, cells, hosts in a sentence */
    VALUES_MAX = 6, /* of one item of provenance */
};

/* ---- cells ----------------------------------------------------------------------- */

static bool
any_on_front(const struct table *t, size_t row)
{
    for (size_t c = 0; c < t->n_columns; c++)
        if (t->cells[row * t->n_columns + c].on_front)
            return true;
    return false;
}

static void
put_cell_row(struct buf *out, const struct table *t, size_t row, bool reference)
{
    buf_puts(out, reference ? "<tr class=\"reference\">" : "<tr>");
    for (size_t c = 0; c < t->n_columns; c++) {
        const struct table_cell *cell = &t->cells[row * t->n_columns + c];
        html_text(out, cell->on_front ? "<td class=\"front\">" : "<td>", cell->text,
                  "</td>");
    }
    buf_puts(out, "</tr>\n");
}

/* All rows when there are few; otherwise references, fronts, the first of the rest. */
static void
put_cell_rows(struct buf *out, const struct table *t, const json_t *groups)
{
    size_t room = ROWS_MAX, i;
    json_t *group;

    json_array_foreach(groups, i, group)
    {
        room -= room > 0 && (group_is_reference(group) || any_on_front(t, i));
    }
    json_array_foreach(groups, i, group)
    {
        const bool reference = group_is_reference(group);
        if (!reference && !any_on_front(t, i)) {
            if (room == 0)
                continue;
            room--;
        }
        put_cell_row(out, t, i, reference);
    }
}

void
html_cells(struct buf *out, const json_t *report)
{
    const json_t *groups = json_object_get(report, "groups");
    struct table t;

    if (json_array_size(groups) == 0)
        return;
    table_init(&t, report, " ± ");
    buf_puts(out, "<section id=\"cells\">\n<h2>Cells</h2>\n<p class=\"soft\">");
    buf_puts(out,
             "Mean ± one sample standard deviation over the cells of a setting. "
             "<b>●</b> marks the Pareto front of a column; all-ReLU rows come first "
             "and take no part in it. Saving is the number of ReLUs of the network "
             "over those kept, to which the communication of private inference "
             "is proportional.");
    if (t.n_rows > ROWS_MAX)
        buf_printf(out, " %zu of the %zu rows are shown; all are in cells.csv.",
                   (size_t)ROWS_MAX, t.n_rows);
    buf_puts(out, " Each cell by itself: <a href=\"cells.csv\">cells.csv</a>.</p>\n"
                  "<div class=\"scroll\"><table>\n<thead><tr>");
    for (size_t c = 0; c < t.n_columns; c++)
        html_text(out, "<th>", t.columns[c].heading, "</th>");
    buf_puts(out, "</tr></thead>\n<tbody>\n");
    put_cell_rows(out, &t, groups);
    buf_puts(out, "</tbody></table></div>\n</section>\n");
    table_release(&t);
}

/* ---- failures -------------------------------------------------------------------- */

static void
put_more(struct buf *out, size_t shown, size_t all)
{
    if (all > shown)
        buf_printf(out, " and %zu more", all - shown);
}

static void
put_failed_jobs(struct buf *out, const json_t *jobs)
{
    const size_t n = json_array_size(jobs);

    for (size_t i = 0; i < n && i < LIST_MAX; i++)
        buf_printf(out, "%s%lld", i > 0 ? ", " : "",
                   (long long)json_integer_value(json_array_get(jobs, i)));
    put_more(out, LIST_MAX, n);
}

static void
put_lost_cells(struct buf *out, const json_t *report, const json_t *failure)
{
    const json_t *lost = json_object_get(failure, "cells");
    const json_t *cells = json_object_get(report, "cells");
    const size_t n = json_array_size(lost);

    for (size_t i = 0; i < n && i < LIST_MAX; i++) {
        const size_t c = (size_t)json_integer_value(json_array_get(lost, i));
        struct buf label = {0};
        label_params(&label, json_object_get(json_array_get(cells, c), "params"),
                     json_object_get(report, "axes"));
        html_text(out, i > 0 ? "; " : "", label.len > 0 ? buf_str(&label) : "the cell",
                  "");
        buf_release(&label);
    }
    put_more(out, LIST_MAX, n);
}

static void
put_failure(struct buf *out, const json_t *report, const json_t *failure)
{
    const json_t *jobs = json_object_get(failure, "jobs");
    const long long dependants = json_int(failure, "dependants", 0);
    const size_t n = json_array_size(jobs);

    buf_puts(out, "<div class=\"failure\">\n");
    buf_printf(out, "<p><b>%zu ", n);
    html_text(out, "", json_str(failure, "stage", ""), n == 1 ? " job" : " jobs");
    html_text(out, "</b> · ", json_str(failure, "kind", ""), "</p>\n");
    html_text(out, "<pre>", json_str(failure, "text", ""), "</pre>\n");
    buf_printf(out, "<p class=\"soft\">Job%s ", n == 1 ? "" : "s");
    put_failed_jobs(out, jobs);
    if (dependants > 0)
        buf_printf(out, "; %lld job%s that need%s %s never ran", dependants,
                   dependants == 1 ? "" : "s", dependants == 1 ? "s" : "",
                   n == 1 ? "it" : "them");
    buf_puts(out, ".<br>Cells lost: ");
    put_lost_cells(out, report, failure);
    html_text(out, ".<br>Cause <code>", json_str(failure, "fingerprint", ""),
              "</code></p>\n</div>\n");
}

void
html_failures(struct buf *out, const json_t *report)
{
    const json_t *failures = json_object_get(report, "failures");
    json_t *failure;
    size_t i;

    if (json_array_size(failures) == 0)
        return;
    buf_puts(out, "<section id=\"failures\">\n<h2>What failed and why</h2>\n");
    json_array_foreach(failures, i, failure)
    {
        put_failure(out, report, failure);
    }
    buf_puts(out, "</section>\n");
}

/* ---- provenance ------------------------------------------------------------------ */

/* "host-a (12), host-b (3)"; without counts where all jobs agree. */
static void
put_values(struct buf *out, const json_t *values)
{
    const size_t n = json_array_size(values);

    for (size_t i = 0; i < n && i < VALUES_MAX; i++) {
        const json_t *value = json_array_get(values, i);
        html_text(out, i > 0 ? ", " : "", json_str(value, "value", ""), "");
        if (n > 1)
            buf_printf(out, " (%lld)", (long long)json_int(value, "jobs", 0));
    }
    put_more(out, VALUES_MAX, n);
}

static void
put_environment(struct buf *out, const json_t *report)
{
    const json_t *items = json_object_get(report, "provenance");
    json_t *item;
    size_t i;

    if (json_array_size(items) == 0)
        return;
    buf_puts(out,
             "<h3>Where it ran</h3>\n<div class=\"scroll\"><table class=\"left\">\n"
             "<thead><tr><th>what</th><th>value (jobs)</th></tr></thead>\n<tbody>"
             "\n");
    json_array_foreach(items, i, item)
    {
        html_text(out, "<tr><td>", json_str(item, "key", ""), "</td><td>");
        put_values(out, json_object_get(item, "values"));
        buf_puts(out, "</td></tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n");
}

static void
put_job(struct buf *out, const json_t *job)
{
    struct buf time = {0};

    number_seconds(&time, json_num(job, "seconds", 0));
    buf_printf(out, "<tr><td>%lld</td>", (long long)json_int(job, "id", 0));
    html_text(out, "<td>", json_str(job, "stage", ""), "</td>");
    html_text(out, "<td>", json_str(job, "state", ""), "</td>");
    html_text(out, "<td>", buf_str(&time), "</td>");
    html_text(out, "<td><code>", json_str(job, "digest", ""), "</code></td></tr>\n");
    buf_release(&time);
}

static void
put_jobs(struct buf *out, const json_t *report)
{
    const json_t *jobs = json_object_get(report, "jobs");
    const size_t n = json_array_size(jobs);

    if (n == 0)
        return;
    buf_printf(out,
               "<details><summary>%zu job%s and the digests that name them"
               "</summary>\n<div class=\"scroll\"><table class=\"left\">\n<thead>"
               "<tr><th>job</th><th>stage</th><th>state</th><th>time</th>"
               "<th>digest</th></tr></thead>\n<tbody>\n",
               n, n == 1 ? "" : "s");
    for (size_t i = 0; i < n && i < JOBS_MAX; i++)
        put_job(out, json_array_get(jobs, i));
    buf_puts(out, "</tbody></table></div>\n");
    if (n > JOBS_MAX)
        buf_puts(out, "<p class=\"soft\">The others are in <a href=\"report.json\">"
                      "report.json</a>.</p>\n");
    buf_puts(out, "</details>\n");
}

void
html_provenance(struct buf *out, const json_t *report)
{
    const json_t *digests = json_object_get(report, "digests");

    buf_puts(out, "<section id=\"provenance\">\n<h2>Provenance</h2>\n");
    put_environment(out, report);
    put_jobs(out, report);
    html_text(out, "<p class=\"soft\">SHA-256 of the sweep file <code>",
              json_str(digests, "file", ""), "</code><br>");
    html_text(out, "SHA-256 of the rows behind this report <code>",
              json_str(digests, "rows", ""), "</code></p>\n</section>\n");
}

/* ---- reproduce ------------------------------------------------------------------- */

/* "relusweep report a b --x macs --cost delphi" */
static void
put_report_command(struct buf *command, const json_t *report)
{
    const char *cost = json_str(report, "cost", "none");
    const char *x = json_str(report, "x", "");
    json_t *sweep;
    size_t i;

    buf_puts(command, "relusweep report");
    json_array_foreach(json_object_get(report, "sweeps"), i, sweep)
    {
        buf_putc(command, ' ');
        escape_shell(command, json_str(sweep, "name", ""));
    }
    if (strcmp(cost, "none") != 0) {
        buf_puts(command, " --cost ");
        escape_shell(command, cost);
        buf_puts(command, " --x ");
        escape_shell(command, x);
    }
}

static void
put_run_command(struct buf *command, const json_t *sweep)
{
    char *sets = xstrdup(json_str(sweep, "sets", "")), *save = NULL;

    buf_puts(command, "relusweep run ");
    escape_shell(command, json_str(sweep, "name", ""));
    buf_puts(command, ".yaml");
    for (char *line = strtok_r(sets, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        buf_puts(command, " --set ");
        escape_shell(command, line);
    }
    buf_putc(command, '\n');
    free(sets);
}

void
html_reproduce(struct buf *out, const json_t *report)
{
    const json_t *sweeps = json_object_get(report, "sweeps");
    struct buf commands = {0};
    json_t *sweep;
    size_t i;

    buf_puts(out, "<section id=\"reproduce\">\n<h2>How to get it again</h2>\n"
                  "<p>With what is below saved under its name; what is in the database "
                  "already is not computed twice:</p>\n");
    json_array_foreach(sweeps, i, sweep)
    {
        put_run_command(&commands, sweep);
    }
    put_report_command(&commands, report);
    html_text(out, "<pre>", buf_str(&commands), "</pre>\n");
    buf_release(&commands);
    json_array_foreach(sweeps, i, sweep)
    {
        html_text(out, "<h3>", json_str(sweep, "name", ""), ".yaml</h3>\n");
        html_text(out, "<pre>", json_str(sweep, "file", ""), "</pre>\n");
    }
    buf_puts(out, "<p class=\"soft\">All of this for programs: "
                  "<a href=\"report.json\">report.json</a></p>\n</section>\n");
}
