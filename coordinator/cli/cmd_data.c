/* cmd_data.c - data sets are the worker's business; this asks the worker program. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/cli/cmd.h"
#include "shared/base/proc.h"

struct data_config {
    const char *data_dir;
};

static const struct param data_params[] = {
    PARAM_ROW_STRING(
        struct data_config, data_dir, "",
        "folder of the data sets; default RELUSWEEP_DATA and usual places"),
};

static int
data_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
         struct err *err)
{
    const struct data_config *c = config;

    (void)ctx;
    (void)n_words;
    if (strcmp(words[0], "check") != 0)
        return err_set(err, ERR_USAGE, "`data %s` is not known; write `data check`",
                       words[0]);
    if (c->data_dir[0] != '\0')
        setenv("RELUSWEEP_DATA", c->data_dir, 1);
    char *program = proc_sibling("relusweep-worker");
    execlp(program, program, "data", "check", (char *)NULL);
    err_sys(err, "run %s", program);
    free(program);
    return -1;
}

const struct cmd cmd_data = {
    .name = "data",
    .usage = "check",
    .doc = "verify the data sets on this machine and say where to get missing ones",
    .group = "System",
    .params = data_params,
    .n_params = PARAM_COUNT(data_params),
    .config_size = sizeof(struct data_config),
    .min_words = 1,
    .max_words = 1,
    .run = data_run,
};
