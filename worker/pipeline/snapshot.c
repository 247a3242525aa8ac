/* snapshot.c - copies of a network in memory. No files, no optimiser state. */
#include "worker/pipeline/snapshot.h"

#include <assert.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/pipeline/network.h"

int
snapshot_init(struct snapshot *s, struct net *n, struct err *err)
{
    size_t count;
    const struct net_param *params = net_params(n, &count);

    *s = (struct snapshot){0};
    for (size_t i = 0; i < count; i++)
        s->n_values += (size_t)params[i].size;
    s->n_masks = (size_t)graph_relus(net_graph(n));
    s->values = mem_large_alloc(s->n_values * sizeof *s->values);
    s->masks = mem_large_alloc(s->n_masks);
    if (s->values != NULL && s->masks != NULL)
        return 0;
    snapshot_release(s);
    return err_set(err, ERR_OOM, "no memory for a copy of the network");
}

void
snapshot_release(struct snapshot *s)
{
    mem_large_free(s->values);
    mem_large_free(s->masks);
    *s = (struct snapshot){0};
}

void
snapshot_get_masks(uint8_t *masks, struct net *n)
{
    for (int i = 0; i < graph_n_masks(net_graph(n)); i++) {
        net_get_mask(n, i, masks);
        masks += network_mask_size(n, i);
    }
}

void
snapshot_set_masks(struct net *n, const uint8_t *masks)
{
    for (int i = 0; i < graph_n_masks(net_graph(n)); i++) {
        net_set_mask(n, i, masks);
        masks += network_mask_size(n, i);
    }
}

void
snapshot_take(struct snapshot *s, struct net *n)
{
    size_t count, at = 0;
    const struct net_param *params = net_params(n, &count);

    for (size_t i = 0; i < count; i++) {
        memcpy(s->values + at, params[i].value, (size_t)params[i].size * sizeof(float));
        at += (size_t)params[i].size;
    }
    snapshot_get_masks(s->masks, n);
    s->taken = true;
}

void
snapshot_restore(struct net *n, const struct snapshot *s)
{
    size_t count, at = 0;
    const struct net_param *params = net_params(n, &count);

    assert(s->taken);
    for (size_t i = 0; i < count; i++) {
        memcpy(params[i].value, s->values + at, (size_t)params[i].size * sizeof(float));
        at += (size_t)params[i].size;
    }
    snapshot_set_masks(n, s->masks);
    net_params_changed(n);
}
