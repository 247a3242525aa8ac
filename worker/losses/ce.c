/*
 * ce.c - cross entropy with the labels.
 *
 *   L = -(1/n) sum_i log p_i[y_i]          p = softmax(z)
 *   dL/dz_ik = (p_ik - [k = y_i]) / n
 */
#include <math.h>

#include "worker/losses/loss.h"
#include "worker/losses/softmax.h"

static double
ce_run(const struct loss_view *v, double scale, float *dlogits)
{
    const double share = scale / (double)v->n;
    double sum = 0;

    for (int64_t i = 0; i < v->n; i++) {
        const float *z_i = v->logits + i * v->classes;
        float *dz_i = dlogits + i * v->classes;
        const double norm = softmax_log_sum(z_i, v->classes, 1);
        for (int64_t k = 0; k < v->classes; k++) {
            const double hit = k == v->y[i] ? 1 : 0;
            dz_i[k] += (float)(share * (exp((double)z_i[k] - norm) - hit));
        }
        sum += norm - (double)z_i[v->y[i]];
    }
    return sum / (double)v->n;
}

const struct loss loss_ce = {
    .name = "ce",
    .doc = "cross entropy with the labels",
    .source = "RLNet, Eq. 3 and 8",
    .on = LOSS_ON_LOGITS,
    .weight_alone = 1,
    .weight_released = 0.5,
    .weight_paper = 1,
    .run = ce_run,
};
