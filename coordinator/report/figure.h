#ifndef COORDINATOR_REPORT_FIGURE_H
#define COORDINATOR_REPORT_FIGURE_H

#include "coordinator/report/display.h"
#include "shared/base/json.h"

/*
 * Figures of the report document:
 *
 *   report["figures"]: [{"kind", "name" (of its files), "section" (of the page),
 *                        "title", "facet": index, ... what the kind needs to draw it}]
 *
 * A kind of figure is one file with a `const struct figure_kind figure_<name>` and one
 * line in registry.c.
 */
struct figure_kind {
    const char *name;
    /* Adds its figures, by figure_add; none where the report has nothing to draw. */
    void (*list)(json_t *report);
    /* Initialises `d` and draws one of them. */
    void (*draw)(struct display *d, const json_t *report, const json_t *figure);
};

extern const struct figure_kind *const figure_kinds[]; /* NULL-terminated */

/* A new figure of facet number `facet`, called "<prefix>-<metric>-<key of the facet>"
 * (`metric` may be NULL); it is where `section` is on the page. Borrowed. */
json_t *figure_add(json_t *report, const char *kind, const char *prefix,
                   const char *metric, size_t facet, const char *section,
                   const char *title);

/* The figure's facet. Borrowed. */
const json_t *figure_facet(const json_t *report, const json_t *figure);

/* Draws a figure by its kind. */
void figure_draw(struct display *d, const json_t *report, const json_t *figure);

/* Title and, below it, the facet and title of the report: the head of a figure that is
 * not a Pareto plot. Returns the y where there is room again. */
double figure_head(struct display *d, const json_t *report, const json_t *figure);

#endif
