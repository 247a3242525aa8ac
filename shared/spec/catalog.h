#ifndef SHARED_SPEC_CATALOG_H
#define SHARED_SPEC_CATALOG_H

#include "shared/base/err.h"
#include "shared/base/json.h"
#include "shared/base/mem.h"
#include "shared/base/param.h"

/*
 * What a worker can do, as data: the coordinator validates sweep files against it and
 * builds jobs from it, and never learns what a model or a loss is. As JSON:
 *
 *   {"version": 1, "program": "0.1.0",
 *    "methods": [{"name", "doc", "source",
 *      "stages": [{"name", "revision", "doc", "after": ["teacher"],
 *                  "skip_when": {"relu_budget": "all"},         (may be absent)
 *                  "params": [rows as in shared/base/param.h]}]}],
 *    "limits": [{"param": "relu_budget", "by": ["model", "dataset"], "unit": "ReLUs",
 *                "table": {"resnet18/fashion-mnist": {"min": 17, "max": 557056}}}]}
 *
 * A stage whose `skip_when` holds for a cell is left out of that cell; stages after it
 * then depend on what it depended on. `revision` grows when a stage's numbers change
 * meaning, so that old results are not taken for new ones.
 */
enum { CATALOG_VERSION = 1 };

struct catalog_stage {
    const char *name, *doc;
    int64_t revision;
    const char **after;
    size_t n_after;
    const char *skip_param, *skip_value; /* NULL: never skipped */
    struct param *params;                /* only what this stage depends on */
    size_t n_params;
};

struct catalog_method {
    const char *name, *doc, *source;
    struct catalog_stage *stages; /* in an order that respects `after` */
    size_t n_stages;
};

struct catalog {
    struct catalog_method *methods;
    size_t n_methods;
    json_t *json; /* the whole document, owned */
    struct arena mem;
};

/* Builds the C form of a catalogue document; checks names, order of stages, types.
 * ERR_REFUSED for another CATALOG_VERSION. Keeps a reference to `json`. */
MUST_CHECK int catalog_read(struct catalog *out, json_t *json, struct err *err);
void catalog_release(struct catalog *c);

const struct catalog_method *catalog_find_method(const struct catalog *c,
                                                 const char *name);
const struct catalog_stage *catalog_find_stage(const struct catalog_method *m,
                                               const char *name);

/* The row of `name` in any stage of the method, or NULL. Stages that share a parameter
 * declare it identically (checked by catalog_read). */
const struct param *catalog_find_param(const struct catalog_method *m,
                                       const char *name);

/* The nearest known parameter name of the method, or NULL. */
const char *catalog_nearest_param(const struct catalog_method *m, const char *wrong);

/* Checks `values` (canonical JSON object of one cell, defaults filled in) against the
 * catalogue's limits. The error says the limit and its unit; *param (may be NULL)
 * receives the offending parameter's name. */
MUST_CHECK int catalog_check_limits(const struct catalog *c, const json_t *values,
                                    const char **param, struct err *err);

/* 1 when the stage is left out for a cell with these values. */
int catalog_stage_skipped(const struct catalog_stage *s, const json_t *values);

#endif
