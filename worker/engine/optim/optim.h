#ifndef WORKER_ENGINE_OPTIM_OPTIM_H
#define WORKER_ENGINE_OPTIM_OPTIM_H

#include "worker/engine/net.h"

/* PyTorch's SGD: g += weight_decay*w; v = momentum*v + g (v = g at the first step, which
 * is the same with v = 0); w -= lr*v. No Nesterov, no dampening; decays every trained
 * parameter, batch norm and bias included (methods.md 4, trap 18). */
struct optim_sgd {
    double momentum, weight_decay;
};

/* One step on all trained parameters of the net with the gradients accumulated since
 * net_zero_grads. Calls net_params_changed. */
void optim_sgd_step(struct net *n, const struct optim_sgd *sgd, double lr);

#endif
