/*
 * page_jobs.c - jobs by a filter that stands in the address, in pages by key: the next
 * page is as fast as the first one.
 */
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/number.h"
#include "coordinator/web/choice.h"
#include "coordinator/web/deed.h"
#include "coordinator/web/filter.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"

enum { PAGE_ROWS = 100, MAX_ROWS = 1000 };

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    const int64_t limit = request_number(r, "limit", PAGE_ROWS, 1, MAX_ROWS);
    const int64_t after = request_number(r, "after", 0, 0, INT64_MAX);
    struct db_web_filter filter;
    struct arena mem = {0};
    int64_t *ids = NULL;
    size_t n;
    int rc = -1;

    if (filter_read(&filter, &mem, r, r->ids[0], err) == 0
        && choice_jobs(at, &filter, after, (size_t)limit, &ids, &n, err) == 0
        && db_web_jobs(at->db, ids, n, out, err) == 0) {
        json_object_set_new(*out, "sweep", json_integer(filter.sweep));
        json_object_set_new(*out, "limit", json_integer(limit));
        rc = 0;
    }
    free(ids);
    arena_release(&mem);
    return rc;
}

static void
title(struct buf *out, const json_t *doc)
{
    (void)doc;
    buf_puts(out, "Jobs");
}

/* ---- the filter -------------------------------------------------------------------- */

static void
put_states(struct buf *out, const struct request *r)
{
    static const char *const states[] = {
        "blocked",     "ready",     "leased",          "succeeded", "failed",
        "quarantined", "cancelled", "upstream_failed", "held",      NULL};
    const char *chosen = request_get(r, "state");

    buf_puts(out,
             "<label>State <select name=\"state\"><option value=\"\">any</option>");
    for (const char *const *s = states; *s != NULL; s++)
        buf_printf(out, "<option value=\"%s\"%s>%s</option>", *s,
                   strcmp(*s, chosen) == 0 ? " selected" : "", mark_state_word(*s));
    buf_puts(out, "</select></label> ");
}

static void
put_text_field(struct buf *out, const struct request *r, const char *name,
               const char *label, const char *hint)
{
    buf_printf(out, "<label>%s <input name=\"%s\" placeholder=\"%s\"", label, name,
               hint);
    html_text(out, " value=\"", request_get(r, name), "\"></label> ");
}

static void
put_filter(struct buf *out, const struct request *r)
{
    buf_puts(out, "<form class=\"filter\" role=\"search\">");
    put_states(out, r);
    put_text_field(out, r, "stage", "Stage", "finetune");
    put_text_field(out, r, "where", "Where", "relu_budget&gt;=50k seed=0");
    buf_puts(out, "<button>Show</button></form>\n");
}

/* The same selection, all of it, on the page that asks again. */
static void
put_actions(struct buf *out, const json_t *doc, const struct request *r)
{
    static const char *const kept[] = {"state", "stage", "where", "cause", NULL};
    struct buf query = {0};

    if (json_int(doc, "sweep", 0) > 0)
        buf_printf(&query, "&amp;sweep=%lld", (long long)json_int(doc, "sweep", 0));
    for (const char *const *name = kept; *name != NULL; name++)
        if (request_get(r, *name)[0] != '\0') {
            buf_printf(&query, "&amp;%s=", *name);
            request_encode(&query, request_get(r, *name));
        }
    buf_puts(out, "<p class=\"actions\">All that match: ");
    deed_links(out, buf_str(&query));
    buf_puts(out, "</p>\n");
    buf_release(&query);
}

/* What can be done with those that were chosen in the list. */
static void
put_chosen(struct buf *out)
{
    buf_puts(out, "<p class=\"actions\">Those chosen: <input type=\"hidden\" "
                  "name=\"chosen\" value=\"1\"><button "
                  "formaction=\"/compare\">Compare</button> ");
    for (const struct deed *d = deeds; d->name != NULL; d++)
        buf_printf(out, "<button name=\"action\" value=\"%s\">%s…</button> ", d->name,
                   d->label);
    buf_puts(out, "</p>\n");
}

/* ---- the list ---------------------------------------------------------------------- */

/* Parameters that all jobs of the list have alike. New reference. */
static json_t *
common_of(const json_t *jobs)
{
    const json_t *first = json_object_get(json_array_get(jobs, 0), "params");
    json_t *common = json_copy((json_t *)first), *job, *value;
    const char *name;
    size_t i;
    void *next;

    if (common == NULL || json_array_size(jobs) == 1) {
        json_decref(common);
        return json_object();
    }
    json_array_foreach(jobs, i, job)
    {
        const json_t *params = json_object_get(job, "params");
        json_object_foreach_safe(common, next, name, value)
        {
            const json_t *theirs = json_object_get(params, name);
            if (theirs == NULL || !json_equal(value, theirs))
                json_object_del(common, name);
        }
    }
    return common;
}

static void
put_row(struct buf *out, const json_t *job, const json_t *common)
{
    const int64_t id = json_int(job, "id", 0);
    struct buf text = {0};

    buf_printf(&text, "%lld", (long long)id);
    buf_printf(out,
               "<tr><td><input type=\"checkbox\" name=\"job\" value=\"%lld\" "
               "aria-label=\"choose job %lld\"></td><th scope=\"row\">",
               (long long)id, (long long)id);
    mark_link(out, "/jobs", id, buf_str(&text));
    html_text(out, "</th><td>", json_str(job, "stage", ""), "</td><td>");
    mark_state(out, json_str(job, "state", ""));
    buf_puts(out, "</td><td class=\"params\">");
    mark_params(out, json_object_get(job, "params"), common);
    html_text(out, "<p class=\"bad\">", json_str(job, "error", ""), "</p></td>");
    html_text(out, "<td>", json_str(job, "worker", ""), "</td>");
    mark_number(out, json_int(job, "attempt", 0));
    buf_puts(out, "<td class=\"n\">");
    mark_seconds(out, json_num(job, "seconds", -1));
    buf_puts(out, "</td></tr>\n");
    buf_release(&text);
}

static void
put_next(struct buf *out, const json_t *jobs, const struct request *r)
{
    const json_t *last = json_array_get(jobs, json_array_size(jobs) - 1);
    struct buf query = {0}, after = {0};

    buf_printf(&after, "%lld", (long long)json_int(last, "id", 0));
    request_query(&query, r, "after", buf_str(&after));
    html_text(out, "<p><a class=\"button\" rel=\"next\" href=\"", buf_str(&query),
              "\">Next</a></p>\n");
    buf_release(&query);
    buf_release(&after);
}

static void
put_common(struct buf *out, const json_t *common)
{
    if (json_object_size(common) == 0)
        return;
    buf_puts(out, "<caption>All of these: ");
    mark_params(out, common, NULL);
    buf_puts(out, "</caption>");
}

static void
put_list(struct buf *out, const json_t *doc, const struct request *r)
{
    const json_t *jobs = json_object_get(doc, "jobs");
    json_t *common = common_of(jobs), *job;
    size_t i;

    buf_puts(out, "<form action=\"/confirm\"><div data-part=\"jobs\" class=\"scroll\" "
                  "tabindex=\"0\"><table>");
    put_common(out, common);
    buf_puts(out, "<thead><tr><td></td><th scope=\"col\">Job</th>"
                  "<th scope=\"col\">Stage</th><th scope=\"col\">State</th>"
                  "<th scope=\"col\">Parameters</th><th scope=\"col\">Worker</th>"
                  "<th scope=\"col\" class=\"n\">Attempt</th><th scope=\"col\" "
                  "class=\"n\">Time</th></tr></thead><tbody>\n");
    json_array_foreach(jobs, i, job)
    {
        put_row(out, job, common);
    }
    if (json_array_size(jobs) == 0)
        buf_puts(out, "<tr><td colspan=\"8\">No job matches.</td></tr>");
    buf_puts(out, "</tbody></table></div>\n");
    json_decref(common);
    put_chosen(out);
    buf_puts(out, "</form>\n");
    if ((int64_t)json_array_size(jobs) == json_int(doc, "limit", 0))
        put_next(out, jobs, r);
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    const int64_t sweep = json_int(doc, "sweep", 0);

    (void)site;
    buf_puts(out, "<h1>Jobs</h1>\n");
    if (sweep > 0) {
        buf_puts(out, "<p class=\"soft\">of ");
        mark_link(out, "/sweeps", sweep, "this sweep");
        buf_puts(out, "</p>\n");
    }
    put_filter(out, r);
    put_actions(out, doc, r);
    put_list(out, doc, r);
}

const struct page page_jobs = {
    .pattern = "/sweeps/#/jobs",
    .menu = "Jobs",
    .load = load,
    .title = title,
    .draw = draw,
};

const struct page page_all_jobs = {
    .pattern = "/jobs",
    .menu = "Jobs",
    .load = load,
    .title = title,
    .draw = draw,
};
