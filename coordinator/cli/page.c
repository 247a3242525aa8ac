/*
 * page.c - the screen of `watch`, from one picture of the sweep. Knows where things
 * stand and how they look; the terminal is screen.c's.
 */
#include "coordinator/cli/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"
#include "shared/base/mem.h"

enum {
    HEAD = 4,
    FOOT = 2,
    LONGEST_STAGE = 20,
    COUNTS = 11,
    CURVE = 24,
    MEDIUM = 72,
    WIDE = 100
};

static const char plain[] = "", bold[] = "\033[1m", dim[] = "\033[2m",
                  red[] = "\033[31m", green[] = "\033[32m", yellow[] = "\033[33m",
                  cyan[] = "\033[36m";

struct page {
    struct buf *out;
    const struct page_look *look;
    size_t at;  /* column in the line */
    int n_rows; /* lines so far */
};

static size_t
width(const struct page *p)
{
    return p->look->columns > 1 ? (size_t)p->look->columns - 1 : 1;
}

/* Rows that are still free above the foot. */
static int
room(const struct page *p)
{
    return p->look->rows - FOOT - p->n_rows;
}

static void
style(struct page *p, const char *escape)
{
    if (p->look->colour)
        buf_puts(p->out, escape[0] != '\0' ? escape : "\033[0m");
}

/* Text of others, too: it is cleaned, and cut at the line's end. */
static void __attribute__((format(printf, 3, 4)))
put(struct page *p, const char *escape, const char *fmt, ...)
{
    va_list ap;
    char *text = NULL;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    char *clean = text_clean(text != NULL ? text : "");
    style(p, escape);
    p->at += text_put(p->out, clean, width(p) - p->at);
    if (escape[0] != '\0')
        style(p, plain);
    free(clean);
    free(text);
}

static void
end_line(struct page *p)
{
    buf_putc(p->out, '\n');
    p->at = 0;
    p->n_rows++;
}

static const json_t *
sweep_of(const struct picture *now)
{
    return json_array_get(json_object_get(now->status, "sweeps"), 0);
}

static void
put_clock(struct page *p, time_t at)
{
    struct tm local;
    char text[40];

    localtime_r(&at, &local);
    strftime(text, sizeof text,
             at - p->look->now < (time_t)20 * 3600 ? "%H:%M" : "%a %H:%M", &local);
    put(p, plain, "%s", text);
}

/* "left: 3 to 5 min, done 14:31 to 14:33" */
static void
put_left(struct page *p, const struct picture *now)
{
    const char *trouble = view_trouble(now->status);
    struct buf range = {0};

    if (trouble != NULL) {
        put(p, yellow, "%s: nothing moves", trouble);
        return;
    }
    if (!now->eta.known) {
        put(p, plain, "left: %s",
            now->outlook == NULL ? "..."
                                 : "not known before a job of each stage is done");
        return;
    }
    eta_put(&range, &now->eta);
    put(p, plain, "left: ");
    put(p, bold, "%s", buf_str(&range));
    put(p, plain, ", done ");
    put_clock(p, p->look->now + (time_t)now->eta.low_s);
    if (now->eta.high_s - now->eta.low_s >= 60) {
        put(p, plain, " to ");
        put_clock(p, p->look->now + (time_t)now->eta.high_s);
    }
    buf_release(&range);
}

static void
put_head(struct page *p, const struct picture *now)
{
    const json_t *sweep = sweep_of(now);
    const size_t n_workers = json_array_size(json_object_get(now->status, "workers"));
    struct buf counts = {0};

    put(p, bold, "%s", json_str(sweep, "name", ""));
    put(p, plain, "  %s", json_str(sweep, "title", ""));
    end_line(p);
    view_put_counts(&counts, now->status);
    put(p, plain, "%s; %" PRId64 " of %" PRId64 " cells", buf_str(&counts),
        json_int(sweep, "cells_done", 0), json_int(sweep, "cells", 0));
    end_line(p);
    put_left(p, now);
    if (p->look->columns >= MEDIUM)
        put(p, plain, "  %zu %s,", n_workers, n_workers == 1 ? "worker" : "workers");
    put(p, plain, " %zu of %" PRId64 " slots busy",
        json_array_size(json_object_get(sweep, "running")), view_slots(now->status));
    end_line(p);
    end_line(p);
    buf_release(&counts);
}

/* Longest name of a stage; with several methods theirs stand before it. */
static size_t
longest_stage(const json_t *stages, bool methods)
{
    const json_t *row;
    size_t longest = 0, i;

    json_array_foreach(stages, i, row)
    {
        const size_t n = text_width(json_str(row, "stage", ""))
                         + (methods ? 1 + text_width(json_str(row, "method", "")) : 0);
        longest = n > longest ? n : longest;
    }
    return longest < LONGEST_STAGE ? longest : LONGEST_STAGE;
}

static void
put_bar(struct page *p, const json_t *row, size_t columns)
{
    static const char *const styles[] = {green, cyan, red, dim};
    const struct text_bar bar = {json_num(row, "succeeded", 0),
                                 json_num(row, "running", 0),
                                 json_num(row, "waiting", 0), json_num(row, "bad", 0)};
    size_t widths[4];

    text_bar_widths(widths, &bar, columns);
    for (int i = 0; i < 4; i++) {
        style(p, styles[i]);
        text_bar_part(p->out, i, widths[i], p->look->utf8);
        style(p, plain);
    }
    p->at += columns;
}

/* "finetune  ██████▒▒░░░░░  12/40" */
static void
put_stage(struct page *p, const json_t *row, size_t name_width, bool methods)
{
    struct buf name = {0};

    if (methods)
        buf_printf(&name, "%s ", json_str(row, "method", ""));
    buf_puts(&name, json_str(row, "stage", ""));
    put(p, plain, "%.*s", (int)name_width, buf_str(&name));
    put(p, plain, "%*s", p->at < name_width + 2 ? (int)(name_width + 2 - p->at) : 0,
        "");
    if (width(p) > p->at + COUNTS + 4)
        put_bar(p, row, width(p) - p->at - COUNTS);
    put(p, plain, "  %" PRId64 "/%" PRId64, json_int(row, "succeeded", 0),
        json_int(row, "jobs", 0));
    end_line(p);
    buf_release(&name);
}

static bool
has_several_methods(const json_t *stages)
{
    const json_t *row;
    size_t i;

    json_array_foreach(stages, i, row)
    {
        if (strcmp(json_str(row, "method", ""),
                   json_str(json_array_get(stages, 0), "method", ""))
            != 0)
            return true;
    }
    return false;
}

/* At most half of the screen. */
static void
put_stages(struct page *p, const struct picture *now)
{
    const json_t *stages = json_object_get(now->outlook, "stages"), *row;
    const bool methods = has_several_methods(stages);
    const size_t name_width = longest_stage(stages, methods);
    const int most = room(p) / 2;
    size_t i;

    json_array_foreach(stages, i, row)
    {
        if ((int)i >= most)
            break;
        put_stage(p, row, name_width, methods);
    }
    if (json_array_size(stages) > 0)
        end_line(p);
}

/* The curve of a job's losses: its epochs so far, then what it has now. */
static char *
curve_of(const struct page *p, const struct picture *now, const json_t *r)
{
    const int spare = p->look->columns - 68;
    const size_t columns = spare < 0 ? 0 : spare < CURVE ? (size_t)spare : CURVE;
    struct buf text = {0}, values = {0};
    char key[32];

    snprintf(key, sizeof key, "%" PRId64, json_int(r, "job", 0));
    const json_t *points =
        json_object_get(json_object_get(now->outlook, "curves"), key);
    for (size_t i = 0; i < json_array_size(points); i++) {
        const double y = json_number_value(json_array_get(points, i));
        buf_add(&values, &y, sizeof y);
    }
    if (values.len > 0 && json_is_number(json_object_get(r, "loss"))) {
        const double y = json_num(r, "loss", 0);
        buf_add(&values, &y, sizeof y);
    }
    const size_t n = values.len / sizeof(double);
    if (n >= 2 && columns > 0)
        text_curve(&text, (const double *)(const void *)values.data, n, columns,
                   p->look->utf8);
    buf_release(&values);
    return text.data != NULL ? buf_take(&text) : xstrdup("");
}

static void
add_running(struct table *t, const struct page *p, const struct picture *now,
            const json_t *r)
{
    const int64_t epochs = json_int(r, "epochs", 0), steps = json_int(r, "steps", 0);
    const double rate = json_num(r, "images_per_second", 0);
    const double left = json_num(r, "seconds_left", -1);
    char *curve = curve_of(p, now, r);

    table_add(t, "%" PRId64, json_int(r, "job", 0));
    table_add(t, "%s", json_str(r, "stage", ""));
    if (epochs > 0)
        table_add(t, "%" PRId64 "/%" PRId64, json_int(r, "epoch", 0), epochs);
    else
        table_add(t, NULL);
    if (steps > 0)
        table_add(t, "%.0f%%", 100.0 * json_num(r, "step", 0) / (double)steps);
    else
        table_add(t, NULL);
    table_add(t, rate > 0 ? "%.0f" : "", rate);
    if (epochs > 0 && json_is_number(json_object_get(r, "loss")))
        table_add(t, "%.4g", json_num(r, "loss", 0));
    else
        table_add(t, NULL);
    table_add(t, "%s", curve);
    table_add(t, "%s", left >= 0 ? text_duration(left) : "");
    table_add(t, "%s", p->look->columns >= WIDE ? json_str(r, "worker", "") : "");
    free(curve);
}

/* As many as fit above `kept` rows for what follows; the rest is counted. */
static void
put_running(struct page *p, const struct picture *now, int kept)
{
    const json_t *running = json_object_get(sweep_of(now), "running");
    const size_t n = json_array_size(running);
    const int free_rows = room(p) - kept - 1;
    struct buf text = {0};

    if (n == 0 || free_rows < 1)
        return;
    const size_t shown = n <= (size_t)free_rows ? n : (size_t)free_rows - 1;
    struct table *t =
        table_new(">JOB|STAGE|>EPOCH|>DONE|~>IMAGES/S|>LOSS|~CURVE|>LEFT|~WORKER");
    for (size_t i = 0; i < shown; i++)
        add_running(t, p, now, json_array_get(running, i));
    table_put(&text, t, width(p), p->look->colour);
    buf_puts(p->out, buf_str(&text));
    p->n_rows += 1 + (int)shown;
    if (shown < n) {
        put(p, dim, "... and %zu more", n - shown);
        end_line(p);
    }
    buf_release(&text);
}

/* Rows that failures want: a blank one, a heading, one for each cause. */
static int
failure_rows(const struct page *p, size_t n)
{
    const int want = n > 0 ? (int)n + 2 : 0, most = room(p) / 2;

    return want < most ? want : most;
}

static void
put_failures(struct page *p, const json_t *failures, int rows)
{
    if (rows < 3)
        return;
    end_line(p);
    put(p, bold, "FAILED");
    put(p, plain, "  (relusweep explain JOB says more)");
    end_line(p);
    for (size_t i = 0; i < (size_t)rows - 2; i++) {
        const json_t *f = json_array_get(failures, i),
                     *jobs = json_object_get(f, "jobs");
        const size_t n = json_array_size(jobs);
        put(p, red, "%" PRId64, (int64_t)json_integer_value(json_array_get(jobs, 0)));
        if (n > 1)
            put(p, red, " and %zu more", n - 1);
        put(p, plain, "  %s: %s", json_str(f, "stage", ""), json_str(f, "text", ""));
        end_line(p);
    }
}

void
page_draw(struct buf *out, const struct picture *now, const struct page_look *look)
{
    const json_t *failures = json_object_get(sweep_of(now), "failures");
    struct page p = {.out = out, .look = look};

    put_head(&p, now);
    put_stages(&p, now);
    const int kept = failure_rows(&p, json_array_size(failures));
    put_running(&p, now, kept);
    put_failures(&p, failures, kept);
    while (p.n_rows < look->rows - 1)
        end_line(&p);
    if (look->note != NULL)
        put(&p, yellow, "%s", look->note);
    else
        put(&p, dim, "q leaves this view; the sweep goes on");
}
