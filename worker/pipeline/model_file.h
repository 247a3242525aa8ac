#ifndef WORKER_PIPELINE_MODEL_FILE_H
#define WORKER_PIPELINE_MODEL_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "worker/engine/net.h"
#include "worker/models/model.h"

/*
 * The artifact "model": a safetensors file that PyTorch can load. Tensors: the released
 * state_dict names (methods.md 1.6; num_batches_tracked as I64), and `mask.<i>` U8
 * (C,H,W), 1 = ReLU, in execution order. Metadata: format=pt and the members of
 * struct model_info.
 */
struct model_info {
    char model[64], dataset[64]; /* registry names */
    int64_t classes;
    enum model_role role;
    int bn_paths;
    bool shared_shortcut_bn;
    int64_t relu_count;   /* ones in all masks */
    double val_accuracy;  /* per cent, of the selection; -1: not measured */
    char selected_on[16]; /* "validation", "last", "test" */
};

MUST_CHECK int model_file_save(struct net *n, const struct model_info *info,
                               const char *path, struct err *err);

struct model_file; /* a file read and its metadata checked */

/* ERR_DATA, naming the file, when it is missing, damaged, or no model of ours. Caller
 * frees with model_file_free. */
MUST_CHECK int model_file_open(struct model_file **out, const char *path,
                               struct err *err);
void model_file_free(struct model_file *f);
const struct model_info *model_file_info(const struct model_file *f);

/* Copies parameters, running statistics and masks into `n`. Names, shapes and number of
 * tensors must fit exactly; on failure `n` is partly overwritten. */
MUST_CHECK int model_file_load(struct net *n, const struct model_file *f,
                               struct err *err);

#endif
