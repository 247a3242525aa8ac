/*
 * page_sweep.c - one sweep on one screen: is it moving and when is it done, the Pareto
 * plots, the grid, what failed, what runs.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/report/number.h"
#include "coordinator/web/counts.h"
#include "coordinator/web/deed.h"
#include "coordinator/web/eta.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"

enum { MOST_RUNNING = 50 };

/* Details of jobs under a name of their own. */
static int
add_details(json_t *doc, const char *name, const struct moment *at, const int64_t *jobs,
            size_t n,
            int (*read)(struct db *, const int64_t *, size_t, json_t **, struct err *),
            struct err *err)
{
    json_t *list;

    if (read(at->db, jobs, n, &list, err) != 0)
        return -1;
    json_object_set_new(doc, name, list);
    return 0;
}

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    struct mirror_sweep *s;
    size_t n_running, n_failed;

    if (moment_sweep(at, r->ids[0], out, &s, err) != 0)
        return -1;
    counts_add(*out, at->mirror, s);
    counts_add_stages(*out, at->mirror, s);
    int64_t *running = counts_in_state(at->mirror, s, MIRROR_LEASED, MIRROR_LEASED,
                                       MOST_RUNNING, &n_running);
    int64_t *failed = counts_in_state(at->mirror, s, MIRROR_FAILED, MIRROR_QUARANTINED,
                                      s->n_jobs, &n_failed);
    mirror_done(at->mirror);
    int rc = add_details(*out, "running", at, running, n_running, db_web_running, err);
    if (rc == 0)
        rc = add_details(*out, "failures", at, failed, n_failed, db_web_causes, err);
    free(running);
    free(failed);
    if (rc != 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}

static void
title(struct buf *out, const json_t *doc)
{
    buf_puts(out, json_str(doc, "name", ""));
}

/* ---- where it stands --------------------------------------------------------------- */

static void
put_eta(struct buf *out, const json_t *doc)
{
    const struct eta eta = eta_of(doc);

    if (eta.left == 0) {
        buf_puts(out, "Nothing is left to run.");
        return;
    }
    number_count(out, eta.left);
    if (!eta.known) {
        buf_puts(out, json_int(doc, "slots", 0) == 0
                          ? " jobs left; no worker is connected."
                          : " jobs left; until the first one is done nobody knows how "
                            "long they take.");
        return;
    }
    buf_puts(out, " jobs left on ");
    number_count(out, json_int(doc, "slots", 0));
    buf_puts(out, " slots: done in <b>");
    number_seconds(out, eta.lo);
    if (eta.hi > 1.05 * eta.lo) {
        buf_puts(out, " to ");
        number_seconds(out, eta.hi);
    }
    buf_puts(out, "</b>.");
}

static void
put_stages(struct buf *out, const json_t *doc)
{
    json_t *stage;
    size_t i;

    buf_puts(out,
             "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th "
             "scope=\"col\">Stage</th><th scope=\"col\">Jobs</th><th scope=\"col\" "
             "class=\"n\">Mean time</th></tr></thead><tbody>\n");
    json_array_foreach(json_object_get(doc, "stages"), i, stage)
    {
        html_text(out, "<tr><th scope=\"row\">", json_str(stage, "stage", ""),
                  "</th><td class=\"wide\">");
        mark_bar(out, json_object_get(stage, "states"));
        buf_puts(out, "<span class=\"soft\">");
        mark_counts(out, json_object_get(stage, "states"));
        buf_puts(out, "</span></td><td class=\"n\">");
        mark_seconds(out, json_num(stage, "mean_s", -1));
        buf_puts(out, "</td></tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n");
}

static void
put_states(struct buf *out, const json_t *doc)
{
    const json_t *jobs = json_object_get(doc, "jobs");
    const char *state;
    json_t *count;

    buf_puts(out, "<p class=\"chips\">");
    json_object_foreach((json_t *)jobs, state, count)
    {
        buf_printf(out, "<a href=\"/sweeps/%lld/jobs",
                   (long long)json_int(doc, "id", 0));
        html_text(out, "?state=", state, "\">");
        mark_state(out, state);
        buf_putc(out, ' ');
        number_count(out, json_integer_value(count));
        buf_puts(out, "</a> ");
    }
    buf_printf(out, "<a href=\"/sweeps/%lld/jobs\">All jobs</a></p>\n",
               (long long)json_int(doc, "id", 0));
}

/* Why it does not move, where a person or its own rule stopped it. */
static void
put_rest(struct buf *out, const json_t *doc)
{
    buf_puts(out, "<div data-part=\"rest\">");
    if (json_is_string(json_object_get(doc, "paused")))
        html_text(out, "<p class=\"bad\">Paused ", json_str(doc, "paused", ""),
                  "; Resume lets it go on.</p>");
    if (json_is_true(json_object_get(doc, "cancelled")))
        buf_puts(out, "<p class=\"bad\">Cancelled; Retry takes it up again.</p>");
    buf_puts(out, "</div>\n");
}

static void
put_summary(struct buf *out, const json_t *doc)
{
    const json_t *jobs = json_object_get(doc, "jobs");

    buf_puts(out, "<div data-part=\"summary\" class=\"summary\">");
    mark_bar(out, jobs);
    buf_puts(out, "<p class=\"lead\" data-say>");
    number_count(out, json_int(jobs, "succeeded", 0));
    buf_puts(out, " of ");
    number_count(out, mark_total(jobs));
    buf_puts(out, " jobs done. ");
    put_eta(out, doc);
    buf_puts(out, "</p>\n");
    put_states(out, doc);
    put_stages(out, doc);
    buf_puts(out, "</div>\n");
}

/* ---- what failed, what runs -------------------------------------------------------- */

static void
put_cause(struct buf *out, const json_t *f, long long sweep)
{
    struct buf query = {0};

    buf_printf(&query, "sweep=%lld&amp;cause=", sweep);
    request_encode(&query, json_str(f, "fingerprint", ""));
    buf_puts(out, "<div class=\"failure\"><p><b>");
    number_count(out, json_int(f, "count", 0));
    html_text(out, "</b> × ", json_str(f, "stage", ""), ", ");
    html_text(out, "", json_str(f, "kind", "?"), ": ");
    mark_link(out, "/jobs", json_int(f, "job", 0), "an example");
    if (json_str(f, "fingerprint", "")[0] != '\0')
        buf_printf(out,
                   ", <a href=\"/jobs?%s\">all</a>, <a "
                   "href=\"/confirm?action=retry&amp;%s\">retry…</a>",
                   buf_str(&query), buf_str(&query));
    html_text(out, "</p><pre tabindex=\"0\">", json_str(f, "text", ""),
              "</pre></div>\n");
    buf_release(&query);
}

static void
put_failures(struct buf *out, const json_t *doc)
{
    const json_t *failures = json_object_get(doc, "failures");
    const long long id = json_int(doc, "id", 0);
    json_t *f;
    size_t i;

    mark_part(out, "failures", "Failures by cause");
    if (json_array_size(failures) == 0)
        buf_puts(out, "<p class=\"soft\">None.</p>\n");
    json_array_foreach(failures, i, f)
    {
        put_cause(out, f, id);
    }
    if (json_array_size(failures) > 0)
        buf_printf(out,
                   "<p><a class=\"button\" href=\"/confirm?action=retry&amp;sweep=%lld"
                   "&amp;state=failed\">Retry what failed…</a></p>\n",
                   id);
    mark_part_end(out);
}

static void
put_running_row(struct buf *out, const json_t *run)
{
    const int64_t steps = json_int(run, "steps", 0);
    struct buf id = {0};

    buf_printf(&id, "%lld", (long long)json_int(run, "job", 0));
    buf_puts(out, "<tr><th scope=\"row\">");
    mark_link(out, "/jobs", json_int(run, "job", 0), buf_str(&id));
    buf_release(&id);
    html_text(out, "</th><td>", json_str(run, "stage", ""), "</td>");
    html_text(out, "<td>", json_str(run, "worker", "–"), "</td><td class=\"n\">");
    if (steps > 0)
        buf_printf(out, "%.0f %%",
                   100 * (double)json_int(run, "step", 0) / (double)steps);
    buf_puts(out, "</td><td class=\"n\">");
    number_metric(out, json_num(run, "loss", NAN), "");
    buf_puts(out, "</td><td class=\"n\">");
    number_metric(out, json_num(run, "images_per_second", NAN), "");
    buf_puts(out, "</td><td class=\"n\">");
    mark_seconds(out, json_num(run, "seconds_left", -1));
    buf_puts(out, "</td></tr>\n");
}

static void
put_running(struct buf *out, const json_t *doc)
{
    const json_t *running = json_object_get(doc, "running");
    json_t *run;
    size_t i;

    mark_part(out, "running", "Running");
    if (json_array_size(running) == 0) {
        buf_puts(out, "<p class=\"soft\">Nothing runs.</p>\n");
        mark_part_end(out);
        return;
    }
    buf_puts(out, "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>"
                  "<th scope=\"col\">Job</th><th scope=\"col\">Stage</th>"
                  "<th scope=\"col\">Worker</th><th scope=\"col\" class=\"n\">Done</th>"
                  "<th scope=\"col\" class=\"n\">Loss</th><th scope=\"col\" "
                  "class=\"n\">Images/s</th><th scope=\"col\" class=\"n\">Left</th>"
                  "</tr></thead><tbody>\n");
    json_array_foreach(running, i, run)
    {
        put_running_row(out, run);
    }
    buf_puts(out, "</tbody></table></div>\n");
    mark_part_end(out);
}

/* ---- the page ---------------------------------------------------------------------- */

/* A part that is a page of its own: the script puts it in its place, the link is for
 * those without. */
static void
put_elsewhere(struct buf *out, const json_t *doc, const char *name, const char *heading)
{
    const long long id = json_int(doc, "id", 0);

    buf_printf(out,
               "<section data-part=\"%s\" data-src=\"/sweeps/%lld/%s\" class=\"late\">"
               "<h2>%s</h2><p><a href=\"/sweeps/%lld/%s\">Open</a></p></section>\n",
               name, id, name, heading, id, name);
}

static void
put_actions(struct buf *out, const json_t *doc)
{
    char query[40];

    snprintf(query, sizeof query, "&amp;sweep=%lld", (long long)json_int(doc, "id", 0));
    buf_puts(out, "<p class=\"actions\">");
    deed_links(out, query);
    buf_puts(out, "</p>\n");
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    (void)r;
    (void)site;
    html_text(out, "<h1>", json_str(doc, "name", ""), "</h1>\n");
    html_text(out, "<p class=\"soft\">", json_str(doc, "title", ""), " · ");
    number_count(out, json_int(doc, "cells", 0));
    buf_printf(out, " cells · revision %lld · ",
               (long long)json_int(doc, "revision", 1));
    mark_time(out, json_str(doc, "submitted_at", ""));
    buf_puts(out, "</p>\n");
    put_rest(out, doc);
    put_summary(out, doc);
    put_actions(out, doc);
    put_elsewhere(out, doc, "pareto", "Pareto fronts");
    put_failures(out, doc);
    put_running(out, doc);
    put_elsewhere(out, doc, "grid", "Grid"); /* which may be long */
    html_text(out, "<details><summary>The sweep file</summary><pre tabindex=\"0\">",
              json_str(doc, "text", ""), "</pre></details>\n");
}

const struct page page_sweep = {
    .pattern = "/sweeps/#",
    .menu = "Sweeps",
    .load = load,
    .title = title,
    .draw = draw,
};
