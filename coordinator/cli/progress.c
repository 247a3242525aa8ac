/*
 * progress.c - the live view of a sweep. On a terminal a few lines that redraw in
 * place; in a pipe a plain line when a count changes, or every ten seconds.
 */
#include "coordinator/cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "coordinator/cli/text.h"
#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"

enum { REDRAW_MS = 500, PLAIN_MS = 10000, MAX_RUNNING = 12 };

/* In the order in which they are shown. */
static const char *const states[] = {"succeeded",       "leased",      "ready",
                                     "blocked",         "held",        "failed",
                                     "upstream_failed", "quarantined", "cancelled"};
enum { N_STATES = sizeof states / sizeof states[0], FIRST_OPEN = 1, FIRST_BAD = 5 };

struct progress {
    bool redraw, onlooker;
    int columns, lines; /* lines drawn last time */
    int64_t last_ms, started_ms;
    char *last_counts;
};

struct progress *
progress_new(const struct cmd_ctx *ctx, bool onlooker)
{
    struct progress *p = xcalloc(1, sizeof *p);
    struct winsize size;

    p->redraw = ctx->tty_err;
    p->onlooker = onlooker;
    p->columns = 80;
    if (p->redraw && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        p->columns = size.ws_col;
    p->started_ms = clock_mono_ms();
    p->last_counts = xstrdup("");
    return p;
}

static const json_t *
sweep_of(const json_t *status)
{
    return json_array_get(json_object_get(status, "sweeps"), 0);
}

static int64_t
count(const json_t *status, const char *state)
{
    return json_int(json_object_get(sweep_of(status), "jobs"), state, 0);
}

int64_t
progress_open_jobs(const json_t *status)
{
    int64_t n = 0;

    for (int i = FIRST_OPEN; i < FIRST_BAD; i++)
        n += count(status, states[i]);
    return n;
}

int64_t
progress_bad_jobs(const json_t *status)
{
    int64_t n = 0;

    for (int i = FIRST_BAD; i < N_STATES; i++)
        n += count(status, states[i]);
    return n;
}

static const char *
word_of(const char *state)
{
    return strcmp(state, "succeeded") == 0 ? "done"
           : strcmp(state, "leased") == 0  ? "running"
           : strcmp(state, "blocked") == 0 ? "waiting"
                                           : state;
}

/* "20 jobs: 5 done, 2 running, 13 waiting" */
static void
put_counts(const struct progress *p, struct buf *out, const json_t *status)
{
    int64_t all = 0;
    const char *separator = ": ";

    for (int i = 0; i < N_STATES; i++)
        all += count(status, states[i]);
    buf_printf(out, "%" PRId64 " jobs", all);
    for (int i = 0; i < N_STATES; i++) {
        const int64_t n = count(status, states[i]);
        if (n == 0)
            continue;
        buf_printf(out, "%s%" PRId64 " %s", separator, n, word_of(states[i]));
        separator = ", ";
    }
    if (p->onlooker && progress_open_jobs(status) > 0
        && !json_is_object(json_object_get(status, "coordinator")))
        buf_puts(out, "; no coordinator is running");
}

/* "  finetune #14  epoch 2/4  812 img/s  loss 1.234  8 s left" */
static void
put_running(struct buf *out, const json_t *r)
{
    const int64_t epochs = json_int(r, "epochs", 0);
    const int64_t steps = json_int(r, "steps", 0), step = json_int(r, "step", 0);
    const double rate = json_num(r, "images_per_second", 0);
    const double left = json_num(r, "seconds_left", -1);
    char *stage = text_clean(json_str(r, "stage", "?"));

    buf_printf(out, "%s #%" PRId64, stage, json_int(r, "job", 0));
    if (epochs > 0)
        buf_printf(out, "  epoch %" PRId64 "/%" PRId64, json_int(r, "epoch", 0),
                   epochs);
    if (steps > 0)
        buf_printf(out, "  %3.0f%%", 100.0 * (double)step / (double)steps);
    if (rate > 0)
        buf_printf(out, "  %.0f images/s", rate);
    if (epochs > 0 && json_is_number(json_object_get(r, "loss")))
        buf_printf(out, "  loss %.4g", json_num(r, "loss", 0));
    if (left >= 0)
        buf_printf(out, "  %s left", text_duration(left));
    free(stage);
}

/* A line on the terminal, cut to its width. */
static void
draw_line(struct progress *p, const char *text)
{
    fprintf(stderr, "\033[K%.*s\n", p->columns - 1, text);
    p->lines++;
}

static void
draw(struct progress *p, const json_t *status)
{
    const json_t *running = json_object_get(sweep_of(status), "running");
    const json_t *failures = json_object_get(sweep_of(status), "failures");
    struct buf line = {0};

    if (p->lines > 0)
        fprintf(stderr, "\033[%dA", p->lines);
    const int before = p->lines;
    p->lines = 0;
    put_counts(p, &line, status);
    buf_printf(&line, "  [%s]",
               text_duration((double)(clock_mono_ms() - p->started_ms) / 1000.0));
    draw_line(p, buf_str(&line));
    for (size_t i = 0; i < json_array_size(running) && i < MAX_RUNNING; i++) {
        buf_clear(&line);
        buf_puts(&line, "  ");
        put_running(&line, json_array_get(running, i));
        draw_line(p, buf_str(&line));
    }
    for (size_t i = 0; i < json_array_size(failures) && i < 3; i++) {
        const json_t *f = json_array_get(failures, i);
        char *text = text_clean(json_str(f, "text", ""));
        buf_clear(&line);
        buf_printf(&line, "  failed %zux %s: %s",
                   json_array_size(json_object_get(f, "jobs")),
                   json_str(f, "stage", ""), text);
        draw_line(p, buf_str(&line));
        free(text);
    }
    while (p->lines < before)
        draw_line(p, "");
    buf_release(&line);
}

static void
print_plain(struct progress *p, const json_t *status, bool changed)
{
    const json_t *running = json_object_get(sweep_of(status), "running");
    struct buf line = {0};

    put_counts(p, &line, status);
    for (size_t i = 0; !changed && i < json_array_size(running) && i < 4; i++) {
        buf_puts(&line, " | ");
        put_running(&line, json_array_get(running, i));
    }
    fprintf(stderr, "[%s] %s\n",
            text_duration((double)(clock_mono_ms() - p->started_ms) / 1000.0),
            buf_str(&line));
    buf_release(&line);
}

void
progress_show(struct progress *p, const json_t *status)
{
    const int64_t now = clock_mono_ms();
    struct buf counts = {0};

    put_counts(p, &counts, status);
    const bool changed = strcmp(buf_str(&counts), p->last_counts) != 0;
    if (p->redraw && (changed || now - p->last_ms >= REDRAW_MS)) {
        draw(p, status);
        p->last_ms = now;
    }
    if (!p->redraw && (changed || now - p->last_ms >= PLAIN_MS)) {
        print_plain(p, status, changed);
        p->last_ms = now;
    }
    free(p->last_counts);
    p->last_counts = buf_take(&counts);
}

void
progress_end(struct progress *p)
{
    if (p == NULL)
        return;
    free(p->last_counts);
    free(p);
}
