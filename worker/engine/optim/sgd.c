/* sgd.c - stochastic gradient descent with momentum, as PyTorch writes it.
 *
 * Invariant: each number is updated on its own, so any division into tasks gives the
 * same bits. */
#include "worker/engine/net_state.h"
#include "worker/engine/optim/optim.h"

enum { BLOCK = 1 << 14 };

/* Changes the values [from,to) of a parameter. */
typedef void change_fn(const struct net_param *p, int64_t from, int64_t to,
                       const void *how);

static float
started(float v, float w, float momentum, float decay)
{
    return momentum * v + decay * w;
}

static void
start(const struct net_param *p, int64_t from, int64_t to, const void *how)
{
    const struct optim_sgd *sgd = how;
    const float momentum = (float)sgd->momentum, decay = (float)sgd->weight_decay;
    const float *restrict w = p->value;
    float *restrict v = p->momentum;

    for (int64_t i = from; i < to; i++)
        v[i] = started(v[i], w[i], momentum, decay);
}

static void
update(const struct net_param *p, int64_t from, int64_t to, const void *how)
{
    const float lr = (float)*(const double *)how;
    const float *restrict v = p->momentum;
    float *restrict w = p->value;

    for (int64_t i = from; i < to; i++)
        w[i] -= lr * v[i];
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct change {
    const struct net *net;
    change_fn *run;
    const void *how;
};

/* A block of all trained parameters, one after the other. */
static void
change_task(void *ctx, int64_t task, int thread)
{
    const struct change *c = ctx;
    const struct net *n = c->net;
    int64_t from = task * BLOCK, to = from + BLOCK; /* counted from this parameter on */
    (void)thread;

    for (size_t i = 0; i < n->n_params && to > 0; i++) {
        const struct net_param *p = &n->params[i];

        if (p->momentum == NULL)
            continue;
        c->run(p, least(from, p->size), least(to, p->size), c->how);
        from = from < p->size ? 0 : from - p->size;
        to -= p->size;
    }
}

static int64_t
trained_floats(const struct net *n)
{
    int64_t floats = 0;

    for (size_t i = 0; i < n->n_params; i++)
        floats += n->params[i].momentum != NULL ? n->params[i].size : 0;
    return floats;
}

static void
change_all(const struct net *n, change_fn *run, const void *how)
{
    struct change c = {n, run, how};

    team_run(n->config.team, (trained_floats(n) + BLOCK - 1) / BLOCK, change_task, &c);
}

void
optim_sgd_begin(struct net *n, const struct optim_sgd *sgd)
{
    change_all(n, start, sgd);
}

void
optim_sgd_end(struct net *n, double lr)
{
    change_all(n, update, &lr);
    net_params_changed(n);
}

float
optim_sgd_start(const struct net_param *p, int64_t i, const struct optim_sgd *sgd)
{
    return started(p->momentum[i], p->value[i], (float)sgd->momentum,
                   (float)sgd->weight_decay);
}
