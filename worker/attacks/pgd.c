/*
 * pgd.c - projected gradient descent against the cross entropy, random start (Madry et
 * al., ICLR 2018; methods.md 3).
 */
#include "worker/attacks/ascent.h"

static int
pgd_run(float *out, const float *x, const float *start, int64_t n,
        const struct attack_target *target, const struct attack_config *config,
        struct err *err)
{
    return ascent_run(out, x, start, n, target, config, ascent_ce_grad, err);
}

const struct attack attack_pgd_7 = {
    .name = "pgd-7",
    .doc = "7 steps of 2/255 against cross entropy, random start",
    .source = "Madry et al., ICLR 2018",
    .config = {.eps = 8.0 / 255, .step = 2.0 / 255, .steps = 7},
    .random_start = true,
    .run = pgd_run,
};

const struct attack attack_pgd_20 = {
    .name = "pgd-20",
    .doc = "20 steps of 2/255 against cross entropy, random start",
    .source = "Madry et al., ICLR 2018",
    .config = {.eps = 8.0 / 255, .step = 2.0 / 255, .steps = 20},
    .random_start = true,
    .run = pgd_run,
};
