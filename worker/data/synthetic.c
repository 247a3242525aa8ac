/*
 * synthetic.c - pictures that need no files: stripes whose direction and width are the
 * class, with random phase, colours and noise, so that no single pixel tells anything but
 * a few convolutions learn it. The mirrored direction is the same class, as training
 * flips its images. Sample i of a part is always the same picture.
 */
#include <inttypes.h>
#include <math.h>

#include "shared/base/mem.h"
#include "worker/data/dataset.h"
#include "worker/engine/rng.h"

enum {
    CLASSES = 10,
    DIRECTIONS = 5, /* 0, 22.5, ..., 90 degrees; times two widths */
    CHANNELS = 3,
    SIDE = 32,
    IMAGE = CHANNELS * SIDE * SIDE,
    N_TRAIN = 2000,
    N_TEST = 1000,
    SEED = 1,
};

static float
between(struct rng *rng, float low, float high)
{
    return low + (high - low) * rng_uniform(rng);
}

/* The stripes of one picture: s(x,y) = sin(kx x + ky y + phase), channel c is
 * middle[c] + swing[c] s(x,y) + noise. */
struct stripes {
    float kx, ky, phase;
    float middle[CHANNELS], swing[CHANNELS];
};

static struct stripes
draw_stripes(struct rng *rng, int64_t class)
{
    const float tau = 2 * (float)M_PI;
    const float mirror = rng_below(rng, 2) == 0 ? 1 : -1;
    const float degrees = 22.5f * (float)(class % DIRECTIONS) + between(rng, -4, 4);
    const float angle = mirror * degrees * tau / 360;
    const float wide = class >= DIRECTIONS ? 2 : 1;
    const float period = wide * between(rng, 4, 5);
    struct stripes s = {.kx = tau / period * cosf(angle),
                        .ky = tau / period * sinf(angle),
                        .phase = between(rng, 0, tau)};

    for (int c = 0; c < CHANNELS; c++) {
        s.middle[c] = between(rng, 0.35f, 0.65f);
        s.swing[c] =
            between(rng, 0.15f, 0.35f) * (rng_below(rng, 2) == 0 ? 1.0f : -1.0f);
    }
    return s;
}

static uint8_t
to_byte(float v)
{
    if (v <= 0)
        return 0;
    return v >= 1 ? 255 : (uint8_t)lrintf(v * 255);
}

static void
draw_image(uint8_t *image, struct rng *rng, int64_t class)
{
    const struct stripes s = draw_stripes(rng, class);

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const float wave = sinf(s.kx * (float)x + s.ky * (float)y + s.phase);
            for (int c = 0; c < CHANNELS; c++)
                image[(c * SIDE + y) * SIDE + x] = to_byte(
                    s.middle[c] + s.swing[c] * wave + between(rng, -0.12f, 0.12f));
        }
}

static int
load(const struct dataset_source *self, struct dataset *out, const char *dir,
     enum dataset_part part, struct err *err)
{
    const int64_t n = part == DATASET_TRAIN ? N_TRAIN : N_TEST;

    (void)self;
    (void)dir;
    *out = (struct dataset){
        .n = n, .c = CHANNELS, .h = SIDE, .w = SIDE, .classes = CLASSES};
    out->images = mem_large_alloc((size_t)(n * IMAGE));
    out->labels = mem_large_alloc((size_t)n * sizeof *out->labels);
    if (out->images == NULL || out->labels == NULL)
        return err_set(err, ERR_OOM, "no memory for %" PRId64 " images", n);
    for (int64_t i = 0; i < n; i++) {
        struct rng rng = rng_stream(SEED, RNG_SYNTH, part, (uint64_t)i);
        out->labels[i] = (uint16_t)(i % CLASSES);
        draw_image(out->images + i * IMAGE, &rng, i % CLASSES);
    }
    return 0;
}

static int
check(const struct dataset_source *self, struct buf *report, const char *dir,
      struct err *err)
{
    (void)self;
    (void)dir;
    (void)err;
    buf_puts(report, "  generated, needs no files\n");
    return 0;
}

/* Mean and deviation of the training pixels, computed as for fashion-mnist. */
const struct dataset_source dataset_source_synthetic = {
    .name = "synthetic",
    .doc = "stripes of 5 directions and 2 widths with random colours and noise",
    .source = "generated",
    .classes = CLASSES,
    .h = SIDE,
    .w = SIDE,
    .n_train = N_TRAIN,
    .n_test = N_TEST,
    .mean = {0.5f, 0.5f, 0.5f},
    .std = {0.2116f, 0.2116f, 0.2116f},
    .where = "it is generated and cannot be missing",
    .load = load,
    .check = check,
};
