/*
 * jobs.c - the jobs behind the cells: what ran, where, and what failed. A job that many
 * cells share is counted once. Does not know what a stage does.
 */
#include "coordinator/report/jobs.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

/* Its digest, or its id where the digest is unknown. Caller frees. */
static char *
job_key(const json_t *job)
{
    const char *digest = json_str(job, "digest", "");

    return digest[0] != '\0' ? xstrdup(digest)
                             : xasprintf("#%lld", (long long)json_int(job, "id", -1));
}

static bool
has_state(const json_t *job, const char *state)
{
    return strcmp(json_str(job, "state", ""), state) == 0;
}

static bool
has_failed(const json_t *job)
{
    return has_state(job, "failed") || has_state(job, "quarantined");
}

static void
add_job(json_t *jobs, json_t *by_key, const json_t *job, size_t cell, size_t depth)
{
    char *key = job_key(job);
    json_t *known = json_object_get(by_key, key);

    if (known == NULL) {
        known = json_copy((json_t *)job);
        json_object_del(known, "provenance");
        json_object_set_new(known, "cells", json_array());
        json_object_set(by_key, key, known);
        json_array_append_new(jobs, known);
    }
    json_array_append_new(json_object_get(known, "cells"),
                          json_integer((json_int_t)cell));
    if (json_int(known, "depth", -1) < (int64_t)depth)
        json_object_set_new(known, "depth", json_integer((json_int_t)depth));
    free(key);
}

json_t *
jobs_list(const json_t *cells)
{
    json_t *jobs = json_array(), *by_key = json_object(), *cell, *job;
    size_t i, k;

    json_array_foreach(cells, i, cell)
    {
        json_array_foreach(json_object_get(cell, "jobs"), k, job)
        {
            if (json_is_object(job))
                add_job(jobs, by_key, job, i, k);
        }
    }
    json_decref(by_key);
    return jobs;
}

/* ---- failures -------------------------------------------------------------------- */

/* Numbers differ between two failures with one cause; words do not. */
static void
put_without_numbers(struct buf *out, const char *text)
{
    for (const char *c = text; *c != '\0';) {
        if (!isdigit((unsigned char)*c)) {
            buf_putc(out, *c++);
            continue;
        }
        buf_putc(out, '#');
        c += strspn(c, "0123456789abcdefABCDEF.");
    }
}

/* The one that the queue has recorded, else one of our own. Caller frees. */
static char *
fingerprint(const json_t *job)
{
    const json_t *error = json_object_get(job, "error");
    const char *given = json_str(error, "fingerprint", "");
    struct buf b = {0};

    if (given[0] != '\0')
        return xstrdup(given);
    buf_printf(&b, "%s\n%s\n", json_str(job, "stage", ""), json_str(error, "kind", ""));
    put_without_numbers(&b, json_str(error, "text", ""));
    const struct sha256 digest = sha256_bytes(buf_str(&b), b.len);
    buf_release(&b);
    return xasprintf("%.12s", digest.hex);
}

static void
add_failure(json_t *failures, json_t *by_print, const json_t *job)
{
    const json_t *error = json_object_get(job, "error");
    char *print = fingerprint(job);
    json_t *failure = json_object_get(by_print, print), *cell;
    size_t i;

    if (failure == NULL) {
        failure = json_pack("{s:s, s:s, s:s, s:s, s:i, s:[], s:i, s:[]}", "fingerprint",
                            print, "kind", json_str(error, "kind", "unknown"), "stage",
                            json_str(job, "stage", "unknown"), "text",
                            json_str(error, "text", "no reason was recorded"), "count",
                            0, "jobs", "dependants", 0, "cells");
        json_array_append_new(failures, failure);
        json_object_set(by_print, print, failure);
    }
    json_array_append(json_object_get(failure, "jobs"), json_object_get(job, "id"));
    json_array_foreach(json_object_get(job, "cells"), i, cell)
    {
        json_array_append(json_object_get(failure, "cells"), cell);
    }
    json_object_set_new(failure, "count",
                        json_integer(json_int(failure, "count", 0) + 1));
    free(print);
}

/* Marks in lost[] the cells of this failure; a cell is listed once. */
static void
unique_cells(json_t *failure, bool *lost, size_t n_cells)
{
    json_t *cells = json_array(), *cell;
    size_t i;

    memset(lost, 0, n_cells * sizeof *lost);
    json_array_foreach(json_object_get(failure, "cells"), i, cell)
    {
        const size_t c = (size_t)json_integer_value(cell);
        if (!lost[c])
            json_array_append(cells, cell);
        lost[c] = true;
    }
    json_object_set_new(failure, "cells", cells);
}

static void
count_dependants(json_t *failure, const json_t *jobs, const bool *lost)
{
    json_int_t n = 0;
    json_t *job, *cell;
    size_t i, k;

    json_array_foreach(jobs, i, job)
    {
        bool depends = false;
        json_array_foreach(json_object_get(job, "cells"), k, cell)
        {
            depends = depends || lost[json_integer_value(cell)];
        }
        n += depends && has_state(job, "upstream_failed");
    }
    json_object_set_new(failure, "dependants", json_integer(n));
}

static size_t
count_cells(const json_t *jobs)
{
    json_int_t last = -1;
    json_t *job, *cell;
    size_t i, k;

    json_array_foreach(jobs, i, job)
    {
        json_array_foreach(json_object_get(job, "cells"), k, cell)
        {
            last = json_integer_value(cell) > last ? json_integer_value(cell) : last;
        }
    }
    return (size_t)(last + 1);
}

static int
by_count(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    const int64_t nx = json_int(x, "count", 0), ny = json_int(y, "count", 0);

    if (nx != ny)
        return nx > ny ? -1 : 1;
    return strcmp(json_str(x, "fingerprint", ""), json_str(y, "fingerprint", ""));
}

/* The items of an array, sorted, in a new one; takes `items`. */
static json_t *
sorted(json_t *items, int (*order)(const void *, const void *))
{
    const size_t n = json_array_size(items);
    json_t **list = xcalloc(n + 1, sizeof *list), *out = json_array();

    for (size_t i = 0; i < n; i++)
        list[i] = json_array_get(items, i);
    qsort(list, n, sizeof *list, order);
    for (size_t i = 0; i < n; i++)
        json_array_append(out, list[i]);
    free(list);
    json_decref(items);
    return out;
}

json_t *
jobs_failures(const json_t *jobs)
{
    json_t *failures = json_array(), *by_print = json_object(), *job, *failure;
    const size_t n_cells = count_cells(jobs);
    bool *lost = xcalloc(n_cells + 1, sizeof *lost);
    size_t i;

    json_array_foreach(jobs, i, job)
    {
        if (has_failed(job))
            add_failure(failures, by_print, job);
    }
    json_array_foreach(failures, i, failure)
    {
        unique_cells(failure, lost, n_cells);
        count_dependants(failure, jobs, lost);
    }
    free(lost);
    json_decref(by_print);
    return sorted(failures, by_count);
}

/* ---- stages and provenance ------------------------------------------------------- */

static void
increase(json_t *obj, const char *key, json_int_t by)
{
    json_object_set_new(obj, key, json_integer(json_int(obj, key, 0) + by));
}

static void
add_seconds(json_t *stage, const char *key, double seconds)
{
    json_object_set_new(stage, key, json_real(json_num(stage, key, 0) + seconds));
}

static json_t *
stage_of(json_t *stages, json_t *by_name, const char *name)
{
    json_t *stage = json_object_get(by_name, name);

    if (stage != NULL)
        return stage;
    stage = json_pack("{s:s, s:i, s:i, s:i, s:f, s:f, s:i}", "stage", name, "jobs", 0,
                      "succeeded", 0, "failed", 0, "seconds", 0.0, "unshared_seconds",
                      0.0, "depth", 0);
    json_array_append_new(stages, stage);
    json_object_set(by_name, name, stage);
    return stage;
}

static int
by_depth(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    const int64_t dx = json_int(x, "depth", 0), dy = json_int(y, "depth", 0);

    if (dx != dy)
        return dx < dy ? -1 : 1;
    return strcmp(json_str(x, "stage", ""), json_str(y, "stage", ""));
}

json_t *
jobs_stages(const json_t *jobs)
{
    json_t *stages = json_array(), *by_name = json_object(), *job;
    size_t i;

    json_array_foreach(jobs, i, job)
    {
        json_t *stage = stage_of(stages, by_name, json_str(job, "stage", "unknown"));
        const size_t cells = json_array_size(json_object_get(job, "cells"));
        increase(stage, "jobs", 1);
        increase(stage, "succeeded", has_state(job, "succeeded"));
        increase(stage, "failed", has_failed(job));
        add_seconds(stage, "seconds", json_num(job, "seconds", 0));
        add_seconds(stage, "unshared_seconds",
                    (double)cells * json_num(job, "seconds", 0));
        if (json_int(job, "depth", 0) > json_int(stage, "depth", 0))
            json_object_set(stage, "depth", json_object_get(job, "depth"));
    }
    json_decref(by_name);
    return sorted(stages, by_depth);
}

/* Counts every scalar of `record` in table[key][text of the value]. */
static void
count_values(json_t *table, const char *prefix, const json_t *record)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)record, key, value)
    {
        char *name = xasprintf("%s%s%s", prefix, prefix[0] != '\0' ? "." : "", key);
        if (json_is_object(value)) {
            count_values(table, name, value);
        } else if (!json_is_null(value)) {
            json_t *counts = json_object_get(table, name);
            char *text = json_is_string(value) ? xstrdup(json_string_value(value))
                                               : json_canonical(value);
            if (counts == NULL)
                json_object_set_new(table, name, counts = json_object());
            increase(counts, text, 1);
            free(text);
        }
        free(name);
    }
}

static int
by_key(const void *a, const void *b)
{
    return strcmp(json_str(*(json_t *const *)a, "key", ""),
                  json_str(*(json_t *const *)b, "key", ""));
}

static int
by_jobs(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    const int64_t nx = json_int(x, "jobs", 0), ny = json_int(y, "jobs", 0);

    if (nx != ny)
        return nx > ny ? -1 : 1;
    return strcmp(json_str(x, "value", ""), json_str(y, "value", ""));
}

static json_t *
table_to_list(const json_t *table)
{
    json_t *list = json_array(), *counts, *jobs;
    const char *key, *value;

    json_object_foreach((json_t *)table, key, counts)
    {
        json_t *values = json_array();
        json_object_foreach(counts, value, jobs)
        {
            json_array_append_new(
                values, json_pack("{s:s, s:O}", "value", value, "jobs", jobs));
        }
        json_array_append_new(list, json_pack("{s:s, s:o}", "key", key, "values",
                                              sorted(values, by_jobs)));
    }
    return sorted(list, by_key);
}

static void
count_job(json_t *table, const json_t *job)
{
    const json_t *worker = json_object_get(job, "worker");

    count_values(table, "", json_object_get(job, "provenance"));
    if (json_is_string(worker)) {
        json_t *record = json_pack("{s:O}", "worker", worker);
        count_values(table, "", record);
        json_decref(record);
    }
}

json_t *
jobs_provenance(const json_t *cells)
{
    json_t *table = json_object(), *seen = json_object(), *cell, *job;
    size_t i, k;

    json_array_foreach(cells, i, cell)
    {
        json_array_foreach(json_object_get(cell, "jobs"), k, job)
        {
            char *key = job_key(job);
            if (json_object_get(seen, key) == NULL)
                count_job(table, job);
            json_object_set_new(seen, key, json_true());
            free(key);
        }
    }
    json_t *list = table_to_list(table);
    json_decref(seen);
    json_decref(table);
    return list;
}
