/*
 * papers.c - which of our settings is which row of a paper's table. A row is found by
 * data set, model, method, ReLUs and, where the table is about something else, by the
 * parameters that stand for its label; a parameter that our setting does not have is
 * no reason against it.
 */
#include "coordinator/report/papers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/facet.h"
#include "coordinator/report/group.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "coordinator/report/sheet.h"

/* ---- layouts --------------------------------------------------------------------- */

static const char *const three[] = {"CA", "NPA", "AdvA", NULL};
static const char *const clean[] = {"CA", NULL};
static const char *const shallow[] = {"CA", "saving", NULL};

static const struct layout {
    const char *paper, *table, *name, *title;
    const char *const *metrics; /* NULL-terminated */
    bool labelled;              /* rows differ in what they call themselves */
} layouts[] = {
    {"RLNet_CVPRW2024", "1", "rlnet-table1", "RLNet, Table 1: accuracies by budget",
     three, false},
    {"RLNet_CVPRW2024", "3", "rlnet-table3", "RLNet, Table 3: losses of fine-tuning",
     three, true},
    {"RLNet_CVPRW2024", "4", "rlnet-table4", "RLNet, Table 4: temperature", three,
     true},
    {"RLNet_CVPRW2024", "5", "rlnet-table5", "RLNet, Table 5: views of PRAM", three,
     true},
    {"RLNet_CVPRW2024", "6", "rlnet-table6", "RLNet, Table 6: with and without L_ce",
     three, true},
    {"Shallow_CVPRW2023", "1", "shallow-table1", "Shallow, Table 1: gated branching",
     shallow, false},
    {"Shallow_CVPRW2023", "2", "shallow-table2",
     "Shallow, Table 2: auxiliary classifier", shallow, false},
    {"BCD_AAAI", "2", "bcd-table2", "BCD, Table 2: ResNet18", clean, false},
    {"BCD_AAAI", "3", "bcd-table3", "BCD, Table 3: WRN-22-8", clean, false},
};

#define THE_METHOD "loss=ce+kl+pram temperature=4 pram_views=clean,aug attack=auto"
#define NO_CE_LOSS "loss=kl+pram temperature=4 pram_views=clean,aug attack=auto"

/* Labels of RLNet's rows (their beginnings) and the parameters that they stand for; the
 * first that fits (methods.md 4.5). */
static const struct {
    const char *table, *label, *params;
} meanings[] = {
    {"1", "equals Table 6 row without L_ce", NO_CE_LOSS},
    {"1", "", THE_METHOD},
    {"3", "teacher", ""},
    {"3", "Train_CEKL", "ce_views=clean,aug kl_views=adv attack=pgd-7"},
    {"3", "Train_CE", "loss=ce attack=pgd-7"},
    {"3", "Train_KL", "loss=kl temperature=4 attack=auto"},
    {"4", "L_kl T=4", "loss=kl temperature=4"},
    {"4", "L_kl T=1", "loss=kl temperature=1"},
    {"4", "L_kl+beta*L_PRAM T=4", "loss=kl+pram temperature=4 pram_views=clean,aug"},
    {"4", "L_kl+beta*L_PRAM T=1", "loss=kl+pram temperature=1 pram_views=clean,aug"},
    {"5", "L_kl+PRAM(x)+PRAM(x_aug)+PRAM(x_adv)",
     "loss=kl+pram pram_views=clean,aug,adv temperature=4"},
    {"5", "L_kl+PRAM(x)+PRAM(x_aug)",
     "loss=kl+pram pram_views=clean,aug temperature=4"},
    {"5", "L_kl+PRAM(x)", "loss=kl+pram pram_views=clean temperature=4"},
    {"5", "L_kl+L_ce+PRAM(x)+PRAM(x_aug)+PRAM(x_adv)",
     "loss=ce+kl+pram pram_views=clean,aug,adv temperature=4"},
    {"5", "L_kl+L_ce+PRAM(x)+PRAM(x_aug)", THE_METHOD},
    {"5", "L_kl", "loss=kl temperature=4"},
    {"6", "teacher", ""},
    {"6", "without L_ce", NO_CE_LOSS},
    {"6", "with L_ce", THE_METHOD},
};

static const char *
params_of(const struct published_row *row)
{
    if (strcmp(row->paper, "RLNet_CVPRW2024") != 0 || strcmp(row->method, "RLNet") != 0)
        return "";
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (strcmp(meanings[i].table, row->table) == 0
            && strncmp(row->ablation, meanings[i].label, strlen(meanings[i].label))
                   == 0)
            return meanings[i].params;
    return "";
}

/* ---- which of ours --------------------------------------------------------------- */

/* "name=text": a parameter that is there has this value. */
static bool
fits_param(const json_t *params, const char *word, size_t n)
{
    char *name = xstrndup(word, n), *text = strchr(name, '=');
    struct buf value = {0};
    bool fits = true;

    *text++ = '\0';
    if (json_object_get(params, name) != NULL) {
        number_param(&value, json_object_get(params, name));
        fits = strcmp(buf_str(&value), text) == 0;
    }
    buf_release(&value);
    free(name);
    return fits;
}

static bool
fits_params(const json_t *params, const char *words)
{
    for (size_t n; *words != '\0'; words += n + (words[n] == ' ')) {
        n = strcspn(words, " ");
        if (!fits_param(params, words, n))
            return false;
    }
    return true;
}

static bool
fits(const struct published_row *row, const json_t *group)
{
    const json_t *params = json_object_get(group, "params");
    const double relus = group_stat(group, "relus", "mean");

    if (row->our_method == NULL
        || strcmp(row->our_method, json_str(params, "method", "")) != 0)
        return false;
    if (strcmp(row->state, "AR") == 0)
        return group_is_reference(group);
    return !group_is_reference(group) && fabs(relus - row->relus) <= published_rounding
           && fits_params(params, params_of(row));
}

static const json_t *
facet_of(const json_t *report, const struct published_row *row)
{
    json_t *facet;
    size_t i;

    json_array_foreach(json_object_get(report, "facets"), i, facet)
    {
        if (row->our_dataset != NULL && row->our_model != NULL
            && !json_is_true(json_object_get(facet, "small"))
            && strcmp(row->our_dataset, json_str(facet, "dataset", "")) == 0
            && strcmp(row->our_model, json_str(facet, "model", "")) == 0)
            return facet;
    }
    return NULL;
}

/* ---- rows ------------------------------------------------------------------------ */

static bool
is_same_row(const struct published_row *a, const struct published_row *b)
{
    return strcmp(a->paper, b->paper) == 0 && strcmp(a->table, b->table) == 0
           && strcmp(a->dataset, b->dataset) == 0 && strcmp(a->model, b->model) == 0
           && strcmp(a->method, b->method) == 0 && strcmp(a->state, b->state) == 0
           && strcmp(a->relu_k, b->relu_k) == 0
           && strcmp(a->ablation, b->ablation) == 0;
}

/* What the paper prints for this row and metric; NaN when nothing. */
static double
printed(const struct published *p, const struct published_row *row, const char *metric)
{
    for (size_t i = 0; i < p->n; i++)
        if (is_same_row(&p->rows[i], row) && p->rows[i].our_metric != NULL
            && strcmp(p->rows[i].our_metric, metric) == 0)
            return p->rows[i].our_value;
    return NAN;
}

static void
add_metric(json_t *cells, const struct published *p, const struct published_row *row,
           const json_t *group, const char *metric)
{
    const bool saving = strcmp(metric, "saving") == 0;
    const char *unit = saving ? "" : "%";
    const double theirs = printed(p, row, metric);
    const double ours =
        saving ? json_num(group, "saving", NAN) : group_stat(group, metric, "mean");
    struct buf b = {0};

    number_metric(&b, theirs, unit);
    sheet_take(cells, &b);
    if (saving)
        number_metric(&b, ours, unit);
    else
        group_put_metric(&b, group, metric, " ± ");
    sheet_take(cells, &b);
    number_signed(&b, ours - theirs, unit);
    sheet_take(cells, &b);
}

/* One row of the table; group NULL: we have not run it. */
static void
add_row(json_t *sheet, const struct layout *layout, const struct published *p,
        const struct published_row *row, const json_t *facet, const json_t *group)
{
    json_t *cells = sheet_row(sheet);
    struct buf b = {0};

    sheet_text(cells, row->dataset);
    sheet_text(cells, row->model);
    sheet_text(cells, row->method);
    buf_puts(&b, row->relu_k[0] != '\0' ? row->relu_k : "all");
    buf_puts(&b, row->relu_k[0] != '\0' ? "k" : "");
    sheet_take(cells, &b);
    if (layout->labelled) {
        const char *end = strstr(row->ablation, " (");
        buf_add(&b, row->ablation,
                end != NULL ? (size_t)(end - row->ablation) : strlen(row->ablation));
        sheet_take(cells, &b);
    }
    for (const char *const *m = layout->metrics; *m != NULL; m++)
        add_metric(cells, p, row, group, *m);
    if (group != NULL)
        buf_printf(&b, "%lld of %lld", (long long)json_int(group, "n", 0),
                   (long long)json_int(group, "cells", 0));
    sheet_take(cells, &b);
    if (group != NULL)
        label_series(&b, json_object_get(group, "params"),
                     json_object_get(facet, "varying"));
    sheet_take(cells, &b);
}

/* All of ours that are this row; how many. */
static int
add_ours(json_t *sheet, const struct layout *layout, const struct published *p,
         const struct published_row *row, const json_t *report)
{
    const json_t *facet = facet_of(report, row);
    int found = 0;

    if (facet == NULL)
        return 0;
    for (size_t i = 0; i < facet_n_groups(facet); i++) {
        const json_t *group = facet_group(report, facet, i);
        if (!fits(row, group))
            continue;
        add_row(sheet, layout, p, row, facet, group);
        found++;
    }
    if (found == 0)
        add_row(sheet, layout, p, row, facet, NULL);
    return found;
}

/* ---- tables ---------------------------------------------------------------------- */

static json_t *
new_sheet(const struct layout *layout)
{
    struct buf note = {0}, heading = {0};

    buf_printf(&note,
               "Printed in %s. n: finished seeds of ours; a dash: not run here, or not "
               "printed there.",
               published_citation(layout->paper));
    json_t *sheet = sheet_new(layout->name, "papers", layout->title, buf_str(&note));
    sheet_column(sheet, "data set", true);
    sheet_column(sheet, "model", true);
    sheet_column(sheet, "method", true);
    sheet_column(sheet, "ReLUs", false);
    if (layout->labelled)
        sheet_column(sheet, "row", true);
    for (const char *const *m = layout->metrics; *m != NULL; m++) {
        buf_clear(&heading);
        buf_printf(&heading, "%s paper", *m);
        sheet_column(sheet, buf_str(&heading), false);
        sheet_column(sheet, "ours", false);
        sheet_column(sheet, "difference", false);
    }
    sheet_column(sheet, "n", false);
    sheet_column(sheet, "our setting", true);
    buf_release(&heading);
    buf_release(&note);
    return sheet;
}

/* A row begins where none before it is the same, and at its first metric of ours. */
static bool
begins(const struct published *p, size_t at, const struct layout *layout)
{
    const struct published_row *row = &p->rows[at];

    if (strcmp(row->paper, layout->paper) != 0 || strcmp(row->table, layout->table) != 0
        || row->our_metric == NULL)
        return false;
    for (size_t i = 0; i < at; i++)
        if (p->rows[i].our_metric != NULL && is_same_row(&p->rows[i], row))
            return false;
    return true;
}

void
papers_add(json_t *report, const struct published *published)
{
    for (size_t k = 0; k < sizeof layouts / sizeof layouts[0]; k++) {
        json_t *sheet = new_sheet(&layouts[k]);
        int found = 0;
        for (size_t i = 0; i < published->n; i++)
            if (begins(published, i, &layouts[k]))
                found += add_ours(sheet, &layouts[k], published, &published->rows[i],
                                  report);
        if (found > 0)
            sheet_add(report, sheet);
        else
            json_decref(sheet);
    }
}
