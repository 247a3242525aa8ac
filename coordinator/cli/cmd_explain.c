/* cmd_explain.c - one job in words: what it is, what it waits for, what went wrong. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"

struct explain_config {
    bool json;
};

static const struct param explain_params[] = {
    PARAM_ROW_BOOL(struct explain_config, json, "false", "print one JSON document"),
};

static void
print_values(const char *title, const json_t *object)
{
    const char *key;
    const json_t *value;

    if (json_object_size(object) == 0)
        return;
    printf("\n%s\n", title);
    json_object_foreach((json_t *)object, key, value)
    {
        char *text = json_is_string(value) ? text_clean(json_string_value(value))
                                           : json_canonical(value);
        printf("  %-20s %s\n", key, text);
        free(text);
    }
}

static void
print_relatives(struct cmd_ctx *ctx, const char *title, const json_t *jobs)
{
    const json_t *j;
    size_t i;

    if (json_array_size(jobs) == 0)
        return;
    printf("\n%s\n", title);
    struct table *t = table_new(">JOB|STAGE|STATE");
    json_array_foreach(jobs, i, j)
    {
        table_add(t, "%" PRId64, json_int(j, "id", 0));
        table_add(t, "%s", json_str(j, "stage", ""));
        table_add(t, "%s", json_str(j, "state", ""));
    }
    table_print(t, ctx);
}

static void
print_attempts(struct cmd_ctx *ctx, const json_t *attempts)
{
    const json_t *a;
    size_t i;

    if (json_array_size(attempts) == 0)
        return;
    printf("\nattempts\n");
    struct table *t = table_new(">TRY|OUTCOME|>TIME|WORKER|ERROR");
    json_array_foreach(attempts, i, a)
    {
        table_add(t, "%" PRId64, json_int(a, "attempt", 0));
        table_add(t, "%s", json_str(a, "outcome", "running"));
        table_add(t, "%s",
                  json_is_number(json_object_get(a, "seconds"))
                      ? text_duration(json_num(a, "seconds", 0))
                      : "");
        table_add(t, "%s", json_str(a, "worker", ""));
        table_add(t, "%s", json_str(a, "error", json_str(a, "text", "")));
    }
    table_print(t, ctx);
}

/* Which job is compared with this one (`verify`), and where the two were done. */
static void
print_twin(const json_t *job, const json_t *twin)
{
    const char *here = json_str(job, "worker", NULL),
               *there = json_str(twin, "worker", NULL);

    if (!json_is_object(twin))
        return;
    printf(json_is_true(json_object_get(twin, "again"))
               ? "It does job %" PRId64 " again, to compare the numbers (`verify`)"
               : "Job %" PRId64 " does it again, to compare the numbers (`verify`)",
           json_int(twin, "job", 0));
    if (here == NULL || there == NULL)
        puts(".");
    else if (strcmp(here, there) == 0)
        printf("; both are of worker %s, for no other came in time.\n", here);
    else
        printf("; that one is of worker %s on %s.\n", there,
               json_str(twin, "host", "?"));
}

static int
explain_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
            struct err *err)
{
    const struct explain_config *c = config;
    json_t *job = NULL;
    struct db *db;

    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0 || db_job(db, words[0], &job, err) != 0)
        return -1;
    if (c->json) {
        cmd_print_json(job);
    } else {
        char *why = text_clean(json_str(job, "why", ""));
        printf("job %" PRId64 " (%.12s): %s of %s, %s\nIt %s.\n",
               json_int(job, "id", 0), json_str(job, "digest", ""),
               json_str(job, "stage", ""), json_str(job, "method", ""),
               json_str(job, "state", ""), why);
        free(why);
        print_twin(job, json_object_get(job, "twin"));
        print_values("parameters", json_object_get(job, "params"));
        print_relatives(ctx, "needs", json_object_get(job, "parents"));
        print_relatives(ctx, "is needed by", json_object_get(job, "children"));
        print_attempts(ctx, json_object_get(job, "attempts"));
        printf("\n`relusweep logs %" PRId64 "` prints what it wrote\n",
               json_int(job, "id", 0));
    }
    json_decref(job);
    return EXIT_OK;
}

const struct cmd cmd_explain = {
    .name = "explain",
    .usage = "JOB",
    .doc = "say in words why a job is in its state, with its history",
    .group = "Jobs",
    .params = explain_params,
    .n_params = PARAM_COUNT(explain_params),
    .config_size = sizeof(struct explain_config),
    .min_words = 1,
    .max_words = 1,
    .run = explain_run,
};
