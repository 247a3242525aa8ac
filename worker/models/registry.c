/*
 * registry.c - the models that can be asked for by name. One line per model; the
 * definitions are in the files named beside them.
 */
#include <string.h>

#include "worker/models/model.h"

/* clang-format off */
#define MODELS(X) \
    X(resnet18,     "resnet18")     /* resnet.c */ \
    X(resnet34,     "resnet34")     /* resnet.c */ \
    X(resnet10_w16, "resnet10-w16") /* resnet.c */ \
    X(resnet10_w8,  "resnet10-w8")  /* resnet.c */ \
    X(resnet18_w16, "resnet18-w16") /* resnet.c */ \
    X(resnet18_snl, "resnet18-snl") /* resnet.c */ \
    X(wrn_22_8,     "wrn-22-8")     /* wrn.c */ \
    X(wrn_22_8_snl, "wrn-22-8-snl") /* wrn.c */
/* clang-format on */

#define DECLARE(id, label) extern const struct model model_##id;
MODELS(DECLARE)

#define ENTRY(id, label) &model_##id,
const struct model *const models[] = {MODELS(ENTRY) NULL};

#define LABEL(id, label) label,
const char *const model_names[] = {MODELS(LABEL) NULL};

const struct model *
model_find(const char *name)
{
    for (const struct model *const *m = models; *m != NULL; m++)
        if (strcmp((*m)->name, name) == 0)
            return *m;
    return NULL;
}
