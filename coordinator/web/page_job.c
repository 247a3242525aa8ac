/*
 * page_job.c - one job: why it is where it is, its attempts, its curves and log, what
 * distinguishes it from a neighbour, where it comes from and how to get it again.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/escape.h"
#include "coordinator/report/number.h"
#include "coordinator/web/deed.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"

/* The job that it is compared with: the one in the field `with`, else a near one. */
static int
load_other(json_t **out, const struct moment *at, const struct request *r,
           struct err *err)
{
    const int64_t with = request_number(r, "with", 0, 1, INT64_MAX);
    char id[24];

    if (with == 0)
        return db_web_neighbour(at->db, r->ids[0], out, err);
    snprintf(id, sizeof id, "%lld", (long long)with);
    return db_job(at->db, id, out, err);
}

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    json_t *other;
    char id[24];

    snprintf(id, sizeof id, "%lld", (long long)r->ids[0]);
    if (db_job(at->db, id, out, err) != 0)
        return -1;
    if (load_other(&other, at, r, err) != 0) {
        json_decref(*out);
        *out = NULL;
        return -1;
    }
    json_object_set_new(*out, "neighbour", other);
    return 0;
}

static void
title(struct buf *out, const json_t *doc)
{
    buf_printf(out, "Job %lld, %s", (long long)json_int(doc, "id", 0),
               json_str(doc, "stage", ""));
}

/* ---- attempts ---------------------------------------------------------------------- */

static void
put_attempt(struct buf *out, const json_t *a, int64_t job)
{
    const long long number = json_int(a, "attempt", 0);

    buf_printf(out, "<td class=\"n\"><a href=\"/jobs/%lld/log?attempt=%lld\">%lld</a>",
               (long long)job, number, number);
    buf_puts(out, "</td>");
    html_text(out, "<td>", json_str(a, "worker", "–"), "");
    html_text(out, " <span class=\"soft\">", json_str(a, "host", ""),
              "</span></td><td>");
    mark_time(out, json_str(a, "leased_at", ""));
    buf_puts(out, "</td><td>");
    mark_time(out, json_str(a, "started_at", ""));
    buf_puts(out, "</td><td>");
    mark_time(out, json_str(a, "ended_at", ""));
    html_text(out, "</td><td>", json_str(a, "outcome", "open"), "");
    html_text(out, "<p class=\"bad\">", json_str(a, "error", ""), "</p></td>");
    buf_puts(out, "<td class=\"n\">");
    mark_seconds(out, json_num(a, "seconds", -1));
    buf_puts(out, "</td><td class=\"n\">");
    if (json_num(a, "peak_rss_bytes", 0) > 0)
        mark_bytes(out, json_num(a, "peak_rss_bytes", 0));
    buf_puts(out, "</td>");
}

static void
put_attempts(struct buf *out, const json_t *doc)
{
    json_t *attempt;
    size_t i;

    mark_part(out, "attempts", "Attempts");
    buf_puts(out,
             "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>"
             "<th scope=\"col\" class=\"n\">No. (log)</th><th scope=\"col\">Worker</th>"
             "<th scope=\"col\">Leased</th><th scope=\"col\">Started</th>"
             "<th scope=\"col\">Ended</th><th scope=\"col\">Outcome</th>"
             "<th scope=\"col\" class=\"n\">Time</th><th scope=\"col\" "
             "class=\"n\">Memory</th></tr></thead><tbody>\n");
    json_array_foreach(json_object_get(doc, "attempts"), i, attempt)
    {
        buf_puts(out, "<tr>");
        put_attempt(out, attempt, json_int(doc, "id", 0));
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out,
             "</tbody></table></div>\n<details><summary>All that happened</summary>"
             "<ul>\n");
    json_array_foreach(json_object_get(doc, "events"), i, attempt)
    {
        buf_puts(out, "<li>");
        mark_time(out, json_str(attempt, "at", ""));
        html_text(out, " ", json_str(attempt, "kind", ""), " ");
        html_text(out, "", json_str(attempt, "detail", ""), "</li>\n");
    }
    buf_puts(out, "</ul></details>\n");
    mark_part_end(out);
}

/* ---- parameters -------------------------------------------------------------------- */

static void
put_params(struct buf *out, const json_t *doc)
{
    const json_t *params = json_object_get(doc, "params");
    const json_t *other = json_object_get(doc, "neighbour");
    const json_t *others = json_object_get(other, "params");
    const char *name;
    json_t *value;

    mark_part(out, "params", "Parameters");
    if (json_is_object(other)) {
        buf_puts(out, "<p class=\"soft\">Beside <a href=\"/jobs/");
        buf_printf(out, "%lld\">job %lld</a>, ", (long long)json_int(other, "id", 0),
                   (long long)json_int(other, "id", 0));
        mark_state(out, json_str(other, "state", ""));
        buf_puts(out, "; what differs is marked.</p>\n");
    }
    buf_puts(out, "<div class=\"scroll\" tabindex=\"0\"><table><tbody>\n");
    json_object_foreach((json_t *)params, name, value)
    {
        const json_t *theirs = json_object_get(others, name);
        const bool differs = theirs != NULL && !json_equal(value, (json_t *)theirs);
        html_text(out,
                  differs ? "<tr class=\"differs\"><th scope=\"row\">"
                          : "<tr><th scope=\"row\">",
                  name, "</th><td>");
        mark_value(out, value);
        buf_puts(out, "</td><td>");
        if (differs) {
            buf_puts(out, "<span class=\"soft\">there </span>");
            mark_value(out, theirs);
        }
        buf_puts(out, "</td></tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n");
    mark_part_end(out);
}

/* ---- where it comes from ----------------------------------------------------------- */

static void
put_jobs(struct buf *out, const json_t *jobs, const char *heading)
{
    json_t *job;
    size_t i;

    if (json_array_size(jobs) == 0)
        return;
    buf_printf(out, "<p>%s:</p><ul class=\"lineage\">", heading);
    json_array_foreach(jobs, i, job)
    {
        buf_puts(out, "<li>");
        mark_link(out, "/jobs", json_int(job, "id", 0), json_str(job, "stage", ""));
        buf_putc(out, ' ');
        mark_state(out, json_str(job, "state", ""));
        buf_puts(out, "</li>\n");
    }
    buf_puts(out, "</ul>\n");
}

static void
put_lineage(struct buf *out, const json_t *doc)
{
    json_t *sweep;
    size_t i;

    mark_part(out, "lineage", "Lineage");
    put_jobs(out, json_object_get(doc, "parents"), "Needs");
    put_jobs(out, json_object_get(doc, "children"), "Needed by");
    buf_puts(out, "<p class=\"soft\">In the sweeps");
    json_array_foreach(json_object_get(doc, "sweeps"), i, sweep)
    {
        html_text(out, i > 0 ? ", " : " ", json_string_value(sweep), "");
    }
    buf_puts(out, "</p>\n");
    mark_part_end(out);
}

static void
put_metrics(struct buf *out, const json_t *doc)
{
    const char *name;
    json_t *m;

    mark_part(out, "metrics", "Final metrics");
    if (json_object_size(json_object_get(doc, "metrics")) == 0)
        buf_puts(out, "<p class=\"soft\">None yet.</p>\n");
    buf_puts(out, "<div class=\"scroll\" tabindex=\"0\"><table><tbody>\n");
    json_object_foreach(json_object_get(doc, "metrics"), name, m)
    {
        html_text(out, "<tr><th scope=\"row\">", name, "</th><td class=\"n\">");
        number_metric(out, json_num(m, "value", NAN), json_str(m, "unit", ""));
        html_text(out, "</td><td>", json_str(m, "unit", ""), "</td></tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n");
    mark_part_end(out);
}

static void
put_artifacts(struct buf *out, const json_t *doc)
{
    json_t *a;
    size_t i;

    mark_part(out, "artifacts", "Artifacts");
    if (json_array_size(json_object_get(doc, "artifacts")) == 0)
        buf_puts(out, "<p class=\"soft\">None yet.</p>\n");
    json_array_foreach(json_object_get(doc, "artifacts"), i, a)
    {
        struct buf name = {0};
        request_encode(&name, json_str(a, "name", ""));
        buf_printf(out, "<p><a download href=\"/jobs/%lld/artifact?name=%s\">",
                   (long long)json_int(doc, "id", 0), buf_str(&name));
        html_text(out, "", json_str(a, "name", ""), "</a> ");
        buf_release(&name);
        mark_bytes(out, json_num(a, "size", 0));
        html_text(out, " <code>", json_str(a, "sha", ""), "</code></p>\n");
    }
    mark_part_end(out);
}

static void
put_json(struct buf *out, const char *summary, const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);

    buf_printf(out, "<details><summary>%s</summary>", summary);
    html_text(out, "<pre tabindex=\"0\">", text != NULL ? text : "",
              "</pre></details>\n");
    free(text);
}

static void
put_reproduce(struct buf *out, const json_t *doc)
{
    const json_t *attempts = json_object_get(doc, "attempts");
    const json_t *last = json_array_get(attempts, json_array_size(attempts) - 1);
    const char *sweep =
        json_string_value(json_array_get(json_object_get(doc, "sweeps"), 0));
    struct buf command = {0};

    mark_part(out, "reproduce", "Reproduce");
    buf_printf(&command,
               "relusweep explain %lld\nrelusweep logs %lld\n"
               "relusweep export %lld --format safetensors --out model.safetensors",
               (long long)json_int(doc, "id", 0), (long long)json_int(doc, "id", 0),
               (long long)json_int(doc, "id", 0));
    if (sweep != NULL) {
        buf_puts(&command, "\nrelusweep report ");
        escape_shell(&command, sweep);
    }
    html_text(out, "<pre tabindex=\"0\">", buf_str(&command), "</pre>\n");
    buf_release(&command);
    put_json(out, "Specification, by whose digest the job is named",
             json_object_get(doc, "spec"));
    put_json(out, "Provenance of the newest attempt",
             json_object_get(last, "provenance"));
    html_text(out, "<p class=\"soft\">Digest <code>", json_str(doc, "digest", ""),
              "</code></p>\n");
    mark_part_end(out);
}

/* ---- the page ---------------------------------------------------------------------- */

static void
put_elsewhere(struct buf *out, const json_t *doc, const char *name, const char *heading)
{
    const long long id = json_int(doc, "id", 0);

    buf_printf(out,
               "<section data-part=\"%s\" data-src=\"/jobs/%lld/%s\"><h2>%s</h2>"
               "<p><a href=\"/jobs/%lld/%s\">Open</a></p></section>\n",
               name, id, name, heading, id, name);
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    const long long id = json_int(doc, "id", 0);
    char query[40];

    (void)r;
    (void)site;
    buf_printf(out, "<h1>Job %lld</h1>\n<div data-part=\"head\">", id);
    html_text(out, "<p class=\"lead\" data-say>", json_str(doc, "method", ""), " ");
    html_text(out, "", json_str(doc, "stage", ""), " ");
    mark_state(out, json_str(doc, "state", ""));
    html_text(out, ": ", json_str(doc, "why", ""), "</p></div>\n");
    put_elsewhere(out, doc, "curves", "Curves");
    put_metrics(out, doc);
    put_attempts(out, doc);
    put_elsewhere(out, doc, "log", "Log");
    put_params(out, doc);
    put_lineage(out, doc);
    put_artifacts(out, doc);
    put_reproduce(out, doc);
    buf_puts(out, "<p class=\"actions\">");
    snprintf(query, sizeof query, "&amp;job=%lld", id);
    deed_links(out, query);
    buf_puts(out, "</p>\n");
}

const struct page page_job = {
    .pattern = "/jobs/#",
    .menu = "Jobs",
    .load = load,
    .title = title,
    .draw = draw,
};
