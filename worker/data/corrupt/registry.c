/* registry.c - the corruptions that can be asked for by name. */
#include <string.h>

#include "worker/data/corrupt/corrupt.h"

/* One line per corruption, in the benchmark's order; each in the file of its name. */
#define CORRUPTIONS(X)   \
    X(gaussian_noise)    \
    X(shot_noise)        \
    X(impulse_noise)     \
    X(defocus_blur)      \
    X(glass_blur)        \
    X(motion_blur)       \
    X(zoom_blur)         \
    X(snow)              \
    X(frost)             \
    X(fog)               \
    X(brightness)        \
    X(contrast)          \
    X(elastic_transform) \
    X(pixelate)          \
    X(jpeg_compression)

#define DECLARE(name) extern const struct corruption corruption_##name;
CORRUPTIONS(DECLARE)

#define ENTRY(name) &corruption_##name,
const struct corruption *const corruptions[] = {CORRUPTIONS(ENTRY) NULL};

const struct corruption *
corruption_find(const char *name)
{
    for (const struct corruption *const *c = corruptions; *c != NULL; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}
