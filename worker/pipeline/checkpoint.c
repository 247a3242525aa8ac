/*
 * checkpoint.c - a training stage on disk. Saving and loading walk over one list of
 * pieces (where in memory, under which name), so that they cannot disagree. Invariant:
 * loading checks every piece before it copies the first.
 */
#include "worker/pipeline/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/safetensors.h"
#include "worker/pipeline/stamp.h"

/* One tensor of the file and the memory that it is a copy of. */
struct piece {
    const char *name;
    enum st_dtype dtype;
    int64_t count;
    void *data;
};

struct pieces {
    struct piece *items;
    size_t n, capacity;
    struct arena names;
};

static void
add(struct pieces *p, const char *name, enum st_dtype dtype, int64_t count, void *data)
{
    p->items = xgrow(p->items, &p->capacity, p->n + 1, sizeof *p->items);
    p->items[p->n++] = (struct piece){name, dtype, count, data};
}

/* All masks, one after the other. */
static void
add_masks(struct pieces *p, const char *prefix, struct net *n, uint8_t *masks)
{
    for (int i = 0; i < graph_n_masks(net_graph(n)); i++) {
        const int64_t size = network_mask_size(n, i);
        add(p, arena_printf(&p->names, "%s/mask.%d", prefix, i), ST_U8, size, masks);
        masks += size;
    }
}

/* The network as it is: its parameters where they lie. */
static void
add_now(struct pieces *p, struct net *n, uint8_t *masks)
{
    size_t count;
    const struct net_param *params = net_params(n, &count);

    for (size_t i = 0; i < count; i++)
        add(p, arena_printf(&p->names, "now/%s", params[i].name), ST_F32,
            params[i].size, params[i].value);
    add_masks(p, "now", n, masks);
}

static void
add_best(struct pieces *p, struct net *n, struct snapshot *best)
{
    size_t count, at = 0;
    const struct net_param *params = net_params(n, &count);

    for (size_t i = 0; i < count; i++) {
        add(p, arena_printf(&p->names, "best/%s", params[i].name), ST_F32,
            params[i].size, best->values + at);
        at += (size_t)params[i].size;
    }
    add_masks(p, "best", n, best->masks);
}

static void
add_momentum(struct pieces *p, struct net *n)
{
    size_t count;
    const struct net_param *params = net_params(n, &count);

    for (size_t i = 0; i < count; i++)
        if (params[i].momentum != NULL)
            add(p, arena_printf(&p->names, "momentum/%s", params[i].name), ST_F32,
                params[i].size, params[i].momentum);
}

/* masks: of c->net, which pieces point into. */
static struct pieces
list_pieces(const struct checkpoint *c, uint8_t *masks, bool with_best)
{
    struct pieces p = {0};

    add(&p, "counts", ST_I64, sizeof c->state->counts / sizeof(int64_t),
        &c->state->counts);
    add(&p, "sums", ST_F64, sizeof c->state->sums / sizeof(double), &c->state->sums);
    add_now(&p, c->net, masks);
    add_momentum(&p, c->net);
    if (with_best)
        add_best(&p, c->net, c->best);
    if (c->scores != NULL)
        add(&p, "scores", ST_F32, c->n_scores, c->scores);
    return p;
}

static void
pieces_release(struct pieces *p)
{
    free(p->items);
    arena_release(&p->names);
}

static uint8_t *
room_for_masks(const struct net *n)
{
    return xmalloc((size_t)graph_relus(net_graph(n)));
}

int
checkpoint_save(const struct checkpoint *c, const char *path, struct err *err)
{
    uint8_t *masks = room_for_masks(c->net);

    snapshot_get_masks(masks, c->net);
    struct pieces p = list_pieces(c, masks, c->best->taken);
    struct st_writer *w = st_writer_new();
    stamp_write(w, c->job, CHECKPOINT_VERSION);
    for (size_t i = 0; i < p.n; i++)
        st_writer_add(w, p.items[i].name, p.items[i].dtype, &p.items[i].count, 1,
                      p.items[i].data);
    const int rc = st_writer_save(w, path, err);
    st_writer_free(w);
    pieces_release(&p);
    free(masks);
    return rc;
}

/* ---- loading --------------------------------------------------------------------- */

static int
check_pieces(const struct st_file *f, const struct pieces *p, struct err *err)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct piece *want = &p->items[i];
        const struct st_tensor *t = st_find(f, want->name);
        if (t == NULL || t->dtype != want->dtype || t->count != want->count)
            return err_set(err, ERR_DATA, "tensor `%s` is missing or does not fit",
                           want->name);
    }
    if (st_count(f) != p->n)
        return err_set(err, ERR_DATA, "holds %zu tensors, not %zu", st_count(f), p->n);
    return 0;
}

static void
copy_pieces(const struct st_file *f, const struct pieces *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct st_tensor *t = st_find(f, p->items[i].name);
        memcpy(p->items[i].data, t->data, t->bytes);
    }
}

static int
load_from(const struct checkpoint *c, const struct st_file *f, struct err *err)
{
    const bool with_best = st_find(f, "best/mask.0") != NULL;

    if (stamp_check(f, c->job, CHECKPOINT_VERSION, err) != 0)
        return -1;
    uint8_t *masks = room_for_masks(c->net);
    struct pieces p = list_pieces(c, masks, with_best);
    const int rc = check_pieces(f, &p, err);
    if (rc == 0) {
        copy_pieces(f, &p);
        snapshot_set_masks(c->net, masks);
        net_params_changed(c->net);
        c->best->taken = with_best;
    }
    pieces_release(&p);
    free(masks);
    return rc;
}

int
checkpoint_load(const struct checkpoint *c, const char *path, struct err *err)
{
    struct st_file *f;

    if (st_read(&f, path, err) != 0)
        return -1;
    const int rc = load_from(c, f, err);
    st_free(f);
    return rc == 0 ? 0 : err_wrap(err, "checkpoint %s", path);
}
