/* cmd_logs.c - what a job's process wrote, as far as it has arrived. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/cmd.h"
#include "shared/base/clock.h"

struct logs_config {
    int64_t attempt;
    bool follow;
};

static const struct param logs_params[] = {
    PARAM_ROW_INT(struct logs_config, attempt, "0", 0, 1e9,
                  "which attempt; 0: the newest"),
    PARAM_ROW_BOOL(struct logs_config, follow, "false",
                   "go on printing until the job ends"),
};

/* Terminal escapes of a log must not act on the reader's terminal. */
static void
print_clean(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        const unsigned char u = (unsigned char)*c;
        putchar(u < 0x20 && u != '\n' && u != '\t' ? '?' : u == 0x7f ? '?' : *c);
    }
    fflush(stdout);
}

static int
job_of(struct db *db, const char *word, int64_t *id, bool *running, struct err *err)
{
    json_t *job = NULL;

    if (db_job(db, word, &job, err) != 0)
        return -1;
    *id = json_int(job, "id", 0);
    *running = strcmp(json_str(job, "state", ""), "leased") == 0;
    json_decref(job);
    return 0;
}

static int
logs_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
         struct err *err)
{
    const struct logs_config *c = config;
    int64_t id, offset = 0;
    bool running;
    struct db *db;

    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0)
        return -1;
    do {
        char *text = NULL;
        if (job_of(db, words[0], &id, &running, err) != 0
            || db_log(db, id, c->attempt, offset, &text, err) != 0)
            return -1;
        print_clean(text);
        offset += (int64_t)strlen(text);
        free(text);
        if (c->follow && running)
            clock_pause_ms(500);
    } while (c->follow && running);
    if (offset == 0)
        fprintf(stderr, "job %s has written nothing yet\n", words[0]);
    return EXIT_OK;
}

const struct cmd cmd_logs = {
    .name = "logs",
    .usage = "JOB",
    .doc = "print the log of a job's newest or chosen attempt",
    .group = "Jobs",
    .params = logs_params,
    .n_params = PARAM_COUNT(logs_params),
    .config_size = sizeof(struct logs_config),
    .min_words = 1,
    .max_words = 1,
    .run = logs_run,
};
