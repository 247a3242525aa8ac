/* sgd.c - stochastic gradient descent with momentum, as PyTorch writes it.
 *
 * Invariant: each number is updated on its own, so any division into tasks gives the
 * same bits. */
#include "worker/engine/net_state.h"
#include "worker/engine/optim/optim.h"

enum { BLOCK = 1 << 14 };

struct step {
    struct net *net;
    float momentum, weight_decay, lr;
};

/* Values [from,to) of a parameter. */
static void
update(const struct step *s, const struct net_param *p, int64_t from, int64_t to)
{
    const float momentum = s->momentum, decay = s->weight_decay, lr = s->lr;
    float *restrict w = p->value, *restrict v = p->momentum;
    const float *restrict g = p->grad;

    for (int64_t i = from; i < to; i++) {
        v[i] = momentum * v[i] + (g[i] + decay * w[i]);
        w[i] -= lr * v[i];
    }
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A block of all trained parameters, one after the other. */
static void
update_task(void *ctx, int64_t task, int thread)
{
    const struct step *s = ctx;
    const struct net *n = s->net;
    int64_t from = task * BLOCK, to = from + BLOCK; /* counted from this parameter on */
    (void)thread;

    for (size_t i = 0; i < n->n_params && to > 0; i++) {
        const struct net_param *p = &n->params[i];

        if (p->grad == NULL)
            continue;
        update(s, p, least(from, p->size), least(to, p->size));
        from = from < p->size ? 0 : from - p->size;
        to -= p->size;
    }
}

static int64_t
trained_floats(const struct net *n)
{
    int64_t floats = 0;

    for (size_t i = 0; i < n->n_params; i++)
        floats += n->params[i].grad != NULL ? n->params[i].size : 0;
    return floats;
}

void
optim_sgd_step(struct net *n, const struct optim_sgd *sgd, double lr)
{
    struct step step = {.net = n,
                        .momentum = (float)sgd->momentum,
                        .weight_decay = (float)sgd->weight_decay,
                        .lr = (float)lr};

    team_run(n->config.team, (trained_floats(n) + BLOCK - 1) / BLOCK, update_task,
             &step);
    net_params_changed(n);
}
