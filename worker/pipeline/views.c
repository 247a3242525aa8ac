/* views.c - how a batch is shared out over views and batch norms; see views.h. Pure. */
#include "worker/pipeline/views.h"

#include <string.h>

void
views_split(struct views_part part[LOSS_N_VIEWS], int64_t n, int bn_paths)
{
    const int64_t share = n / bn_paths;

    part[LOSS_CLEAN] = (struct views_part){0, share};
    part[LOSS_AUG] = (struct views_part){bn_paths == 3 ? share : 0, share};
    part[LOSS_ADV].first = bn_paths == 1 ? 0 : (bn_paths - 1) * share;
    part[LOSS_ADV].n = n - part[LOSS_ADV].first;
}

int64_t
views_room(int64_t n, int bn_paths)
{
    const int64_t share = n / bn_paths, full = share + n % bn_paths;
    const int64_t shorter = share - 1 + bn_paths - 1; /* of n = bn_paths * share - 1 */

    return full > shorter ? full : shorter;
}

int64_t
views_augmented(int64_t n, int bn_paths)
{
    struct views_part part[LOSS_N_VIEWS];

    views_split(part, n, bn_paths);
    return part[LOSS_AUG].first + part[LOSS_AUG].n;
}

int
views_path(enum loss_view_id view, int bn_paths)
{
    static const int dual[LOSS_N_VIEWS] = {
        [LOSS_CLEAN] = 0, [LOSS_AUG] = 0, [LOSS_ADV] = 1};
    static const int triple[LOSS_N_VIEWS] = {
        [LOSS_CLEAN] = 0, [LOSS_AUG] = 1, [LOSS_ADV] = 2};

    if (bn_paths == 1)
        return 0;
    return bn_paths == 2 ? dual[view] : triple[view];
}

int
views_count_paths(struct net *n)
{
    size_t count;
    const struct net_param *params = net_params(n, &count);
    int paths = 1;

    for (size_t i = 0; i < count; i++) {
        if (strstr(params[i].name, ".BN_r.") != NULL)
            return 3;
        if (strstr(params[i].name, ".BN_a.") != NULL)
            paths = 2;
    }
    return paths;
}
