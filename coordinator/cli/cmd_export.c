/* cmd_export.c - results in the formats of other programs; export.c has the formats. */
#include <stdlib.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/export.h"
#include "coordinator/cli/select.h"
#include "shared/base/mem.h"

struct export_config {
    const char *format, *out, *path;
};

static const char *const paths[] = {"clean", "adv", NULL};

static const struct param export_params[] = {
    PARAM_ROW_CHOICE(struct export_config, format, "csv", export_names,
                     "what to write: metrics as tables (csv), JSON lines (jsonl), for "
                     "TensorBoard or MLflow; one job's model as safetensors or ONNX"),
    PARAM_ROW_STRING(struct export_config, out, "",
                     "file or folder to write; default <SWEEP>-<format>"),
    PARAM_ROW_CHOICE(struct export_config, path, "clean", paths,
                     "whose batch norms an ONNX file has"),
};

static int
export_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
           struct err *err)
{
    const struct export_config *c = config;
    const struct export_format *format = export_find(c->format);
    struct export_request r = {.word = words[0], .path = c->path};

    (void)n_words;
    if (cmd_ctx_db(ctx, false, &r.db, err) != 0
        || select_jobs(&r.selection, r.db, words[0], "", "any", err) != 0)
        return -1;
    char *out = c->out[0] ? xstrdup(c->out) : xasprintf("%s-%s", words[0], format->out);
    r.out = out;
    const int rc = format->write(&r, err);
    free(out);
    return rc == 0 ? EXIT_OK
                   : err_wrap(err, "not exported (--out chooses another place)");
}

const struct cmd cmd_export = {
    .name = "export",
    .usage = "SWEEP|JOB|ARTIFACT",
    .doc = "write results and models for other programs",
    .group = "Results",
    .params = export_params,
    .n_params = PARAM_COUNT(export_params),
    .config_size = sizeof(struct export_config),
    .min_words = 1,
    .max_words = 1,
    .run = export_run,
};
