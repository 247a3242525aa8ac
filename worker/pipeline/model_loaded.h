#ifndef WORKER_PIPELINE_MODEL_LOADED_H
#define WORKER_PIPELINE_MODEL_LOADED_H

#include "worker/data/dataset.h"
#include "worker/pipeline/model_file.h"

/* A network in memory on its own, outside a stage: one thread, one image, no
 * gradients. */
struct model_loaded {
    struct model_info info;
    struct dataset data; /* shape, classes and normalisation; no images */
    struct team *team;
    struct net *net;
};

/* Network of `info`, parameters zero, all masks ones. ERR_DATA when model or data set
 * are not known here. Released also after a failure. */
MUST_CHECK int model_loaded_init(struct model_loaded *m, const struct model_info *info,
                                 struct err *err);

/* The same with the parameters and masks of a model file. */
MUST_CHECK int model_loaded_open(struct model_loaded *m, const char *path,
                                 struct err *err);
void model_loaded_release(struct model_loaded *m);

#endif
