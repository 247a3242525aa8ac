/*
 * trades.c - a network's own output may not change under attack: divergence of the
 * adversarial view from the clean view of the same images, in training mode both.
 * Gradients go through both views, as in TRADES.
 *
 *   L = (T^2/n) sum_ik p_ik (log p_ik - log q_ik)   p = softmax(c/T), q = softmax(z/T)
 *   dL/dz_ik = (T/n) (q_ik - p_ik)
 *   dL/dc_ik = (T/n) p_ik (log p_ik - log q_ik - KL_i)
 */
#include <math.h>

#include "worker/losses/loss.h"
#include "worker/losses/softmax.h"

/* One image of k classes: returns KL(p || q) and adds `share` times its gradients. */
static double
divergence(float *dz, float *dc, const float *z, const float *c, int64_t k, double T,
           double share)
{
    const double norm_z = softmax_log_sum(z, k, T), norm_c = softmax_log_sum(c, k, T);
    double kl = 0;

    for (int64_t i = 0; i < k; i++) {
        const double log_p = (double)c[i] / T - norm_c;
        kl += exp(log_p) * (log_p - ((double)z[i] / T - norm_z));
    }
    for (int64_t i = 0; i < k; i++) {
        const double log_p = (double)c[i] / T - norm_c, p = exp(log_p);
        const double log_q = (double)z[i] / T - norm_z;
        dz[i] += (float)(share * (exp(log_q) - p));
        dc[i] += (float)(share * p * (log_p - log_q - kl));
    }
    return kl;
}

static double
trades_run(const struct loss_view *v, double scale, float *dlogits)
{
    const double T = v->temperature, share = scale * T / (double)v->n;
    double sum = 0;

    for (int64_t i = 0; i < v->n; i++) {
        const int64_t at = i * v->classes;
        sum += divergence(dlogits + at, v->d_own + at, v->logits + at, v->own + at,
                          v->classes, T, share);
    }
    return T * T * sum / (double)v->n;
}

const struct loss loss_trades = {
    .name = "trades",
    .doc = "divergence of the adversarial output from the network's own clean one",
    .source = "Zhang et al., ICML 2019, Eq. 5; T and T^2 as in RLNet's code",
    .on = LOSS_ON_PAIR,
    .weight_alone = 6,
    .weight_released = 6,
    .weight_paper = 6,
    .run = trades_run,
};
