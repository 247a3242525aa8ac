/* cmd_jobs.c - list jobs of a sweep, a page at a time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/select.h"
#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"

struct jobs_config {
    const char *state;
    int64_t limit, after;
    bool json;
};

static const struct param jobs_params[] = {
    SELECT_ROW_STATE(struct jobs_config),
    PARAM_ROW_INT(struct jobs_config, limit, "200", 1, 1e6, "at most so many"),
    PARAM_ROW_INT(struct jobs_config, after, "0", 0, 9e15,
                  "only jobs behind this id, for the next page"),
    PARAM_ROW_BOOL(struct jobs_config, json, "false", "print one JSON document"),
};

/* The parameters that differ between the listed jobs, as "budget=5000 T=4". */
static void
add_params(struct table *t, const json_t *job)
{
    struct buf text = {0};
    const char *key;
    const json_t *value;

    json_object_foreach((json_t *)json_object_get(job, "params"), key, value)
    {
        char *canon = json_is_string(value) ? NULL : json_canonical(value);
        buf_printf(&text, "%s%s=%s", text.len > 0 ? " " : "", key,
                   canon ? canon : json_string_value(value));
        free(canon);
    }
    table_add(t, "%s", buf_str(&text));
    buf_release(&text);
}

/* Names of the parameters in which two of the jobs differ; new reference. */
static json_t *
find_varying(const json_t *jobs)
{
    json_t *first = json_object(), *varying = json_object(), *value;
    const json_t *job;
    const char *key;
    size_t i;

    json_array_foreach(jobs, i, job)
    {
        json_object_foreach(json_object_get(job, "params"), key, value)
        {
            const json_t *before = json_object_get(first, key);
            if (before == NULL)
                json_object_set(first, key, value);
            else if (!json_equal(before, value))
                json_object_set_new(varying, key, json_true());
        }
    }
    json_decref(first);
    return varying;
}

/* Removes from every job's "params" what is the same wherever it is. */
static void
drop_common(json_t *jobs)
{
    json_t *varying = find_varying(jobs), *job, *value;
    const char *key;
    void *next;
    size_t i;

    json_array_foreach(jobs, i, job)
    {
        json_t *params = json_object_get(job, "params");
        json_object_foreach_safe(params, next, key, value)
        {
            if (json_object_get(varying, key) == NULL)
                json_object_del(params, key);
        }
    }
    json_decref(varying);
}

static void
print_jobs(struct cmd_ctx *ctx, json_t *jobs)
{
    struct table *t =
        table_new(">JOB|STAGE|STATE|~>TRY|~>TIME|~WORKER|PARAMETERS|ERROR");
    const json_t *j;
    size_t i;

    drop_common(jobs);
    json_array_foreach(jobs, i, j)
    {
        const json_t *error = json_object_get(j, "error");
        table_add(t, "%" PRId64, json_int(j, "id", 0));
        table_add(t, "%s", json_str(j, "stage", ""));
        table_add(t, "%s", json_str(j, "state", ""));
        table_add(t, "%" PRId64, json_int(j, "attempt", 0));
        table_add(t, "%s",
                  json_is_number(json_object_get(j, "seconds"))
                      ? text_duration(json_num(j, "seconds", 0))
                      : "");
        table_add(t, "%s", json_str(j, "worker", ""));
        add_params(t, j);
        table_add(t, "%s",
                  json_is_string(error) ? json_string_value(error)
                                        : json_str(error, "text", ""));
    }
    table_print(t, ctx);
}

static int
jobs_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
         struct err *err)
{
    const struct jobs_config *c = config;
    struct db_selection sel;
    json_t *doc = NULL;
    struct db *db;

    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || select_jobs(&sel, db, n_words > 0 ? words[0] : NULL, "", c->state, err) != 0
        || db_jobs(db, &sel, c->after, c->limit, &doc, err) != 0)
        return -1;
    json_t *jobs = json_object_get(doc, "jobs");
    const size_t n = json_array_size(jobs);
    if (c->json)
        cmd_print_json(doc);
    else if (n == 0)
        fprintf(stderr, "no jobs here\n");
    else
        print_jobs(ctx, jobs);
    if (!c->json && (int64_t)n == c->limit)
        fprintf(stderr, "there may be more: --after %" PRId64 "\n",
                json_int(json_array_get(jobs, n - 1), "id", 0));
    json_decref(doc);
    return EXIT_OK;
}

const struct cmd cmd_jobs = {
    .name = "jobs",
    .usage = "[SWEEP]",
    .doc = "list jobs with state, attempts and errors",
    .group = "Jobs",
    .params = jobs_params,
    .n_params = PARAM_COUNT(jobs_params),
    .config_size = sizeof(struct jobs_config),
    .max_words = 1,
    .run = jobs_run,
};
