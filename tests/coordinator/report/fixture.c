/* fixture.c - rows documents and folders for the tests of the report. */
#include "tests/coordinator/report/fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/report/report.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

/* The font library keeps what it has looked up until the process ends. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

json_t *
fixture_rows(void)
{
    json_t *rows;
    struct err err = {0};

    if (json_load(&rows, REPORT_FIXTURES "/rows.json", &err) != 0)
        fail_msg("%s", err.text);
    return rows;
}

json_t *
fixture_empty(void)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:[s], s:s, s:[]}, s:[s,s,s], s:[]}",
                     "name", "t", "title", "A test", "file", "name: t\n", "sets", "",
                     "report", "x", "relus", "y", "CA", "group_over", "seed",
                     "reference", "axes", "relu_budget", "temperature", "seed",
                     "cells");
}

json_t *
fixture_add(json_t *rows, int64_t budget, double temperature, int64_t seed, double ca)
{
    char text[24];
    const double total = 100000, kept = budget > 0 ? (double)budget : total;

    snprintf(text, sizeof text, budget > 0 ? "%lld" : "all", (long long)budget);
    json_t *cell = json_pack(
        "{s:{s:s, s:I}, s:{}, s:s, s:[], s:{s:{s:f,s:s,s:s}, s:{s:f,s:s,s:s}, "
        "s:{s:f,s:s,s:s}}}",
        "params", "relu_budget", text, "seed", (json_int_t)seed, "written", "state",
        "succeeded", "jobs", "metrics", "CA", "value", ca, "unit", "%", "goal", "max",
        "relus", "value", kept, "unit", "ReLUs", "goal", "min", "relus_total", "value",
        total, "unit", "ReLUs", "goal", "none");
    assert_non_null(cell);
    if (budget > 0)
        json_object_set_new(json_object_get(cell, "params"), "temperature",
                            json_real(temperature));
    json_array_append_new(json_object_get(rows, "cells"), cell);
    return cell;
}

/* ---- the grid -------------------------------------------------------------------- */

struct setting {
    const char *dataset, *model, *loss, *budget; /* budget "all": the teacher */
    double all_relus, temperature;
    int seed;
};

/* Between -1 and 1, the same for the same setting. */
static double
noise(const struct setting *s, uint32_t salt)
{
    uint32_t state = salt * 2654435761u + 97u * (uint32_t)s->seed + 1;

    for (const char *c = s->budget; *c != '\0'; c++)
        state = state * 31 + (uint32_t)*c;
    for (const char *c = s->loss; *c != '\0'; c++)
        state = state * 31 + (uint32_t)*c;
    state |= 1;
    fixture_random(&state);
    return (double)(fixture_random(&state) % 2001) / 1000 - 1;
}

static void
put_metric(json_t *metrics, const char *name, double value, const char *unit,
           const char *goal)
{
    json_object_set_new(
        metrics, name,
        json_pack("{s:f, s:s, s:s}", "value", value, "unit", unit, "goal", goal));
}

static double
kept_relus(const struct setting *s)
{
    return strcmp(s->budget, "all") == 0 ? s->all_relus : strtod(s->budget, NULL);
}

/* Accuracies fall with the logarithm of the saving; better losses lose less. */
static json_t *
grid_metrics(const struct setting *s)
{
    const bool hard = strcmp(s->dataset, "cifar100") == 0;
    const double lost = log10(s->all_relus / kept_relus(s));
    const double gain = (strstr(s->loss, "pram") != NULL ? 0.7 : 0)
                        + (strstr(s->loss, "ce") != NULL ? 0.3 : 0)
                        - (s->temperature == 1 ? 1.4 : 0);
    const double slope = hard ? 4.5 : 2.1;
    const double ca = (hard ? 78.4 : 95.6) - slope * lost * lost + (lost > 0 ? gain : 0)
                      + 0.25 * noise(s, 1);
    const double npa = ca - (hard ? 15.2 : 7.4) + 0.3 * noise(s, 2);
    const double adv = (hard ? 26.8 : 51) - slope * lost - (lost > 0 ? gain : 0) * 0.4
                       + 0.35 * noise(s, 3);
    json_t *metrics = json_object();

    put_metric(metrics, "CA", ca, "%", "max");
    put_metric(metrics, "NPA", npa, "%", "max");
    put_metric(metrics, "mCE", 100 - npa, "%", "min");
    put_metric(metrics, "AdvA", adv, "%", "max");
    put_metric(metrics, "corruptions", 15, "", "none");
    put_metric(metrics, "relus", kept_relus(s), "ReLUs", "min");
    put_metric(metrics, "relus_total", s->all_relus, "ReLUs", "none");
    put_metric(metrics, "macs", s->all_relus * 997, "MACs", "min");
    put_metric(metrics, "linear_inputs", s->all_relus * 0.9, "", "none");
    return metrics;
}

/* A job of the cell; one digest for each text. */
static void
add_job(json_t *jobs, int64_t *next_id, json_t *ids, const char *stage, const char *key,
        const char *state, double seconds)
{
    char *text = xasprintf("%s/%s", stage, key);
    const struct sha256 digest = sha256_bytes(text, strlen(text));
    json_t *id = json_object_get(ids, text);

    if (id == NULL) {
        id = json_integer(++*next_id);
        json_object_set_new(ids, text, id);
    }
    json_t *job = json_pack(
        "{s:O, s:s, s:s, s:s, s:i, s:f, s:s, s:n, s:{s:s, s:s, s:{s:s, s:i}}}", "id",
        id, "digest", digest.hex, "stage", stage, "state", state, "attempt", 1,
        "seconds", seconds, "worker", json_integer_value(id) % 2 ? "node-1" : "node-2",
        "error", "provenance", "host", json_integer_value(id) % 2 ? "node-1" : "node-2",
        "program", "0.1.0", "backend", "name", "dnnl", "threads", 8);
    if (strcmp(state, "failed") == 0)
        json_object_set_new(job, "error",
                            json_pack("{s:s, s:s}", "kind", "numeric", "text",
                                      "finetune: step 4170: loss kl is NaN"));
    json_array_append_new(jobs, job);
    free(text);
}

enum outcome { DONE, FAILED, RUNNING };
static const char *const outcomes[] = {"succeeded", "failed", "running"};

static json_t *
grid_jobs(const struct setting *s, enum outcome outcome, int64_t *next_id, json_t *ids)
{
    const bool all = strcmp(s->budget, "all") == 0;
    const bool done = outcome == DONE;
    const char *state = outcomes[outcome];
    char *teacher = xasprintf("%s/%s/%d", s->dataset, s->model, s->seed);
    char *mask = xasprintf("%s/%s/%g", teacher, s->budget, s->temperature);
    char *cell = xasprintf("%s/%s", mask, s->loss);
    json_t *jobs = json_array();

    add_job(jobs, next_id, ids, "teacher", teacher, "succeeded", 61200);
    if (!all) {
        add_job(jobs, next_id, ids, "mask", mask, "succeeded", 28800);
        add_job(jobs, next_id, ids, "finetune", cell, state, done ? 54000 : 4000);
    }
    add_job(jobs, next_id, ids, "evaluate", cell,
            done ? "succeeded" : "upstream_failed", done ? 1900 : 0);
    free(cell);
    free(mask);
    free(teacher);
    return jobs;
}

static void
add_setting(json_t *rows, const struct setting *s, int64_t *next_id, json_t *ids)
{
    const bool all = strcmp(s->budget, "all") == 0;
    const bool hard = strcmp(s->dataset, "cifar100") == 0;
    enum outcome outcome = DONE;
    json_t *params = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:s}",
                               "method", "rlnet", "dataset", s->dataset, "model",
                               s->model, "relu_budget", s->budget, "seed", s->seed,
                               "train_images", 0, "teacher_epochs", 240, "mask_epochs",
                               150, "finetune_epochs", 240, "select_on", "validation");

    if (!all) {
        json_object_set_new(params, "loss", json_string(s->loss));
        json_object_set_new(params, "temperature", json_real(s->temperature));
    }
    if (!all && hard && s->seed == 2 && strcmp(s->budget, "25000") == 0)
        outcome = FAILED;
    if (!all && !hard && s->seed == 2 && strcmp(s->loss, "kl") == 0)
        outcome = RUNNING;
    json_array_append_new(
        json_object_get(rows, "cells"),
        json_pack("{s:O, s:o, s:s, s:o, s:o}", "params", params, "written",
                  json_pack("{s:s, s:s, s:s, s:s, s:i}", "method", "rlnet", "dataset",
                            s->dataset, "model", s->model, "relu_budget", s->budget,
                            "seed", s->seed),
                  "state", outcomes[outcome], "jobs",
                  grid_jobs(s, outcome, next_id, ids), "metrics",
                  outcome == DONE ? grid_metrics(s) : json_object()));
    json_decref(params);
}

/* All seeds, losses and temperatures of one data set, model and budget. */
static void
add_budget(json_t *rows, struct setting s, int64_t *next_id, json_t *ids)
{
    static const char *const losses[] = {"kl", "ce+kl", "kl+pram", "ce+kl+pram"};
    const bool all = strcmp(s.budget, "all") == 0;

    for (int i = 0; i < (all ? 1 : 4); i++) {
        for (int cold = 0; cold < (all || i % 2 ? 1 : 2); cold++) {
            s.loss = all ? "" : losses[i];
            s.temperature = cold ? 1 : 4;
            for (s.seed = 0; s.seed < 3; s.seed++)
                add_setting(rows, &s, next_id, ids);
        }
    }
}

json_t *
fixture_grid(void)
{
    static const char *const datasets[] = {"cifar10", "cifar100"};
    static const char *const budgets[] = {"15000",  "25000",  "50000", "82000",
                                          "120000", "150000", "all"};
    static const struct {
        const char *name;
        double relus;
    } models[] = {{"resnet18", 557056}, {"wrn-22-8", 1392640}};
    json_t *rows = json_pack(
        "{s:s, s:s, s:s, s:s, s:{s:s, s:[s,s,s], s:s, s:[]}, s:[s,s,s,s,s,s], s:[]}",
        "name", "grid", "title", "RLNet, losses and temperatures", "file",
        "name: grid\n", "sets", "", "report", "x", "relus", "y", "CA", "NPA", "AdvA",
        "group_over", "seed", "reference", "axes", "dataset", "model", "relu_budget",
        "loss", "temperature", "seed", "cells");
    json_t *ids = json_object();
    int64_t next_id = 0;

    for (size_t d = 0; d < 2; d++)
        for (size_t m = 0; m < 2; m++)
            for (size_t b = 0; b < sizeof budgets / sizeof budgets[0]; b++)
                add_budget(rows,
                           (struct setting){.dataset = datasets[d],
                                            .model = models[m].name,
                                            .all_relus = models[m].relus,
                                            .budget = budgets[b]},
                           &next_id, ids);
    json_decref(ids);
    return rows;
}

json_t *
fixture_report(json_t *rows)
{
    struct err err = {0};
    json_t *report;

    if (report_build(&report, rows, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(rows);
    return report;
}

uint32_t
fixture_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

char *
fixture_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = xasprintf("%s/relusweep-report-XXXXXX", base != NULL ? base : "/tmp");

    if (mkdtemp(path) == NULL)
        fail_msg("cannot make %s", path);
    return path;
}

struct buf
fixture_read(const char *dir, const char *name)
{
    char *path = file_join(dir, name);
    struct buf bytes = {0};
    struct err err = {0};

    if (file_read(&bytes, path, &err) != 0)
        fail_msg("%s", err.text);
    free(path);
    return bytes;
}

void
fixture_golden(const char *name, struct buf *got)
{
    static const char golden[] = REPORT_FIXTURES "/golden";
    const char *mode = getenv("RELUSWEEP_GOLDEN");

    if (mode != NULL && strcmp(mode, "write") == 0) {
        char *path = file_join(golden, name);
        struct err err = {0};
        assert_int_equal(file_write(path, got->data, got->len, &err), 0);
        free(path);
    }
    struct buf want = fixture_read(golden, name);
    assert_string_equal(buf_str(got), buf_str(&want));
    buf_release(&want);
}
