/* registry.c - the data sets that can be asked for by name. */
#include <string.h>

#include "worker/data/dataset.h"

/* One line per data set; the definition is in the file of the same name. */
#define SOURCES(X)   \
    X(fashion_mnist) \
    X(cifar10)       \
    X(cifar100)      \
    X(tiny_imagenet) \
    X(synthetic)

#define DECLARE(name) extern const struct dataset_source dataset_source_##name;
SOURCES(DECLARE)

#define ENTRY(name) &dataset_source_##name,
const struct dataset_source *const dataset_sources[] = {SOURCES(ENTRY) NULL};

const struct dataset_source *
dataset_find(const char *name)
{
    for (const struct dataset_source *const *s = dataset_sources; *s != NULL; s++)
        if (strcmp((*s)->name, name) == 0)
            return *s;
    return NULL;
}
