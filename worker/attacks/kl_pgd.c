/*
 * kl_pgd.c - PGD against the distillation divergence (RLNet, Eq. 2; methods.md 3):
 * grows KL(softmax(t/T) || softmax(s/T)), t: the teacher's logits of the clean image.
 *
 *   d KL / ds = (softmax(s/T) - softmax(t/T)) / T
 */
#include "worker/attacks/ascent.h"

static void
kl_grad(double *dz, double *work, const float *z, int64_t sample,
        const struct attack_target *target)
{
    const int64_t k = target->classes;

    ascent_softmax(dz, z, k, target->temperature);
    ascent_softmax(work, target->teacher + sample * k, k, target->temperature);
    for (int64_t i = 0; i < k; i++)
        dz[i] -= work[i];
}

static int
kl_pgd_run(float *out, const float *x, const float *start, int64_t n,
           const struct attack_target *target, const struct attack_config *config,
           struct err *err)
{
    return ascent_run(out, x, start, n, target, config, kl_grad, err);
}

const struct attack attack_kl_pgd_7 = {
    .name = "kl-pgd-7",
    .doc = "7 steps of 2/255 away from the teacher's softened output, random start",
    .source = "RLNet, Eq. 2",
    .config = {.eps = 8.0 / 255, .step = 2.0 / 255, .steps = 7},
    .needs_teacher = true,
    .random_start = true,
    .run = kl_pgd_run,
};
