/*
 * kl.c - distillation: divergence of the student's softened output from the teacher's.
 * The targets of all views are the teacher's logits of the clean images, path 0.
 *
 *   L = (T^2/n) sum_ik p_ik (log p_ik - log q_ik)   p = softmax(t/T), q = softmax(s/T)
 *   dL/ds_ik = (T/n) (q_ik - p_ik)
 */
#include <math.h>

#include "worker/losses/loss.h"
#include "worker/losses/softmax.h"

static double
kl_run(const struct loss_view *v, double scale, float *dlogits)
{
    const double T = v->temperature, share = scale * T / (double)v->n;
    double sum = 0;

    for (int64_t i = 0; i < v->n; i++) {
        const float *s_i = v->logits + i * v->classes;
        const float *t_i = v->target + i * v->classes;
        float *ds_i = dlogits + i * v->classes;
        const double norm_s = softmax_log_sum(s_i, v->classes, T);
        const double norm_t = softmax_log_sum(t_i, v->classes, T);
        for (int64_t k = 0; k < v->classes; k++) {
            const double log_q = (double)s_i[k] / T - norm_s;
            const double log_p = (double)t_i[k] / T - norm_t;
            const double p = exp(log_p);
            ds_i[k] += (float)(share * (exp(log_q) - p));
            sum += p * (log_p - log_q);
        }
    }
    return T * T * sum / (double)v->n;
}

const struct loss loss_kl = {
    .name = "kl",
    .doc = "distillation from the teacher's clean outputs, with T^2",
    .source = "RLNet, Eq. 5 and 7",
    .on = LOSS_ON_LOGITS,
    .needs_teacher = true,
    .weight_alone = 1,
    .weight_released = 0.5,
    .weight_paper = 1,
    .run = kl_run,
};
