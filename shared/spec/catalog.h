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
 *                  "only_when": {"budgets": "measured"},        (may be absent)
 *                  "work": [{"passes": 3, "of": ["epochs", "train_images"],
 *                            "when": {"bn": "single"}}, ...],  (may be absent)
 *                  "gives": [{"artifact": "model", "doc", "when": {}},
 *                            {"metric": "CA", "unit": "%", "goal": "max", "doc",
 *                             "when": {"evaluate": "clean"}},
 *                            {"metric": "class/<*>/CA", ...}],  (may be absent)
 *                  "params": [rows as in shared/base/param.h]}],
 *      "presets": {"param": "ablation", "doc", "choices": [      (may be absent)
 *                  {"name": "table5/kl", "doc", "sets": {"loss": "kl"}}]}}],
 *    "limits": [{"param": "relu_budget", "by": ["model", "dataset"], "unit": "ReLUs",
 *                "plus": ["val_images"],                         (may be absent)
 *                "table": {"resnet18/fashion-mnist": {"min": 17, "max": 557056}}}],
 *    "needs": [{"when": {"bn": "triple"}, "param": "batch", "min": 3}, ...,
 *              {"when": {...}, "param": "model", "in": ["resnet18"]}],
 *    "work": {"macs_per_second": 6e10,                           (may be absent)
 *             "macs": {"resnet18/cifar100": 555468800},
 *             "images": {"train_images": {"cifar100": 50000}}}}
 *
 * A stage whose `skip_when` holds for a cell, or whose `only_when` does not, is left out
 * of that cell; stages after it then depend on what it depended on. `revision` grows
 * when a stage's numbers change meaning, so that old results are not taken for new ones.
 * A preset is a name for values of other parameters; a cell that has it gets them. A
 * limit is for the sum of its parameters; a need is for cells that have all of its
 * values (of a set or a sum: that have it as an item). The work of a job is the sum over
 * its stage's rows, whose `when` holds, of passes * the parameters `of` * the network's
 * multiply-adds; of parameters under `images`, 0 means all images of the data set.
 * A success has every artifact and metric that its stage gives with a `when` that the
 * job's parameters fulfil; those without a `when` may be there. In a metric's name, `*`
 * (above: <*>) stands for one word between slashes.
 */
enum { CATALOG_VERSION = 1 };

struct catalog_stage {
    const char *name, *doc;
    int64_t revision;
    const char **after;
    size_t n_after;
    const char *skip_param, *skip_value; /* NULL: never skipped */
    const char *only_param, *only_value; /* NULL: else only with this */
    const json_t *work;                  /* borrowed; NULL: not known */
    const json_t *gives;                 /* borrowed; NULL: not known */
    struct param *params;                /* only what this stage depends on */
    size_t n_params;
};

/* A parameter that no stage has: its values stand for values of others. */
struct catalog_presets {
    struct param param;  /* a choice without default: a cell may be without */
    const json_t **sets; /* for each choice {"loss": "kl", ...}, texts; borrowed */
};

struct catalog_method {
    const char *name, *doc, *source;
    struct catalog_stage *stages; /* in an order that respects `after` */
    size_t n_stages;
    struct catalog_presets *presets; /* NULL: none */
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

/* The row of `name` in any stage of the method, that of its presets, or NULL. Stages that share a parameter
 * declare it identically (checked by catalog_read). */
const struct param *catalog_find_param(const struct catalog_method *m,
                                       const char *name);

/* The nearest known parameter name of the method, or NULL. */
const char *catalog_nearest_param(const struct catalog_method *m, const char *wrong);

/* Checks `values` (canonical JSON object of one cell, defaults filled in) against the
 * catalogue's limits and needs. The error says the limit and its unit, or what is
 * needed and why; *param (may be NULL) receives the offending parameter's name. */
MUST_CHECK int catalog_check_limits(const struct catalog *c, const json_t *values,
                                    const char **param, struct err *err);

/* Can what catalog_check_limits says depend on this parameter? */
bool catalog_limits_read(const struct catalog *c, const char *name);

/* Has a cell or a job all values of `when`, as text or as an item of a set or sum? What
 * they are is added to *why (may be NULL). */
bool catalog_has_all(const json_t *values, const json_t *when, struct buf *why);

/* Multiply-adds of a job of this stage, about; -1 where the catalogue does not say. */
double catalog_work(const struct catalog *c, const struct catalog_stage *s,
                    const json_t *params);

/* Can what catalog_work says depend on this parameter? */
bool catalog_work_reads(const struct catalog_stage *s, const char *name);

/* Multiply-adds that a worker does in a second, as long as none has been measured: an
 * estimate; -1 where the catalogue has none. */
double catalog_speed(const struct catalog *c);

/* ---- what results have (catalog_gives.c) ------------------------------------------ */

/* `*` of the pattern stands for any characters but slashes, at least one. */
bool catalog_metric_matches(const char *pattern, const char *name);

/* Of the rows of `kind`, "artifact" or "metric", the first that a job with these
 * parameters must give and for which has(ctx, name or pattern) is false; NULL: none. */
typedef bool catalog_has_fn(const void *ctx, const char *name);
const char *catalog_lacks(const json_t *gives, const json_t *params, const char *kind,
                          catalog_has_fn *has, const void *ctx);

/* Does the method declare metrics at all; is this one of them; the nearest name, NULL:
 * none is near. */
bool catalog_declares_metrics(const struct catalog_method *m);
bool catalog_gives_metric(const struct catalog_method *m, const char *name);
const char *catalog_nearest_metric(const struct catalog_method *m, const char *wrong);

#endif
