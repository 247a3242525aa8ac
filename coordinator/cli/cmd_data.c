/* cmd_data.c - data sets are the worker's business; this asks the worker program, with
 * the same words and options. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/cli/cmd.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "shared/spec/data_options.h"

enum { MAX_WORDS = 2, MAX_ARGUMENTS = 2 + DATA_OPTIONS + MAX_WORDS };

/* "--data-dir=VALUE"; caller frees. Name and value stand in `p` and `config`. */
static char *
option_text(const struct param *p, const void *config)
{
    const char *field = (const char *)config + p->offset;
    char *text = p->type == PARAM_INT
                     ? xasprintf("--%s=%" PRId64, p->name, *(const int64_t *)field)
                     : xasprintf("--%s=%s", p->name, *(const char *const *)field);

    for (char *c = text; *c != '=' && *c != '\0'; c++)
        if (*c == '_')
            *c = '-';
    return text;
}

static int
data_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
         struct err *err)
{
    char *argv[MAX_ARGUMENTS + 1] = {proc_sibling("relusweep-worker"), (char *)"data"};
    int n = 2;

    (void)ctx;
    for (int i = 0; i < DATA_OPTIONS; i++)
        argv[n++] = option_text(&data_options[i], config);
    for (size_t i = 0; i < n_words; i++)
        argv[n++] = (char *)words[i];
    execvp(argv[0], argv);
    err_sys(err, "run %s", argv[0]);
    for (int i = 2; i < 2 + DATA_OPTIONS; i++)
        free(argv[i]);
    free(argv[0]);
    return -1;
}

const struct cmd cmd_data = {
    .name = "data",
    .usage = "check | corrupt DATASET",
    .doc = "verify data sets and say where to get missing ones; make corrupted images",
    .group = "System",
    .params = data_options,
    .n_params = DATA_OPTIONS,
    .config_size = sizeof(struct data_options),
    .min_words = 1,
    .max_words = MAX_WORDS,
    .run = data_run,
};
