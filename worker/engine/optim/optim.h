#ifndef WORKER_ENGINE_OPTIM_OPTIM_H
#define WORKER_ENGINE_OPTIM_OPTIM_H

#include "worker/engine/net.h"

/* PyTorch's SGD: g += weight_decay*w; v = momentum*v + g (v = g at the first step, which
 * is the same with v = 0); w -= lr*v. No Nesterov, no dampening; decays every trained
 * parameter, batch norm and bias included (methods.md 4, trap 18).
 *
 * A sum may be made in any order, so v itself is where the gradients are added up, and a
 * step has two ends:
 *
 *   optim_sgd_begin   v = momentum*v + weight_decay*w
 *   net_backward      v += g, as often as wanted
 *   optim_sgd_end     w -= lr*v
 *
 * A step that is given up between them leaves the weights as they were, and v undefined.
 */
struct optim_sgd {
    double momentum, weight_decay;
};

/* Readies all trained parameters of the net for the gradients of a step. */
void optim_sgd_begin(struct net *n, const struct optim_sgd *sgd);

/* Updates them, and calls net_params_changed. */
void optim_sgd_end(struct net *n, double lr);

/* What begin makes of number i of a parameter: to be taken from what the passes have left,
 * by who wants to see the gradient alone. */
float optim_sgd_start(const struct net_param *p, int64_t i,
                      const struct optim_sgd *sgd);

#endif
