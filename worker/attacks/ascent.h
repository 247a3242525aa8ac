#ifndef WORKER_ATTACKS_ASCENT_H
#define WORKER_ATTACKS_ASCENT_H

#include "worker/attacks/attack.h"

/*
 * Ascent by the sign of the gradient inside an L_inf ball (Madry et al. 2018), shared
 * by the attacks of this folder. With P the clip to [x-eps, x+eps] and then to [0,1]:
 *
 *   x_0 = clip01(x + eps * start)            (x where start is NULL)
 *   x_{k+1} = P(x_k + step * sign(d loss(x_k) / d x_k))
 *
 * The network runs in eval mode on target->path. Writes x_steps to `out` (n,c,h,w).
 * Outputs that are not finite are ERR_NUMERIC.
 */

/* Gradient dz (classes) of the loss that is to grow, for the logits z of one sample;
 * only its direction matters. work: `classes` numbers of scratch. */
typedef void ascent_grad_fn(double *dz, double *work, const float *z, int64_t sample,
                            const struct attack_target *target);

MUST_CHECK int ascent_run(float *out, const float *x, const float *start, int64_t n,
                          const struct attack_target *target,
                          const struct attack_config *config, ascent_grad_fn *grad,
                          struct err *err);

/* Index of the first largest of k logits: the prediction. */
int64_t ascent_first_largest(const float *z, int64_t k);

/* CE(z, y) of one sample, in double. */
double ascent_ce(const float *z, int64_t k, int64_t y);

/* p = softmax(z / T), k numbers. */
void ascent_softmax(double *p, const float *z, int64_t k, double temperature);

/* d CE / dz = softmax(z) - onehot(y). */
ascent_grad_fn ascent_ce_grad;

#endif
