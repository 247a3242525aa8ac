/* small.c - the parameters that make a run a try-out. Knows nothing of its results. */
#include "coordinator/report/small.h"

#include <math.h>
#include <stddef.h>

#include "coordinator/report/number.h"

/* Limits on the amount of data, in the order in which they are named. 0 means all. */
static const struct {
    const char *param, *words;
} data_limits[] = {
    {"train_images", "training images"},
    {"eval_images", "test images for clean accuracy"},
    {"corruption_images", "test images for each corruption"},
    {"attack_images", "test images for attacks"},
};
enum { DATA_LIMITS = sizeof data_limits / sizeof data_limits[0] };

/* Epochs below this are a try-out: the papers train for 100 and more. */
static const double full_epochs = 100;
static const char *const epoch_params[] = {"teacher_epochs", "mask_epochs",
                                           "finetune_epochs"};
enum { EPOCH_PARAMS = sizeof epoch_params / sizeof epoch_params[0] };

static bool
limits_data(double v)
{
    return v >= 1; /* not NaN */
}

static bool
limits_epochs(double v)
{
    return v < full_epochs; /* not NaN */
}

bool
small_params(const json_t *params)
{
    bool small = false;

    for (size_t i = 0; i < DATA_LIMITS; i++)
        small = small || limits_data(json_num(params, data_limits[i].param, NAN));
    for (size_t i = 0; i < EPOCH_PARAMS; i++)
        small = small || limits_epochs(json_num(params, epoch_params[i], NAN));
    return small;
}

/* Smallest value of a numeric parameter over all cells, NaN where none has it. */
static double
smallest(const json_t *cells, const char *name)
{
    double least = NAN;
    json_t *cell;
    size_t i;

    json_array_foreach(cells, i, cell)
    {
        least = fmin(least, json_num(json_object_get(cell, "params"), name, NAN));
    }
    return least;
}

void
small_limits(struct buf *out, const json_t *cells)
{
    const size_t before = out->len;

    for (size_t i = 0; i < DATA_LIMITS; i++) {
        const double v = smallest(cells, data_limits[i].param);
        if (!limits_data(v))
            continue;
        buf_puts(out, out->len > before ? ", " : "");
        number_count(out, llround(v));
        buf_printf(out, " %s", data_limits[i].words);
    }
    for (size_t i = 0; i < EPOCH_PARAMS; i++) {
        const double v = smallest(cells, epoch_params[i]);
        if (limits_epochs(v))
            buf_printf(out, "%s%s %.0f", out->len > before ? ", " : "", epoch_params[i],
                       v);
    }
}
