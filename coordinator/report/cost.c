/*
 * cost.c - a model of private inference: constants with their sources, and the sums.
 * The papers themselves report counts of ReLUs; everything here is an estimate, and
 * the sheet says from what.
 */
#include "coordinator/report/cost.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "coordinator/report/aggregate.h"
#include "coordinator/report/facet.h"
#include "coordinator/report/group.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "coordinator/report/sheet.h"
#include "shared/base/word.h"

/* ---- constants ------------------------------------------------------------------- */

/* Of one phase. Bytes by direction (up: client to server), seconds of computing. */
struct phase {
    double up_relu, down_relu;   /* bytes a ReLU */
    double up_input, down_input; /* bytes an input element of a linear layer */
    double up_fixed;             /* bytes a network */
    double s_relu, s_mac;        /* seconds a ReLU, a multiply-accumulate */
};

struct model {
    const char *name, *title, *source;
    bool is_measured; /* else a formula that nobody here has checked */
    struct phase online, offline;
    double up, down; /* bytes a second */
};

static const double mbit = 1e6 / 8, us = 1e-6, ns = 1e-9;

/* Delphi's homomorphic traffic is that of the measured run, 321.5 MB up and 47.2 MB down
 * for the 554,066 input elements of ResNet18, as a share of each element. */
#define DELPHI_OFFLINE                                                           \
    {                                                                            \
        .up_relu = 672, .down_relu = 17072 + 1344, .up_input = 321.5e6 / 554066, \
        .down_input = 47.2e6 / 554066, .up_fixed = 33.2e6, .s_relu = 38.1e-6,    \
        .s_mac = 515e-9                                                          \
    }

static const struct model models[] = {
    {
        .name = "delphi",
        .title = "Delphi, garbled circuits, client and server on an EPYC 7502",
        .is_measured = true,
        .source = "measured logs of kvgarimella/cryptonite (ASPLOS 2023): ResNet18, "
                  "41-bit field, multi-threaded; bandwidths are that simulator's",
        .online =
            {.down_relu = 1184, .up_input = 9, .s_relu = 21.9e-6, .s_mac = 0.77e-9},
        .offline = DELPHI_OFFLINE,
        .up = 12.5e6,
        .down = 62.5e6,
    },
    {
        .name = "delphi-weak-client",
        .title = "Delphi, garbled circuits, client on one thread of an Atom Z8350",
        .is_measured = true,
        .source = "as delphi, with the measured evaluation of 345 us a ReLU on the "
                  "client",
        .online =
            {.down_relu = 1184, .up_input = 9, .s_relu = 348.6e-6, .s_mac = 0.77e-9},
        .offline = DELPHI_OFFLINE,
        .up = 12.5e6,
        .down = 62.5e6,
    },
    {
        .name = "cryptflow2",
        .title = "CrypTFlow2, oblivious transfer, ReLUs only: an unverified estimate",
        .source = "bound of (128 + 14) 32 bits a comparison of 32 bits, not measured "
                  "and to be checked against the paper; transfer time alone at 400 "
                  "Mbit/s; linear layers are not counted",
        .online = {.up_relu = 284, .down_relu = 284},
        .up = 50e6,
        .down = 50e6,
    },
    {
        .name = "cheetah",
        .title =
            "Cheetah, silent oblivious transfer, ReLUs only: an unverified estimate",
        .source = "about 11 bits a bit of a comparison of 32 bits, not measured and to "
                  "be checked against the paper; transfer time alone at 400 Mbit/s; "
                  "linear layers are not counted",
        .online = {.up_relu = 22, .down_relu = 22},
        .up = 50e6,
        .down = 50e6,
    },
};
enum { MODELS = sizeof models / sizeof models[0] };

const char *const cost_names[] = {"none",       "delphi",  "delphi-weak-client",
                                  "cryptflow2", "cheetah", NULL};

static const struct model *
find(const char *name)
{
    for (size_t i = 0; i < MODELS; i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    return NULL;
}

/* ---- sums ------------------------------------------------------------------------ */

struct network {
    double relus, macs, inputs;
};

struct cost {
    double bytes, seconds;
};

static struct cost
cost_of(const struct phase *p, const struct model *m, const struct network *n)
{
    const double up = n->relus * p->up_relu + n->inputs * p->up_input + p->up_fixed;
    const double down = n->relus * p->down_relu + n->inputs * p->down_input;

    return (struct cost){up + down, n->relus * p->s_relu + n->macs * p->s_mac
                                        + up / m->up + down / m->down};
}

static void
put(json_t *metrics, const char *name, double value, const char *unit)
{
    json_object_set_new(
        metrics, name,
        json_pack("{s:f, s:s, s:s}", "value", value, "unit", unit, "goal", "min"));
}

static void
add_metrics(json_t *cell, const struct model *m)
{
    json_t *metrics = json_object_get(cell, "metrics");
    const double inputs = aggregate_value(cell, "linear_inputs");
    const struct network n = {aggregate_value(cell, "relus"),
                              aggregate_value(cell, "macs"),
                              isnan(inputs) ? 0 : inputs};

    if (isnan(n.relus) || isnan(n.macs))
        return;
    const struct cost online = cost_of(&m->online, m, &n);
    const struct cost offline = cost_of(&m->offline, m, &n);
    put(metrics, "pi_online_bytes", online.bytes, "B");
    put(metrics, "pi_online_s", online.seconds, "s");
    if (offline.bytes == 0) /* not known */
        return;
    put(metrics, "pi_offline_bytes", offline.bytes, "B");
    put(metrics, "pi_offline_s", offline.seconds, "s");
}

int
cost_add_metrics(json_t *cells, const char *name, struct err *err)
{
    const struct model *m = find(name);
    json_t *cell;
    size_t i;

    if (m == NULL)
        return word_unknown("cost model", name, cost_names, err);
    json_array_foreach(cells, i, cell)
    {
        add_metrics(cell, m);
    }
    return 0;
}

/* ---- sheets ---------------------------------------------------------------------- */

static const struct {
    const char *metric, *heading;
} columns[] = {
    {"relus", "ReLUs"},
    {"macs", "MACs"},
    {"pi_online_bytes", "online bytes"},
    {"pi_online_s", "online s"},
    {"pi_offline_bytes", "offline bytes"},
    {"pi_offline_s", "offline s"},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static void
add_setting(json_t *sheet, const json_t *facet, const json_t *group)
{
    json_t *row = sheet_row(sheet);
    struct buf b = {0};

    sheet_text(row, json_str(facet, "label", ""));
    label_params(&b, json_object_get(group, "params"),
                 json_object_get(facet, "varying"));
    if (b.len == 0)
        buf_puts(&b, "the only setting");
    sheet_take(row, &b);
    for (size_t i = 0; i < COLUMNS; i++) {
        number_metric(&b, group_stat(group, columns[i].metric, "mean"),
                      group_unit(group, columns[i].metric));
        sheet_take(row, &b);
    }
}

static void
add_settings(json_t *report, const struct model *m)
{
    json_t *sheet = sheet_new("cost", "cost", m->title, m->source), *facet;
    size_t i;

    sheet_column(sheet, "network", true);
    sheet_column(sheet, "setting", true);
    for (i = 0; i < COLUMNS; i++)
        sheet_column(sheet, columns[i].heading, false);
    json_array_foreach(json_object_get(report, "facets"), i, facet)
    {
        for (size_t k = 0; k < facet_n_groups(facet); k++) {
            const json_t *group = facet_group(report, facet, k);
            if (!isnan(group_stat(group, "pi_online_s", "mean")))
                add_setting(sheet, facet, group);
        }
    }
    sheet_add(report, sheet);
}

static void
add_constant(json_t *sheet, const struct model *m, const char *what, double online,
             double offline, double unit)
{
    json_t *row = sheet_row(sheet);
    struct buf b = {0};

    sheet_text(row, what);
    buf_printf(&b, "%.4g", online / unit);
    sheet_take(row, &b);
    buf_printf(&b, "%.4g", offline / unit);
    sheet_take(row, &b);
    sheet_text(row, unit == mbit                  ? "assumed"
                    : online == 0 && offline == 0 ? "not counted"
                    : m->is_measured              ? "measured"
                                                  : "unverified");
}

static void
add_constants(json_t *report, const struct model *m)
{
    json_t *sheet =
        sheet_new("cost-constants", "cost", "Constants of this estimate", m->source);
    const struct phase *on = &m->online, *off = &m->offline;

    sheet_column(sheet, "constant", true);
    sheet_column(sheet, "online", false);
    sheet_column(sheet, "offline", false);
    sheet_column(sheet, "status", true);
    add_constant(sheet, m, "bytes a ReLU, client to server", on->up_relu, off->up_relu,
                 1);
    add_constant(sheet, m, "bytes a ReLU, server to client", on->down_relu,
                 off->down_relu, 1);
    add_constant(sheet, m, "bytes an input element of a linear layer, client to server",
                 on->up_input, off->up_input, 1);
    add_constant(sheet, m, "bytes an input element of a linear layer, server to client",
                 on->down_input, off->down_input, 1);
    add_constant(sheet, m, "bytes a network (keys)", on->up_fixed, off->up_fixed, 1);
    add_constant(sheet, m, "computing, us a ReLU", on->s_relu, off->s_relu, us);
    add_constant(sheet, m, "computing, ns a multiply-accumulate", on->s_mac, off->s_mac,
                 ns);
    add_constant(sheet, m, "Mbit/s, client to server", m->up, m->up, mbit);
    add_constant(sheet, m, "Mbit/s, server to client", m->down, m->down, mbit);
    sheet_add(report, sheet);
}

bool
cost_is_measured(const char *name)
{
    const struct model *m = find(name);

    return m == NULL || m->is_measured;
}

void
cost_add_sheets(json_t *report, const char *name)
{
    const struct model *m = find(name);

    add_settings(report, m);
    add_constants(report, m);
}
