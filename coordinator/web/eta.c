/* eta.c - jobs that are left times what their stage takes, over the slots that work. */
#include "coordinator/web/eta.h"

static int64_t
left_of(const json_t *stage)
{
    static const char *const waiting[] = {"blocked", "ready", "leased"};
    const json_t *states = json_object_get(stage, "states");
    int64_t left = 0;

    for (size_t i = 0; i < sizeof waiting / sizeof waiting[0]; i++)
        left += json_int(states, waiting[i], 0);
    return left;
}

static double
mean_of_all(const json_t *stages)
{
    double sum = 0, n = 0;
    json_t *stage;
    size_t i;

    json_array_foreach(stages, i, stage)
    {
        const double count = (double)json_int(stage, "n_ok", 0);
        sum += count * json_num(stage, "mean_s", 0);
        n += count;
    }
    return n > 0 ? sum / n : -1;
}

struct eta
eta_of(const json_t *sweep)
{
    const json_t *stages = json_object_get(sweep, "stages");
    const double slots = (double)json_int(sweep, "slots", 0);
    const double mean = mean_of_all(stages);
    struct eta eta = {.known = slots > 0 && mean >= 0};
    double work = 0, chain = 0;
    json_t *stage;
    size_t i;

    json_array_foreach(stages, i, stage)
    {
        const int64_t left = left_of(stage);
        const double took = json_num(stage, "mean_s", mean);
        eta.left += left;
        work += (double)left * took;
        chain += left > 0 ? took : 0;
    }
    if (eta.known) {
        eta.lo = work / slots;
        eta.hi = eta.lo + chain * (slots - 1) / slots;
        eta.lo = eta.lo > chain || eta.left == 0 ? eta.lo : chain;
        eta.hi = eta.hi > eta.lo ? eta.hi : eta.lo;
    }
    return eta;
}
