/* cmd_report.c - the Pareto report of one or several sweeps, finished or not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/model_facts.h"
#include "coordinator/report/cost.h"
#include "coordinator/report/merge.h"
#include "coordinator/report/report.h"
#include "shared/base/mem.h"

struct report_config {
    const char *out, *x, *y, *cost, *reference;
    bool json, text;
};

static const struct param report_params[] = {
    PARAM_ROW_STRING(struct report_config, out, "",
                     "folder to write; default report-<name of the sweep>"),
    PARAM_ROW_STRING(struct report_config, x, "",
                     "metric of the x axis, such as relus, macs, pi_online_s; default: "
                     "the sweep's"),
    PARAM_ROW_STRING(struct report_config, y, "",
                     "metrics to plot, with commas between; default: the sweep's"),
    PARAM_ROW_CHOICE(struct report_config, cost, "none", cost_names,
                     "estimate private inference by this protocol and, without --x, "
                     "plot against its online seconds"),
    PARAM_ROW_STRING(struct report_config, reference, "",
                     "published curves, with commas between, or none; default: the "
                     "sweep's, else all that come from tables"),
    PARAM_ROW_BOOL(struct report_config, json, "false",
                   "print the report's document, write no files"),
    PARAM_ROW_BOOL(struct report_config, text, "false",
                   "print table and plot as text only, write no files"),
};

/* "CA,AdvA" as a list. New reference. */
static json_t *
words_of(const char *list)
{
    char *copy = xstrdup(list), *save = NULL;
    json_t *words = json_array();

    for (char *word = strtok_r(copy, ", ", &save); word != NULL;
         word = strtok_r(NULL, ", ", &save))
        json_array_append_new(words, json_string(word));
    free(copy);
    return words;
}

/* Puts what the command line asks for over what the sweep file does. */
static void
set_request(json_t *rows, const struct report_config *c)
{
    const bool costs = strcmp(c->cost, "none") != 0;
    json_t *request = json_object_get(rows, "report");

    if (c->x[0] != '\0' || costs)
        json_object_set_new(request, "x",
                            json_string(c->x[0] != '\0' ? c->x : "pi_online_s"));
    if (c->y[0] != '\0')
        json_object_set_new(request, "y", words_of(c->y));
    if (c->reference[0] != '\0')
        json_object_set_new(request, "reference", words_of(c->reference));
    json_object_set_new(request, "cost", json_string(c->cost));
}

static void
print_text(const struct cmd_ctx *ctx, const json_t *report)
{
    struct buf text = {0};

    report_text(&text, report, ctx->columns);
    fputs(buf_str(&text), stdout);
    buf_release(&text);
}

static int
write_files(const struct cmd_ctx *ctx, const struct report_config *c,
            const json_t *report, struct err *err)
{
    char *dir = c->out[0] ? xstrdup(c->out)
                          : xasprintf("report-%s", json_str(report, "name", "sweep"));
    const int rc = report_write(report, dir, err);

    if (rc == 0) {
        print_text(ctx, report);
        printf("\nreport: %s/index.html\n", dir);
    }
    free(dir);
    return rc == 0 ? 0 : err_wrap(err, "not written (--out chooses another folder)");
}

/* Rows of all sweeps that are named, as one document. */
static int
load_rows(json_t **out, struct db *db, const char **words, size_t n_words,
          struct err *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n_words; i++) {
        json_t *rows;
        int64_t sweep;
        if (db_sweep_id(db, words[i], &sweep, err) != 0
            || db_report(db, sweep, &rows, err) != 0) {
            json_decref(list);
            return -1;
        }
        json_array_append_new(list, rows);
        if (model_facts_add(rows, db, sweep, err) != 0) {
            json_decref(list);
            return -1;
        }
    }
    *out = n_words == 1 ? json_incref(json_array_get(list, 0)) : report_merge(list);
    json_decref(list);
    return 0;
}

static int
report_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
           struct err *err)
{
    const struct report_config *c = config;
    json_t *rows = NULL, *report = NULL;
    struct db *db;
    int rc = -1;

    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || load_rows(&rows, db, words, n_words, err) != 0)
        return -1;
    set_request(rows, c);
    if (report_build(&report, rows, err) != 0)
        goto out;
    rc = EXIT_OK;
    if (c->json)
        cmd_print_json(report);
    else if (c->text)
        print_text(ctx, report);
    else
        rc = write_files(ctx, c, report, err);
out:
    json_decref(report);
    json_decref(rows);
    return rc;
}

const struct cmd cmd_report = {
    .name = "report",
    .usage = "SWEEP...",
    .doc = "write the Pareto report: HTML, SVG, PNG, PDF, CSV, LaTeX, JSON",
    .group = "Results",
    .params = report_params,
    .n_params = PARAM_COUNT(report_params),
    .config_size = sizeof(struct report_config),
    .min_words = 1,
    .max_words = -1,
    .run = report_run,
};
