/* page_workers.c - who works, on what, and how often it went wrong. */
#include <stdio.h>

#include "coordinator/report/number.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    (void)r;
    return db_web_workers(at->db, out, err);
}

static void
title(struct buf *out, const json_t *doc)
{
    (void)doc;
    buf_puts(out, "Workers");
}

static void
put_jobs(struct buf *out, const json_t *jobs)
{
    json_t *job;
    size_t i;

    json_array_foreach(jobs, i, job)
    {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(job));
        buf_puts(out, i > 0 ? ", " : "");
        mark_link(out, "/jobs", json_integer_value(job), text);
    }
}

static void
put_row(struct buf *out, const json_t *w)
{
    const bool connected = json_is_true(json_object_get(w, "connected"));

    html_text(out, "<tr><th scope=\"row\">", json_str(w, "name", ""), "</th>");
    html_text(out, "<td>", json_str(w, "host", ""), "</td>");
    html_text(out, "<td>", json_str(w, "version", ""), "</td>");
    buf_puts(out, connected ? "<td><span class=\"state s-leased\">connected</span></td>"
                            : "<td><span class=\"state\">gone</span></td>");
    mark_number(out, json_int(w, "slots", 0));
    mark_number(out, json_int(w, "threads", 0));
    buf_puts(out, "<td>");
    put_jobs(out, json_object_get(w, "jobs"));
    buf_puts(out, "</td>");
    mark_number(out, json_int(w, "ended", 0));
    mark_number(out, json_int(w, "failed", 0));
    buf_puts(out, "<td>");
    mark_time(out, json_str(w, connected ? "first_seen" : "last_seen", ""));
    buf_puts(out, "</td></tr>\n");
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    const json_t *workers = json_object_get(doc, "workers");
    json_t *worker;
    size_t i;

    (void)r;
    (void)site;
    buf_puts(out,
             "<h1>Workers</h1>\n<div data-part=\"workers\" class=\"scroll\" "
             "tabindex=\"0\"><table><thead><tr><th scope=\"col\">Worker</th>"
             "<th scope=\"col\">Host</th><th scope=\"col\">Version</th>"
             "<th scope=\"col\">State</th><th scope=\"col\" class=\"n\">Slots</th>"
             "<th scope=\"col\" class=\"n\">Threads</th><th scope=\"col\">Runs</th>"
             "<th scope=\"col\" class=\"n\">Ended</th><th scope=\"col\" "
             "class=\"n\">Badly</th><th scope=\"col\">Since</th></tr></thead>"
             "<tbody>\n");
    json_array_foreach(workers, i, worker)
    {
        put_row(out, worker);
    }
    if (json_array_size(workers) == 0)
        buf_puts(out, "<tr><td colspan=\"10\">No worker has ever been here. <code>"
                      "relusweep-worker agent</code> starts one.</td></tr>");
    buf_puts(out, "</tbody></table></div>\n");
}

const struct page page_workers = {
    .pattern = "/workers",
    .menu = "Workers",
    .load = load,
    .title = title,
    .draw = draw,
};
