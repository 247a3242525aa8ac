/* sgd.c - stochastic gradient descent with momentum, as PyTorch writes it.
 *
 * Invariant: each number is updated on its own, so any division into tasks gives the
 * same bits. */
#include "worker/engine/net_state.h"
#include "worker/engine/optim/optim.h"

struct step {
    struct net *net;
    float momentum, weight_decay, lr;
};

/* One parameter. */
static void
update_task(void *ctx, int64_t task, int thread)
{
    const struct step *s = ctx;
    const struct net_param *p = &s->net->params[task];
    const float momentum = s->momentum, decay = s->weight_decay, lr = s->lr;
    float *restrict w = p->value, *restrict v = p->momentum;
    const float *restrict g = p->grad;
    (void)thread;

    if (g == NULL)
        return;
    for (int64_t i = 0; i < p->size; i++) {
        v[i] = momentum * v[i] + (g[i] + decay * w[i]);
        w[i] -= lr * v[i];
    }
}

void
optim_sgd_step(struct net *n, const struct optim_sgd *sgd, double lr)
{
    struct step step = {.net = n,
                        .momentum = (float)sgd->momentum,
                        .weight_decay = (float)sgd->weight_decay,
                        .lr = (float)lr};

    team_run(n->config.team, (int64_t)n->n_params, update_task, &step);
    net_params_changed(n);
}
