/*
 * progress.c - a sweep in lines: the view of `run`, and of `watch` in a pipe. What it
 * draws in place goes out in one piece, so nothing flickers.
 */
#include "coordinator/cli/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "coordinator/cli/text.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"

enum { REDRAW_MS = 500, PLAIN_MS = 10000, MAX_RUNNING = 12, MAX_FAILURES = 3 };

struct progress {
    struct view view;
    FILE *to;
    bool redraw, trouble;
    int columns, rows;
    int lines; /* drawn last time */
    int64_t last_ms, started_ms;
    char *last_counts;
};

/* Of the terminal as it is now. */
static void
measure(struct progress *p)
{
    struct winsize size = {0};

    p->columns = 80;
    p->rows = 24;
    if (!p->redraw || ioctl(fileno(p->to), TIOCGWINSZ, &size) != 0)
        return;
    p->columns = size.ws_col > 20 ? size.ws_col : p->columns;
    p->rows = size.ws_row > 4 ? size.ws_row : p->rows;
}

/* "[1 min 20 s] 20 jobs: 5 done, 15 waiting; 3 to 5 min left" */
static void
put_summary(const struct progress *p, struct buf *out, const struct picture *now)
{
    const char *trouble = p->trouble ? view_trouble(now->status) : NULL;

    buf_printf(out, "[%s] ",
               text_duration((double)(clock_mono_ms() - p->started_ms) / 1000.0));
    view_put_counts(out, now->status);
    if (trouble != NULL) {
        buf_printf(out, "; %s", trouble);
    } else if (now->eta.known && view_open_jobs(now->status) > 0) {
        buf_puts(out, "; ");
        eta_put(out, &now->eta);
        buf_puts(out, " left");
    }
}

/* "finetune #14  epoch 2/4   25%  812 images/s  loss 1.234  8 s left" */
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

/* Moves `line` to the drawing, cut to the terminal's width. */
static void
end_line(struct progress *p, struct buf *drawing, struct buf *line)
{
    buf_puts(drawing, "\033[K");
    text_put(drawing, buf_str(line), (size_t)p->columns - 1);
    buf_putc(drawing, '\n');
    buf_clear(line);
    p->lines++;
}

static void
draw_failures(struct progress *p, struct buf *drawing, const json_t *failures)
{
    struct buf line = {0};

    for (size_t i = 0; i < json_array_size(failures) && i < MAX_FAILURES; i++) {
        const json_t *f = json_array_get(failures, i);
        char *text = text_clean(json_str(f, "text", ""));
        buf_printf(&line, "  failed %zux %s: %s",
                   json_array_size(json_object_get(f, "jobs")),
                   json_str(f, "stage", ""), text);
        end_line(p, drawing, &line);
        free(text);
    }
    buf_release(&line);
}

static void
draw(struct progress *p, const struct picture *now)
{
    const json_t *sweep = json_array_get(json_object_get(now->status, "sweeps"), 0);
    const json_t *running = json_object_get(sweep, "running");
    struct buf drawing = {0}, line = {0};
    const int before = p->lines;

    measure(p);
    if (before > 0)
        buf_printf(&drawing, "\033[%dA", before);
    p->lines = 0;
    put_summary(p, &line, now);
    end_line(p, &drawing, &line);
    for (size_t i = 0; i < json_array_size(running) && i < MAX_RUNNING
                       && p->lines < p->rows - 2 - MAX_FAILURES;
         i++) {
        buf_puts(&line, "  ");
        put_running(&line, json_array_get(running, i));
        end_line(p, &drawing, &line);
    }
    draw_failures(p, &drawing, json_object_get(sweep, "failures"));
    if (p->lines < before)
        buf_puts(&drawing, "\033[J");
    fputs(buf_str(&drawing), p->to);
    fflush(p->to);
    buf_release(&drawing);
    buf_release(&line);
}

static void
print_plain(struct progress *p, const struct picture *now, bool changed)
{
    const json_t *sweep = json_array_get(json_object_get(now->status, "sweeps"), 0);
    const json_t *running = json_object_get(sweep, "running");
    struct buf line = {0};

    put_summary(p, &line, now);
    for (size_t i = 0; !changed && i < json_array_size(running) && i < 4; i++) {
        buf_puts(&line, " | ");
        put_running(&line, json_array_get(running, i));
    }
    fprintf(p->to, "%s\n", buf_str(&line));
    fflush(p->to);
    buf_release(&line);
}

static void
progress_show(struct view *v, const struct picture *now)
{
    struct progress *p = (struct progress *)v;
    const int64_t t = clock_mono_ms();
    struct buf counts = {0};

    view_put_counts(&counts, now->status);
    const bool changed = strcmp(buf_str(&counts), p->last_counts) != 0;
    if (changed || t - p->last_ms >= (p->redraw ? REDRAW_MS : PLAIN_MS)) {
        if (p->redraw)
            draw(p, now);
        else
            print_plain(p, now, changed);
        p->last_ms = t;
    }
    free(p->last_counts);
    p->last_counts = buf_take(&counts);
}

/* What was drawn stays above it. */
static void
progress_say(struct view *v, const char *text)
{
    struct progress *p = (struct progress *)v;

    fprintf(p->to, "%s\n", text);
    fflush(p->to);
    p->lines = 0;
}

static bool
progress_wait(struct view *v, int64_t ms)
{
    (void)v;
    clock_pause_ms(ms);
    return false;
}

static void
progress_end(struct view *v)
{
    struct progress *p = (struct progress *)v;

    free(p->last_counts);
    free(p);
}

struct view *
progress_new(FILE *to, bool redraw, bool trouble)
{
    struct progress *p = xcalloc(1, sizeof *p);

    p->view = (struct view){progress_show, progress_say, progress_wait, progress_end};
    p->to = to;
    p->redraw = redraw;
    p->trouble = trouble;
    p->started_ms = clock_mono_ms();
    p->last_counts = xstrdup("");
    return &p->view;
}
