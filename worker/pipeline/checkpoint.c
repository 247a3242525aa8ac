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

/* Parameters and masks of `s`, called `prefix`/... . */
static void
add_snapshot(struct pieces *p, const char *prefix, struct net *n, struct snapshot *s)
{
    size_t count, at = 0;
    const struct net_param *params = net_params(n, &count);
    uint8_t *mask = s->masks;

    for (size_t i = 0; i < count; i++) {
        add(p, arena_printf(&p->names, "%s/%s", prefix, params[i].name), ST_F32,
            params[i].size, s->values + at);
        at += (size_t)params[i].size;
    }
    for (int i = 0; i < graph_n_masks(net_graph(n)); i++) {
        const int64_t size = network_mask_size(n, i);
        add(p, arena_printf(&p->names, "%s/mask.%d", prefix, i), ST_U8, size, mask);
        mask += size;
    }
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

/* now: copy of c->net, which pieces point into. */
static struct pieces
list_pieces(const struct checkpoint *c, struct snapshot *now, bool with_best)
{
    struct pieces p = {0};

    add(&p, "counts", ST_I64, sizeof c->state->counts / sizeof(int64_t),
        &c->state->counts);
    add(&p, "sums", ST_F64, sizeof c->state->sums / sizeof(double), &c->state->sums);
    add_snapshot(&p, "now", c->net, now);
    add_momentum(&p, c->net);
    if (with_best)
        add_snapshot(&p, "best", c->net, c->best);
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

int
checkpoint_save(const struct checkpoint *c, const char *path, struct err *err)
{
    struct snapshot now;

    if (snapshot_init(&now, c->net, err) != 0)
        return -1;
    snapshot_take(&now, c->net);
    struct pieces p = list_pieces(c, &now, c->best->taken);
    struct st_writer *w = st_writer_new();
    stamp_write(w, c->job, CHECKPOINT_VERSION);
    for (size_t i = 0; i < p.n; i++)
        st_writer_add(w, p.items[i].name, p.items[i].dtype, &p.items[i].count, 1,
                      p.items[i].data);
    const int rc = st_writer_save(w, path, err);
    st_writer_free(w);
    pieces_release(&p);
    snapshot_release(&now);
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
    struct snapshot now;

    if (stamp_check(f, c->job, CHECKPOINT_VERSION, err) != 0 || snapshot_init(&now, c->net, err) != 0)
        return -1;
    struct pieces p = list_pieces(c, &now, with_best);
    const int rc = check_pieces(f, &p, err);
    if (rc == 0) {
        copy_pieces(f, &p);
        now.taken = true;
        snapshot_restore(c->net, &now);
        c->best->taken = with_best;
    }
    pieces_release(&p);
    snapshot_release(&now);
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
