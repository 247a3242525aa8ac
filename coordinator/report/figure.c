/* figure.c - the list of figures and what all kinds share. */
#include "coordinator/report/figure.h"

#include <string.h>

#include "coordinator/report/label.h"
#include "shared/base/buf.h"

static const double title_size = 16, text_size = 12.5, edge = 12;

static const json_t *
facet_at(const json_t *report, size_t i)
{
    return json_array_get(json_object_get(report, "facets"), i);
}

json_t *
figure_add(json_t *report, const char *kind, const char *prefix, const char *metric,
           size_t facet, const char *section, const char *title)
{
    const char *key = json_str(facet_at(report, facet), "key", "");
    struct buf name = {0};

    buf_puts(&name, prefix);
    if (metric != NULL) {
        buf_putc(&name, '-');
        label_file(&name, metric);
    }
    if (key[0] != '\0') {
        buf_putc(&name, '-');
        label_file(&name, key);
    }
    json_t *figure = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s*}", "kind", kind, "name",
                               buf_str(&name), "section", section, "title", title,
                               "facet", (json_int_t)facet, "metric", metric);
    json_array_append_new(json_object_get(report, "figures"), figure);
    buf_release(&name);
    return figure;
}

const json_t *
figure_facet(const json_t *report, const json_t *figure)
{
    return facet_at(report, (size_t)json_int(figure, "facet", 0));
}

void
figure_draw(struct display *d, const json_t *report, const json_t *figure)
{
    const char *name = json_str(figure, "kind", "");
    const struct figure_kind *const *kind = figure_kinds;

    while (strcmp((*kind)->name, name) != 0)
        kind++;
    (*kind)->draw(d, report, figure);
}

double
figure_head(struct display *d, const json_t *report, const json_t *figure)
{
    const json_t *facet = figure_facet(report, figure);
    const double room = d->width - 2 * edge;
    const char *title = json_str(report, "title", "");
    struct buf b = {0};

    buf_printf(&b, "%s · %s", json_str(facet, "label", ""),
               title[0] != '\0' ? title : json_str(report, "name", ""));
    if (json_is_true(json_object_get(facet, "small")))
        buf_puts(&b, " · small-scale run");
    display_text(d, edge, 26, title_size, DISPLAY_START, true, 0,
                 display_fit(d, json_str(figure, "title", ""), title_size, true, room));
    display_text(d, edge, 45, text_size, DISPLAY_START, false, 0.72,
                 display_fit(d, buf_str(&b), text_size, false, room));
    buf_release(&b);
    return 62;
}
