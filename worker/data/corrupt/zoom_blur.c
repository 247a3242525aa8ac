/* zoom_blur.c - the mean of the image and of its magnifications by 1, 1.01, 1.02 ... */
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/data/corrupt/corrupt.h"
#include "worker/data/corrupt/resample.h"

static void
blur_plane(float *plane, int64_t h, int64_t w, int zooms, float *zoomed, float *sum)
{
    memcpy(sum, plane, (size_t)(h * w) * sizeof *sum);
    for (int z = 0; z < zooms; z++) {
        resample_zoom(zoomed, plane, h, w, 1 + 0.01 * z);
        for (int64_t i = 0; i < h * w; i++)
            sum[i] += zoomed[i];
    }
    for (int64_t i = 0; i < h * w; i++)
        plane[i] = sum[i] / (float)(zooms + 1);
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const int zooms[CORRUPTION_SEVERITIES] = {6, 11, 16, 21, 26};
    float *scratch = xmalloc((size_t)(2 * h * w) * sizeof *scratch);

    (void)rng;
    for (int64_t c = 0; c < CORRUPTION_CHANNELS; c++)
        blur_plane(image + c * h * w, h, w, zooms[severity - 1], scratch,
                   scratch + h * w);
    free(scratch);
}

const struct corruption corruption_zoom_blur = {
    .name = "zoom_blur",
    .doc = "mean of magnifications below 1.06 to 1.26, and of the image",
    .index = 6,
    .apply = apply,
};
