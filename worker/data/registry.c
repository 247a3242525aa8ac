/* registry.c - the data sets that can be asked for by name. */
#include <string.h>

#include "worker/data/dataset.h"
#include "worker/data/own_sets.h"

/* One line per data set; the definition is in the file of the same name. */
#define SOURCES(X)   \
    X(fashion_mnist) \
    X(cifar10)       \
    X(cifar100)      \
    X(tiny_imagenet) \
    X(synthetic)

#define DECLARE(name) extern const struct dataset_source dataset_source_##name;
SOURCES(DECLARE)

#define COUNT(name) +1
enum { OURS = SOURCES(COUNT) };

#define ENTRY(name) &dataset_source_##name,
const struct dataset_source *dataset_sources[OURS + OWN_SETS_MAX + 1] = {
    SOURCES(ENTRY)};

/* Early, as other tables are made of these names before main begins. */
__attribute__((constructor(1000))) static void
add_own_sets(void)
{
    (void)own_sets_find(dataset_sources + OURS, NULL, NULL);
}

const struct dataset_source *
dataset_find(const char *name)
{
    for (const struct dataset_source **s = dataset_sources; *s != NULL; s++)
        if (strcmp((*s)->name, name) == 0)
            return *s;
    return NULL;
}
