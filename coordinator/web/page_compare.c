/*
 * page_compare.c - two to eight jobs side by side: curves over each other, parameters
 * that differ, final metrics.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/jobmetrics.h"
#include "coordinator/report/number.h"
#include "coordinator/web/linechart.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"

enum { MOST = 8 };

static int
load_all(json_t *jobs, const struct moment *at, const struct request *r,
         struct err *err)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        const struct request_field *f = &r->fields[i];
        json_t *job;
        if (strcmp(f->name, "job") != 0)
            continue;
        if (json_array_size(jobs) == MOST)
            return err_set(err, ERR_USAGE, "at most %d jobs can be compared", MOST);
        if (strspn(f->value, "0123456789") != strlen(f->value) || strlen(f->value) > 15)
            return err_set(err, ERR_USAGE, "`%s` is not the number of a job", f->value);
        if (db_job_metrics(at->db, strtoll(f->value, NULL, 10), &job, err) != 0)
            return -1;
        json_array_append_new(jobs, job);
    }
    if (json_array_size(jobs) < 2)
        return err_set(err, ERR_USAGE,
                       "choose two to %d jobs in a list of jobs: /compare?job=1&job=2",
                       MOST);
    return 0;
}

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    json_t *jobs = json_array();

    if (load_all(jobs, at, r, err) != 0) {
        json_decref(jobs);
        return -1;
    }
    *out = json_pack("{s:o}", "jobs", jobs);
    return 0;
}

static void
title(struct buf *out, const json_t *doc)
{
    (void)doc;
    buf_puts(out, "Compare");
}

/* Every name that some job has, in the order in which they come. New reference. */
static json_t *
names_of(const json_t *jobs, json_t *(*list)(const json_t *job))
{
    json_t *names = json_object(), *job, *value;
    const char *name;
    size_t i;

    json_array_foreach(jobs, i, job)
    {
        json_t *values = list(job);
        json_object_foreach(values, name, value)
        {
            json_object_set_new(names, name, json_true());
        }
        json_decref(values);
    }
    return names;
}

static json_t *
params_of(const json_t *job)
{
    return json_incref(json_object_get(job, "params"));
}

/* [{"name", ...}] by name. New reference. */
static json_t *
by_name(const json_t *list)
{
    json_t *map = json_object(), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        json_object_set(map, json_str(item, "name", ""), item);
    }
    return map;
}

static json_t *
curves_of(const json_t *job)
{
    return by_name(json_object_get(job, "curves"));
}

static json_t *
finals_of(const json_t *job)
{
    return by_name(json_object_get(job, "finals"));
}

/* ---- tables ------------------------------------------------------------------------ */

static bool
all_equal(const json_t *jobs, const char *name)
{
    const json_t *first =
        json_object_get(json_object_get(json_array_get(jobs, 0), "params"), name);
    json_t *job;
    size_t i;

    json_array_foreach(jobs, i, job)
    {
        const json_t *v = json_object_get(json_object_get(job, "params"), name);
        if (first == NULL || v == NULL || !json_equal((json_t *)first, (json_t *)v))
            return false;
    }
    return true;
}

static void
put_heads(struct buf *out, const json_t *jobs)
{
    json_t *job;
    size_t i;

    buf_puts(out, "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><td></td>");
    json_array_foreach(jobs, i, job)
    {
        struct buf text = {0};
        buf_printf(&text, "%lld", (long long)json_int(job, "id", 0));
        buf_puts(out, "<th scope=\"col\" class=\"n\">");
        mark_link(out, "/jobs", json_int(job, "id", 0), buf_str(&text));
        html_text(out, " ", json_str(job, "stage", ""), "</th>");
        buf_release(&text);
    }
    buf_puts(out, "</tr></thead><tbody>\n");
}

static void
put_params(struct buf *out, const json_t *jobs)
{
    json_t *names = names_of(jobs, params_of), *yes, *job;
    const char *name;
    size_t i;

    mark_part(out, "params", "Parameters that differ");
    put_heads(out, jobs);
    json_object_foreach(names, name, yes)
    {
        if (all_equal(jobs, name))
            continue;
        html_text(out, "<tr><th scope=\"row\">", name, "</th>");
        json_array_foreach(jobs, i, job)
        {
            const json_t *v = json_object_get(json_object_get(job, "params"), name);
            buf_puts(out, "<td class=\"n\">");
            if (v != NULL)
                mark_value(out, v);
            else
                buf_puts(out, "–");
            buf_puts(out, "</td>");
        }
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n");
    mark_part_end(out);
    json_decref(names);
}

static void
put_final(struct buf *out, const json_t *job, const char *name)
{
    json_t *finals = finals_of(job);
    const json_t *m = json_object_get(finals, name);

    buf_puts(out, "<td class=\"n\">");
    number_metric(out, json_num(m, "value", NAN), json_str(m, "unit", ""));
    buf_puts(out, "</td>");
    json_decref(finals);
}

static void
put_finals(struct buf *out, const json_t *jobs)
{
    json_t *names = names_of(jobs, finals_of), *yes, *job;
    const char *name;
    size_t i;

    mark_part(out, "finals", "Final metrics");
    put_heads(out, jobs);
    json_object_foreach(names, name, yes)
    {
        html_text(out, "<tr><th scope=\"row\">", name, "</th>");
        json_array_foreach(jobs, i, job)
        {
            put_final(out, job, name);
        }
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n");
    mark_part_end(out);
    json_decref(names);
}

/* ---- curves ------------------------------------------------------------------------ */

static void
put_chart(struct buf *out, const json_t *jobs, const char *name, struct steps range)
{
    json_t *curves[MOST], *job;
    struct line lines[MOST];
    char labels[MOST][32];
    size_t i, n = 0, k = 0;

    json_array_foreach(jobs, i, job)
    {
        curves[n] = curves_of(job);
        const json_t *curve = json_object_get(curves[n++], name);
        if (curve == NULL)
            continue;
        snprintf(labels[k], sizeof labels[k], "job %lld",
                 (long long)json_int(job, "id", 0));
        lines[k] = (struct line){labels[k], json_object_get(curve, "points")};
        k++;
    }
    linechart(out, name, "", lines, k, range);
    while (n > 0)
        json_decref(curves[--n]);
}

static void
put_charts(struct buf *out, const json_t *jobs, const struct request *r)
{
    json_t *names = names_of(jobs, curves_of), *yes;
    const char *name;

    mark_part(out, "curves", "Curves");
    if (json_object_size(names) > 0)
        linechart_form(out, r);
    buf_puts(out, "<div class=\"plots\">\n");
    json_object_foreach(names, name, yes)
    {
        put_chart(out, jobs, name, linechart_steps(r));
    }
    buf_puts(out, "</div>\n");
    mark_part_end(out);
    json_decref(names);
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    const json_t *jobs = json_object_get(doc, "jobs");

    (void)site;
    buf_puts(out, "<h1>Compare</h1>\n");
    put_params(out, jobs);
    put_finals(out, jobs);
    put_charts(out, jobs, r);
}

const struct page page_compare = {
    .pattern = "/compare",
    .menu = "Jobs",
    .load = load,
    .title = title,
    .draw = draw,
};
