/*
 * augmix.c - what AugMix draws, and the mixture of the chains. A chain goes back and
 * forth between two byte images, as Pillow's operations return bytes; only the mixture
 * is float. The operations themselves are in tone.c and affine.c.
 */
#include "worker/data/augment/augmix.h"

#include <stddef.h>

#include "worker/data/augment/affine.h"
#include "worker/data/augment/tone.h"

enum { SEVERITY = 3 };

static double
posterize_bits(double level, int64_t side)
{
    (void)side;
    return 4 - (int)(level * 4 / 10);
}

static double
rotate_degrees(double level, int64_t side)
{
    (void)side;
    return (int)(level * 30 / 10);
}

static double
solarize_threshold(double level, int64_t side)
{
    (void)side;
    return 256 - (int)(level * 256 / 10);
}

static double
shear_slope(double level, int64_t side)
{
    (void)side;
    return level * 0.3 / 10;
}

static double
translate_pixels(double level, int64_t side)
{
    return (int)(level * ((double)side / 3) / 10);
}

/* The nine operations of the reference; colour, contrast, brightness and sharpness are
 * left out because the corruption benchmark measures them. */
const struct augmix_op augmix_ops[] = {
    {"autocontrast", NULL, false, tone_autocontrast},
    {"equalize", NULL, false, tone_equalize},
    {"posterize", posterize_bits, false, tone_posterize},
    {"rotate", rotate_degrees, true, affine_rotate},
    {"solarize", solarize_threshold, false, tone_solarize},
    {"shear_x", shear_slope, true, affine_shear_x},
    {"shear_y", shear_slope, true, affine_shear_y},
    {"translate_x", translate_pixels, true, affine_translate_x},
    {"translate_y", translate_pixels, true, affine_translate_y},
};
const int augmix_op_count = sizeof augmix_ops / sizeof augmix_ops[0];

static struct augmix_step
draw_step(struct rng *rng, int64_t side)
{
    struct augmix_step step = {.op = (int)rng_below(rng, (uint32_t)augmix_op_count)};
    const struct augmix_op *op = &augmix_ops[step.op];
    const double level = 0.1 + (SEVERITY - 0.1) * (double)rng_uniform(rng);

    if (op->value != NULL)
        step.value = op->value(level, side);
    if (op->signed_value && rng_below(rng, 2) != 0)
        step.value = -step.value;
    return step;
}

struct augmix_plan
augmix_draw(struct rng *rng, int64_t side)
{
    struct augmix_plan plan = {0};
    double gamma[AUGMIX_WIDTH], sum = 0;

    for (int i = 0; i < AUGMIX_WIDTH; i++)
        sum += gamma[i] = rng_gamma(rng, 1);
    for (int i = 0; i < AUGMIX_WIDTH; i++)
        plan.w[i] = (float)(gamma[i] / sum);
    plan.m = rng_uniform(rng); /* Beta(1,1) */
    for (int i = 0; i < AUGMIX_WIDTH; i++) {
        plan.depth[i] = 1 + (int)rng_below(rng, AUGMIX_DEPTH);
        for (int k = 0; k < plan.depth[i]; k++)
            plan.steps[i][k] = draw_step(rng, side);
    }
    return plan;
}

int64_t
augmix_scratch(int64_t side)
{
    return side * side * AUGMIX_CHANNELS * (AUGMIX_WIDTH + 1);
}

/* Runs chain i between `result` and `spare`, to end in `result`. Every chain has at
 * least one operation. */
static void
run_chain(uint8_t *result, uint8_t *spare, const uint8_t *image, int64_t side,
          const struct augmix_plan *plan, int i)
{
    const uint8_t *from = image;

    for (int k = 0; k < plan->depth[i]; k++) {
        const struct augmix_step *step = &plan->steps[i][k];
        uint8_t *to = (plan->depth[i] - k) % 2 == 1 ? result : spare;
        augmix_ops[step->op].apply(to, from, side, side, step->value);
        from = to;
    }
}

void
augmix_apply(float *out, const uint8_t *image, int64_t side,
             const struct augmix_plan *plan, uint8_t *scratch)
{
    const int64_t pixels = AUGMIX_CHANNELS * side * side;
    uint8_t *chain0 = scratch, *chain1 = chain0 + pixels, *chain2 = chain1 + pixels;
    uint8_t *chains[AUGMIX_WIDTH] = {chain0, chain1, chain2};
    const float keep = (1 - plan->m) / 255;
    float share[AUGMIX_WIDTH];

    for (int i = 0; i < AUGMIX_WIDTH; i++) {
        run_chain(chains[i], chain2 + pixels, image, side, plan, i);
        share[i] = plan->m * plan->w[i] / 255;
    }
    for (int64_t p = 0; p < pixels; p++) {
        const float v = keep * (float)image[p] + share[0] * (float)chain0[p]
                        + share[1] * (float)chain1[p] + share[2] * (float)chain2[p];
        out[p] = v < 1 ? v : 1; /* rounding may pass white by an ulp */
    }
}

void
augmix(float *out, const uint8_t *image, int64_t side, struct rng *rng,
       uint8_t *scratch)
{
    const struct augmix_plan plan = augmix_draw(rng, side);

    augmix_apply(out, image, side, &plan, scratch);
}
