/* cmd_report.c - the Pareto report of a sweep, finished or not. */
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/report/report.h"
#include "shared/base/mem.h"

struct report_config {
    const char *out;
    bool json, text;
};

static const struct param report_params[] = {
    PARAM_ROW_STRING(struct report_config, out, "",
                     "folder to write; default report-<name of the sweep>"),
    PARAM_ROW_BOOL(struct report_config, json, "false",
                   "print the report's document, write no files"),
    PARAM_ROW_BOOL(struct report_config, text, "false",
                   "print the table only, write no files"),
};

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

static int
report_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
           struct err *err)
{
    const struct report_config *c = config;
    json_t *rows = NULL, *report = NULL;
    int64_t sweep;
    struct db *db;
    int rc = -1;

    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || db_sweep_id(db, words[0], &sweep, err) != 0
        || db_report(db, sweep, &rows, err) != 0
        || report_build(&report, rows, err) != 0)
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
    .usage = "SWEEP",
    .doc = "write the Pareto report: HTML, SVG, PNG, CSV, JSON",
    .group = "Results",
    .params = report_params,
    .n_params = PARAM_COUNT(report_params),
    .config_size = sizeof(struct report_config),
    .min_words = 1,
    .max_words = 1,
    .run = report_run,
};
