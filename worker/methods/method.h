#ifndef WORKER_METHODS_METHOD_H
#define WORKER_METHODS_METHOD_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/param.h"

/*
 * A method is a chain of stages with the parameters that each one depends on. It is
 * data only: a stage names the runner of worker/pipeline/ that does the work, and its
 * rows fill a struct stage_config (config.h). A new method is one file in this folder
 * and one line in registry.c.
 */
struct method_stage {
    const char *name; /* as in job specs */
    const char *doc;
    const char *runner;       /* name in worker/pipeline/registry.c */
    int64_t revision;         /* grows when the stage's numbers change meaning */
    const char *const *after; /* names of stages, NULL-terminated */
    const char *skip_param, *skip_value; /* NULL: never skipped */
    const char *only_param, *only_value; /* NULL: always there; else only with this */
    const struct param *params;
    size_t n_params;
};

/*
 * A row of a paper's table by one name: what a sweep file says as `ablation: NAME`
 * stands for these values of the method's parameters. The coordinator puts them into
 * the cell, so jobs have no parameter of that name.
 */
struct method_preset {
    const char *name, *doc;
    const char *sets; /* "loss=kl+pram pram_views=clean": words without blanks */
};

struct method {
    const char *name; /* as in a sweep file */
    const char *doc;
    const char *source;                  /* paper, section */
    const char *preset_param;            /* NULL: none */
    const struct method_preset *presets; /* ends with a name of NULL */
    const struct method_stage *stages;   /* in an order that respects `after` */
    size_t n_stages;
};

extern const struct method *const methods[]; /* NULL-terminated */

/* NULL where there is none of this name. */
const struct method *method_find(const char *name);
const struct method_stage *method_find_stage(const struct method *m, const char *name);

#endif
