#ifndef WORKER_METHODS_GIVES_H
#define WORKER_METHODS_GIVES_H

#include "shared/base/json.h"
#include "shared/spec/metric.h"
#include "worker/methods/method.h"

/*
 * What a stage's result has: one table for the stages, which take units and directions
 * from it, for the catalogue, by which the coordinator refuses a success that lacks
 * something, and for sweep files, whose reports can only ask for what there is.
 */
struct gives_row {
    const char *runners; /* words: the runners of worker/pipeline that give it */
    const char *name;    /* of a metric; `*` stands for one word between slashes */
    const char *unit;    /* NULL: it is an artifact */
    enum metric_goal goal;
    const char *need; /* "": always there; "evaluate=clean": with these; NULL: maybe */
    const char *doc;
};
extern const struct gives_row gives_rows[]; /* ends with a name of NULL */

/* The metric of this name that the runner gives, or NULL. */
const struct gives_row *gives_metric(const char *runner, const char *name);

/* Rows of the catalogue for a stage (shared/spec/catalog.h). New reference. */
json_t *gives_of_stage(const struct method_stage *s);

#endif
