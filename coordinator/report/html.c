/*
 * html.c - index.html: one file with its style and its figures inside, without script
 * or any request to the outside. The order is that of a reader's questions: what came
 * out, can I trust it, the numbers, what failed, how do I get it again.
 */
#include "coordinator/report/html.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/report/chart.h"
#include "coordinator/report/escape.h"
#include "coordinator/report/format.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "coordinator/report/plot.h"
#include "coordinator/report/svg.h"
#include "shared/base/file.h"

void
html_text(struct buf *out, const char *before, const char *text, const char *after)
{
    buf_puts(out, before);
    escape_markup(out, text);
    buf_puts(out, after);
}

static const char *
title_of(const json_t *report)
{
    const char *title = json_str(report, "title", "");

    return title[0] != '\0' ? title : json_str(report, "name", "");
}

/* ---- head ------------------------------------------------------------------------ */

static void
put_head(struct buf *out, const json_t *report)
{
    buf_puts(out,
             "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, "
             "initial-scale=1\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
             "'none'; style-src 'unsafe-inline'\">\n"
             "<meta name=\"generator\" content=\"relusweep\">\n");
    html_text(out, "<title>", title_of(report), " – relusweep</title>\n");
    buf_puts(out, "<style>\n");
    buf_puts(out, html_style);
    buf_puts(out, "</style>\n</head>\n<body>\n<main>\n");
}

static void
put_fact(struct buf *out, const char *words, const char *value)
{
    html_text(out, "<li><b>", value, "</b>");
    html_text(out, "<span>", words, "</span></li>\n");
}

static void
put_facts(struct buf *out, const json_t *report)
{
    const json_t *counts = json_object_get(report, "counts");
    struct buf b = {0};

    buf_puts(out, "<ul class=\"facts\">\n");
    number_count(&b, json_int(counts, "succeeded", 0));
    buf_puts(&b, " of ");
    number_count(&b, json_int(counts, "cells", 0));
    put_fact(out, "cells finished", buf_str(&b));
    buf_clear(&b);
    number_count(&b, json_int(counts, "groups", 0));
    put_fact(out, "settings compared", buf_str(&b));
    buf_clear(&b);
    number_count(&b, json_int(counts, "jobs", 0));
    put_fact(out, "jobs, shared by the cells", buf_str(&b));
    buf_clear(&b);
    number_seconds(&b, json_num(counts, "seconds", 0));
    put_fact(out, "of computing", buf_str(&b));
    buf_puts(out, "</ul>\n");
    buf_release(&b);
}

static void
put_notes(struct buf *out, const json_t *report)
{
    const json_t *notes = json_object_get(report, "notes");
    json_t *note;
    size_t i;

    if (json_array_size(notes) == 0)
        return;
    buf_puts(out, "<aside class=\"notes\">\n");
    json_array_foreach(notes, i, note)
    {
        html_text(out, "<p>", json_string_value(note), "</p>\n");
    }
    buf_puts(out, "</aside>\n");
}

/* Settings that all cells share: "dataset fashion-mnist, model resnet10-w16". */
static void
put_fixed(struct buf *out, const json_t *report)
{
    json_t *fixed = json_object_get(report, "fixed"), *names = json_array(), *value;
    struct buf text = {0};
    const char *name;

    json_object_foreach(fixed, name, value)
    {
        json_array_append_new(names, json_string(name));
    }
    label_params(&text, fixed, names);
    if (text.len > 0)
        html_text(out, "<p class=\"soft\">All cells: ", buf_str(&text), "</p>\n");
    buf_release(&text);
    json_decref(names);
}

static void
put_header(struct buf *out, const json_t *report)
{
    buf_puts(out, "<header>\n");
    html_text(out, "<p class=\"kicker\">relusweep · ", json_str(report, "name", ""),
              "</p>\n");
    html_text(out, "<h1>", title_of(report), "</h1>\n");
    html_text(out, "<p class=\"lead\">", json_str(report, "summary", ""), "</p>\n");
    put_fixed(out, report);
    put_facts(out, report);
    put_notes(out, report);
    buf_puts(out, "</header>\n");
}

/* ---- plots ----------------------------------------------------------------------- */

static void
put_download(struct buf *out, const char *metric, const char *extension)
{
    struct buf name = {0};

    label_file(&name, metric, extension);
    html_text(out, " <a href=\"", buf_str(&name), "\">");
    html_text(out, "", extension, "</a>");
    buf_release(&name);
}

static void
put_plot(struct buf *out, const json_t *report, const char *metric)
{
    struct display display;
    struct chart chart;

    buf_puts(out, "<figure>\n");
    chart_init(&chart, report, metric);
    if (chart.missing != NULL) {
        html_text(out, "<p class=\"empty\">No finished cell has reported ",
                  chart.missing, ".</p>\n</figure>\n");
        chart_release(&chart);
        return;
    }
    plot_draw(&display, &chart);
    svg_draw(out, &display, false);
    display_release(&display);
    chart_release(&chart);
    html_text(out, "<figcaption>", metric, ":");
    put_download(out, metric, "svg");
    put_download(out, metric, "png");
    put_download(out, metric, "csv");
    buf_puts(out, "</figcaption>\n</figure>\n");
}

static void
put_plots(struct buf *out, const json_t *report)
{
    json_t *metric;
    size_t i;

    html_text(out, "<section id=\"pareto\">\n<h2>Pareto fronts against ",
              label_metric(json_str(report, "x", "")),
              "</h2>\n<div class=\"plots\">\n");
    json_array_foreach(json_object_get(report, "y"), i, metric)
    {
        put_plot(out, report, json_string_value(metric));
    }
    buf_puts(out, "</div>\n</section>\n");
}

/* ---- the page -------------------------------------------------------------------- */

static int
write_html(const json_t *report, const char *dir, struct err *err)
{
    char *path = file_join(dir, "index.html");
    struct buf out = {0};

    put_head(&out, report);
    put_header(&out, report);
    put_plots(&out, report);
    html_cells(&out, report);
    html_failures(&out, report);
    html_provenance(&out, report);
    html_reproduce(&out, report);
    buf_puts(&out, "</main>\n</body>\n</html>\n");
    const int rc = file_write(path, buf_str(&out), out.len, err);
    buf_release(&out);
    free(path);
    return rc;
}

const struct format format_html = {
    .name = "html",
    .doc = "index.html: the whole report in one self-contained page",
    .write = write_html,
};
