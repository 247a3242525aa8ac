/*
 * fgsm.c - one step of size eps against the cross entropy, from x itself (Goodfellow et
 * al., ICLR 2015; methods.md trap 28). Takes only eps from its configuration.
 */
#include "worker/attacks/ascent.h"

static int
fgsm_run(float *out, const float *x, const float *start, int64_t n,
         const struct attack_target *target, const struct attack_config *config,
         struct err *err)
{
    const struct attack_config one = {
        .eps = config->eps, .step = config->eps, .steps = 1};

    (void)start;
    return ascent_run(out, x, NULL, n, target, &one, ascent_ce_grad, err);
}

const struct attack attack_fgsm = {
    .name = "fgsm",
    .doc = "one step of size eps against cross entropy, no random start",
    .source = "Goodfellow et al., ICLR 2015",
    .config = {.eps = 8.0 / 255, .step = 8.0 / 255, .steps = 1},
    .own_step = true,
    .run = fgsm_run,
};
