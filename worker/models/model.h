#ifndef WORKER_MODELS_MODEL_H
#define WORKER_MODELS_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "worker/engine/graph.h"
#include "worker/engine/net.h"

/* How a network is used decides its batch norms and parameter names (methods.md 1.5,
 * 1.6): teacher and student of one model differ in the shortcut. */
enum model_role { MODEL_TEACHER, MODEL_STUDENT };

struct model_config {
    int64_t classes, c, h, w;
    float mean[3], std[3]; /* normalisation, part of the graph */
    int bn_paths;          /* 1, 2 or 3 */
    enum model_role role;
    bool shared_shortcut_bn; /* teacher's shortcut BN has one path (as released) */
};

/* One row of the registry. */
struct model {
    const char *name; /* as in a sweep file: "resnet18", "resnet10-w16", ... */
    const char *doc, *source;
    struct graph *(*build)(const struct model_config *config);
    void (*init)(struct net *n, uint64_t seed); /* parameters, methods.md 1.1 */
    /* Relative ReLU sensitivity eta of each activation (methods.md 4.2), one for each
     * mask. */
    void (*sensitivity)(double *eta, int n_masks);
    int first_conv; /* the 3x3 convolution, counted from 0, before activation 0 */
};

extern const struct model *const models[]; /* NULL-terminated */
extern const char *const model_names[];    /* the same, for parameter tables */
const struct model *model_find(const char *name);

/* Layer budgets by the saturating proportional rule (methods.md 4.2, step 3): counts
 * that sum to `budget` exactly (largest remainders), each >= 1 and <= size[l]. */
MUST_CHECK int model_layer_budgets(int64_t *count, const double *eta,
                                   const int64_t *size, int n, int64_t budget,
                                   struct err *err);

/* "50000" | "10%" | "all" -> number of ReLUs of this network, checked. */
MUST_CHECK int model_resolve_budget(int64_t *out, const char *budget,
                                    const struct graph *g, struct err *err);

#endif
