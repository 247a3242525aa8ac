/*
 * html.c - index.html: one file with its style and its figures inside, without script
 * or any request to the outside. The order is that of a reader's questions: what came
 * out, can I trust it, the numbers, what failed, how do I get it again.
 */
#include "coordinator/report/html.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/report/escape.h"
#include "coordinator/report/figure.h"
#include "coordinator/report/format.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "coordinator/report/sheet.h"
#include "coordinator/report/svg.h"
#include "shared/base/file.h"

enum { MANY_COLUMNS = 11 };

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

/* ---- sections of figures and sheets ---------------------------------------------- */

static void
put_download(struct buf *out, const json_t *item, const char *extension)
{
    html_text(out, " <a href=\"", json_str(item, "name", ""), ".");
    buf_printf(out, "%s\">%s</a>", extension, extension);
}

static void
put_figure(struct buf *out, const json_t *report, const json_t *figure)
{
    const bool has_points = strcmp(json_str(figure, "kind", ""), "pareto") == 0;
    struct display display;

    buf_puts(out, "<figure>\n");
    figure_draw(&display, report, figure);
    svg_draw(out, &display, false);
    display_release(&display);
    html_text(out, "<figcaption>", json_str(figure, "title", ""), ":");
    put_download(out, figure, "svg");
    put_download(out, figure, "png");
    put_download(out, figure, "pdf");
    if (has_points)
        put_download(out, figure, "csv");
    buf_puts(out, "</figcaption>\n</figure>\n");
}

static void
put_sheet(struct buf *out, const json_t *sheet)
{
    json_t *row, *cell;
    size_t i, k;

    html_text(out, "<h3>", json_str(sheet, "title", ""), "</h3>\n");
    html_text(out, "<p class=\"soft\">", json_str(sheet, "note", ""), "");
    put_download(out, sheet, "csv");
    put_download(out, sheet, "tex");
    buf_printf(out, "</p>\n<div class=\"scroll\"><table%s>\n<thead><tr>",
               sheet_n_columns(sheet) > MANY_COLUMNS ? " class=\"dense\"" : "");
    for (i = 0; i < sheet_n_columns(sheet); i++)
        html_text(out, sheet_is_left(sheet, i) ? "<th class=\"word\">" : "<th>",
                  sheet_heading(sheet, i), "</th>");
    buf_puts(out, "</tr></thead>\n<tbody>\n");
    json_array_foreach(json_object_get(sheet, "rows"), i, row)
    {
        buf_puts(out, "<tr>");
        json_array_foreach(row, k, cell)
        {
            html_text(out, sheet_is_left(sheet, k) ? "<td class=\"word\">" : "<td>",
                      json_string_value(cell), "</td>");
        }
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n");
}

/* The items of a list that belong to a section. New reference. */
static json_t *
items_of(const json_t *report, const char *list, const char *section)
{
    json_t *found = json_array(), *item;
    size_t i;

    json_array_foreach(json_object_get(report, list), i, item)
    {
        if (strcmp(json_str(item, "section", ""), section) == 0)
            json_array_append(found, item);
    }
    return found;
}

/* Figures side by side; each facet has its heading where there are several. */
static void
put_figures(struct buf *out, const json_t *report, const json_t *figures)
{
    const bool many = json_array_size(json_object_get(report, "facets")) > 1;
    int64_t facet = -1;
    json_t *figure;
    size_t i;

    json_array_foreach(figures, i, figure)
    {
        const int64_t at = json_int(figure, "facet", 0);
        if (at != facet) {
            buf_puts(out, facet >= 0 ? "</div>\n" : "");
            if (many)
                html_text(out, "<h3>",
                          json_str(figure_facet(report, figure), "label", ""),
                          "</h3>\n");
            buf_puts(out, "<div class=\"plots\">\n");
            facet = at;
        }
        put_figure(out, report, figure);
    }
    buf_puts(out, facet >= 0 ? "</div>\n" : "");
}

static void
put_section(struct buf *out, const json_t *report, const char *id, const char *heading,
            const char *intro)
{
    json_t *figures = items_of(report, "figures", id);
    json_t *sheets = items_of(report, "sheets", id), *sheet;
    size_t i;

    if (json_array_size(figures) + json_array_size(sheets) > 0) {
        buf_printf(out, "<section id=\"%s\">\n", id);
        html_text(out, "<h2>", heading, "</h2>\n");
        if (intro[0] != '\0')
            html_text(out, "<p class=\"soft\">", intro, "</p>\n");
        put_figures(out, report, figures);
        json_array_foreach(sheets, i, sheet)
        {
            put_sheet(out, sheet);
        }
        buf_puts(out, "</section>\n");
    }
    json_decref(sheets);
    json_decref(figures);
}

static void
put_pareto(struct buf *out, const json_t *report)
{
    struct buf heading = {0};

    buf_printf(&heading, "Pareto fronts against %s",
               label_metric(json_str(report, "x", "")));
    put_section(out, report, "pareto", buf_str(&heading),
                "Filled marks with a colour are this report's own runs: means over "
                "seeds, with bars of one sample standard deviation. Grey strokes on "
                "dashed lines are published numbers, which we have not run.");
    buf_release(&heading);
}

/* Sections between the settings and the failures, in the order of the page. */
static const struct {
    const char *id, *heading, *intro;
} sections[] = {
    {"papers", "The papers' tables",
     "Ours beside what is printed there, where a setting of this report is the same."},
    {"ablations", "Ablations", ""},
    {"sensitivity", "Sensitivity",
     "One panel for each parameter that varies; a line joins settings that differ in "
     "nothing else."},
    {"layers", "Where the ReLUs are", ""},
    {"norms", "Statistics of batch norm", ""},
    {"cost", "Cost of private inference", ""},
    {"work", "Work", ""},
};

/* ---- the page -------------------------------------------------------------------- */

static int
write_html(const json_t *report, const char *dir, struct err *err)
{
    char *path = file_join(dir, "index.html");
    struct buf out = {0};

    put_head(&out, report);
    put_header(&out, report);
    put_pareto(&out, report);
    html_cells(&out, report);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        put_section(&out, report, sections[i].id, sections[i].heading,
                    sections[i].intro);
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
