/* cmd_import.c - a teacher that PyTorch trained; what a network is, the worker program
 * knows, which puts it among the data. */
#include <stdlib.h>
#include <unistd.h>

#include "coordinator/cli/cmd.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"

struct import_config {
    const char *model, *dataset, *data_dir;
};

static const struct param import_params[] = {
    PARAM_ROW_STRING(struct import_config, model, NULL, "network, as in a sweep file"),
    PARAM_ROW_STRING(struct import_config, dataset, NULL,
                     "data set that it was trained on, as in a sweep file"),
    PARAM_ROW_STRING(
        struct import_config, data_dir, "",
        "folder of the data sets; default RELUSWEEP_DATA and usual places"),
};

static int
import_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
           struct err *err)
{
    const struct import_config *c = config;
    char *program = proc_sibling("relusweep-worker");
    char *model = xasprintf("--model=%s", c->model);
    char *dataset = xasprintf("--dataset=%s", c->dataset);
    char *data_dir = xasprintf("--data-dir=%s", c->data_dir);

    (void)ctx;
    (void)n_words;
    execlp(program, program, "import", model, dataset, data_dir, "--", words[0],
           (char *)NULL);
    err_sys(err, "run %s", program);
    free(program);
    free(model);
    free(dataset);
    free(data_dir);
    return -1;
}

const struct cmd cmd_import = {
    .name = "import",
    .usage = "FILE",
    .doc = "take in a PyTorch teacher (safetensors) and say how a sweep names it",
    .group = "Results",
    .params = import_params,
    .n_params = PARAM_COUNT(import_params),
    .config_size = sizeof(struct import_config),
    .min_words = 1,
    .max_words = 1,
    .run = import_run,
};
