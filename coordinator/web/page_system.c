/*
 * page_system.c - is everything well: coordinator, queue, database, versions; for people,
 * for Prometheus (/metrics, its text format 0.0.4), and for probes (/readyz).
 */
#include <string.h>

#include "coordinator/report/number.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    (void)r;
    return db_web_system(at->db, out, err);
}

static void
title(struct buf *out, const json_t *doc)
{
    (void)doc;
    buf_puts(out, "System");
}

/* ---- for people --------------------------------------------------------------------- */

static void
put_count(struct buf *out, const char *words, int64_t n)
{
    buf_printf(out, "<tr><th scope=\"row\">%s</th>", words);
    mark_number(out, n);
    buf_puts(out, "</tr>\n");
}

static void
put_coordinator(struct buf *out, const json_t *doc)
{
    const json_t *c = json_object_get(doc, "coordinator");

    if (!json_is_object(c)) {
        buf_puts(out,
                 "<p class=\"lead bad\">No coordinator runs: nothing is handed out. "
                 "<code>relusweep-coordinator</code> starts one.</p>\n");
        return;
    }
    html_text(out, "<p class=\"lead\">The coordinator is <b>",
              json_str(c, "holder", ""), "</b>, since ");
    mark_time(out, json_str(c, "since", ""));
    buf_puts(out, ".</p>\n");
}

static void
put_facts(struct buf *out, const json_t *doc)
{
    const json_t *states = json_object_get(doc, "states");

    buf_puts(out, "<div class=\"scroll\" tabindex=\"0\"><table><tbody>\n");
    put_count(out, "jobs ready", json_int(states, "ready", 0));
    put_count(out, "jobs running", json_int(doc, "running", 0));
    put_count(out, "workers connected", json_int(doc, "workers", 0));
    put_count(out, "slots", json_int(doc, "slots", 0));
    put_count(out, "attempts ended in the last hour", json_int(doc, "ended_hour", 0));
    put_count(out, "of these badly", json_int(doc, "failed_hour", 0));
    put_count(out, "connections to the database", json_int(doc, "connections", 0));
    put_count(out, "version of the schema", json_int(doc, "schema", 0));
    buf_puts(out, "<tr><th scope=\"row\">oldest open transaction</th><td class=\"n\">");
    mark_seconds(out, json_num(doc, "longest_s", 0));
    buf_puts(out, "</td></tr>\n<tr><th scope=\"row\">size of the database</th>"
                  "<td class=\"n\">");
    mark_bytes(out, json_num(doc, "size_bytes", 0));
    html_text(out, "</td></tr>\n<tr><th scope=\"row\">PostgreSQL</th><td class=\"n\">",
              json_str(doc, "server", ""), "</td></tr>\n</tbody></table></div>\n");
}

static void
put_events(struct buf *out, const json_t *doc)
{
    json_t *e;
    size_t i;

    mark_part(out, "events", "What happened");
    buf_puts(out, "<ul>\n");
    json_array_foreach(json_object_get(doc, "events"), i, e)
    {
        buf_puts(out, "<li>");
        mark_time(out, json_str(e, "at", ""));
        html_text(out, " <b>", json_str(e, "kind", ""), "</b> ");
        if (json_int(e, "job", 0) > 0)
            mark_link(out, "/jobs", json_int(e, "job", 0), "job");
        html_text(out, " ", json_str(e, "detail", ""), "</li>\n");
    }
    buf_puts(out, "</ul>\n");
    mark_part_end(out);
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    const json_t *versions = json_object_get(doc, "versions");

    (void)r;
    (void)site;
    buf_puts(out, "<h1>System</h1>\n<div data-part=\"system\">\n");
    put_coordinator(out, doc);
    if (json_object_size(versions) > 1)
        buf_puts(out,
                 "<p class=\"bad\">Workers of different versions are connected.</p>\n");
    mark_bar(out, json_object_get(doc, "states"));
    buf_puts(out, "<p>");
    mark_counts(out, json_object_get(doc, "states"));
    buf_puts(out, "</p>\n");
    put_facts(out, doc);
    buf_puts(out, "</div>\n");
    put_events(out, doc);
}

const struct page page_system = {
    .pattern = "/system",
    .menu = "System",
    .now = true,
    .load = load,
    .title = title,
    .draw = draw,
};

/* ---- for Prometheus ------------------------------------------------------------------ */

static void
put_metric(struct buf *out, const char *name, const char *type, const char *doc,
           double v)
{
    buf_printf(out,
               "# HELP relusweep_%s %s\n# TYPE relusweep_%s %s\nrelusweep_%s %.17g\n",
               name, doc, name, type, name, v);
}

static void
draw_metrics(struct buf *out, const json_t *doc, const struct request *r,
             const struct site *site)
{
    const json_t *states = json_object_get(doc, "states");
    const char *state;
    json_t *count;

    (void)r;
    buf_puts(out,
             "# HELP relusweep_jobs Jobs by state.\n# TYPE relusweep_jobs gauge\n");
    json_object_foreach((json_t *)states, state, count)
    {
        buf_printf(out, "relusweep_jobs{state=\"%s\"} %lld\n", state,
                   (long long)json_integer_value(count));
    }
    put_metric(out, "coordinator_up", "gauge", "Whether a coordinator holds the lock.",
               json_is_object(json_object_get(doc, "coordinator")));
    put_metric(out, "workers", "gauge", "Workers connected.",
               (double)json_int(doc, "workers", 0));
    put_metric(out, "slots", "gauge", "Jobs that they can run at once.",
               (double)json_int(doc, "slots", 0));
    put_metric(out, "database_bytes", "gauge", "Size of the database.",
               json_num(doc, "size_bytes", 0));
    put_metric(out, "database_longest_transaction_seconds", "gauge",
               "Age of the oldest open transaction.", json_num(doc, "longest_s", 0));
    put_metric(out, "web_streams", "gauge", "Pages that listen.",
               (double)site->streams);
    put_metric(out, "web_answers_total", "counter", "Requests answered.",
               (double)site->answers);
    put_metric(out, "web_failures_total", "counter",
               "Answers with a status of 500 or more.", (double)site->failures);
}

const struct page page_metrics = {
    .pattern = "/metrics",
    .menu = "",
    .type = "text/plain; version=0.0.4; charset=utf-8",
    .now = true,
    .load = load,
    .title = title,
    .draw = draw_metrics,
};

/* ---- for probes ---------------------------------------------------------------------- */

static int
load_ready(json_t **out, const struct moment *at, const struct request *r,
           struct err *err)
{
    struct buf moment = {0};
    const int rc = db_web_moment(at->db, &moment, err);

    (void)r;
    buf_release(&moment);
    *out = rc == 0 ? json_pack("{s:b}", "ready", 1) : NULL;
    return rc;
}

static void
draw_ready(struct buf *out, const json_t *doc, const struct request *r,
           const struct site *site)
{
    (void)doc;
    (void)r;
    (void)site;
    buf_puts(out, "ready\n");
}

const struct page page_readyz = {
    .pattern = "/readyz",
    .menu = "",
    .type = "text/plain; charset=utf-8",
    .now = true,
    .load = load_ready,
    .title = title,
    .draw = draw_ready,
};
