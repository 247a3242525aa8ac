#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/worker/data/pictures.h"
#include "worker/data/corrupt/corrupt.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE };

/* The benchmark's order, which names the random streams. */
static const char *const fifteen[] = {"gaussian_noise",
                                      "shot_noise",
                                      "impulse_noise",
                                      "defocus_blur",
                                      "glass_blur",
                                      "motion_blur",
                                      "zoom_blur",
                                      "snow",
                                      "frost",
                                      "fog",
                                      "brightness",
                                      "contrast",
                                      "elastic_transform",
                                      "pixelate",
                                      "jpeg_compression"};

static void
corrupt(float out[PIXELS], const uint8_t *image, const char *name, int severity,
        uint64_t seed, int64_t sample)
{
    const struct corruption *c = corruption_find(name);

    assert_non_null(c);
    corruption_apply(out, image, SIDE, SIDE, c, severity, seed, sample);
}

static void
every_corruption_has_the_number_of_its_place_in_the_benchmark(void **state)
{
    int last = -1;

    (void)state;
    for (int i = 0; corruptions[i] != NULL; i++) {
        const struct corruption *c = corruptions[i];
        assert_int_equal(c->index, last + 1);
        assert_string_equal(c->name, fifteen[c->index]);
        assert_ptr_equal(corruption_find(c->name), c);
        assert_non_null(c->doc);
        last = c->index;
    }
    assert_int_equal(last, 14);
    assert_null(corruption_find("rain"));
}

static void
results_are_bytes_and_depend_on_the_stream_alone(void **state)
{
    uint8_t image[PIXELS];
    float a[PIXELS], b[PIXELS];

    (void)state;
    picture_draw(image, 0, 1, SIDE, SIDE);
    for (int i = 0; corruptions[i] != NULL; i++)
        for (int s = 1; s <= CORRUPTION_SEVERITIES; s++) {
            corrupt(a, image, corruptions[i]->name, s, 1, 7);
            corrupt(b, image, corruptions[i]->name, s, 1, 7);
            assert_memory_equal(a, b, sizeof a);
            for (int p = 0; p < PIXELS; p++)
                assert_true(a[p] == (float)(uint8_t)lrintf(a[p] * 255) / 255);
        }
    corrupt(a, image, "gaussian_noise", 3, 1, 8);
    corrupt(b, image, "gaussian_noise", 3, 1, 7);
    assert_memory_not_equal(a, b, sizeof a);
    corrupt(b, image, "gaussian_noise", 3, 2, 8);
    assert_memory_not_equal(a, b, sizeof a);
}

static void
apply_first_number(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    (void)severity;
    for (int64_t i = 0; i < 3 * h * w; i++)
        image[i] = rng_uniform(rng);
}

static void
the_random_stream_is_named_by_place_severity_and_sample(void **state)
{
    const struct corruption probe = {.index = 3, .apply = apply_first_number};
    struct rng rng = rng_stream(5, RNG_CORRUPT, 3 * 8 + 2, 77);
    const uint8_t pixel[3] = {0};
    float out[3];

    (void)state;
    corruption_apply(out, pixel, 1, 1, &probe, 2, 5, 77);
    for (int c = 0; c < 3; c++)
        assert_int_equal(lrintf(out[c] * 255), (int)(rng_uniform(&rng) * 255));
}

/* A smooth ball in front of a gradient, as photographs are smooth. */
static void
draw_ball(uint8_t *image, int64_t side)
{
    for (int64_t i = 0; i < 3 * side * side; i++) {
        const double c = (double)(i / (side * side));
        const double y = (double)(i % (side * side) / side) / (double)side;
        const double x = (double)(i % side) / (double)side;
        const double from_middle = hypot(x - 0.45, y - 0.55);
        const double ball = 1 / (1 + exp(40 * (from_middle - 0.3)));
        image[i] = (uint8_t)(40 + 60 * y + 30 * c * x + (100 - 30 * c) * ball);
    }
}

/* Mean difference from the clean picture over ten samples. */
static double
error_of(const struct corruption *kind, int severity, int64_t side)
{
    static uint8_t image[4 * PIXELS];
    static float out[4 * PIXELS];
    const int64_t pixels = 3 * side * side;
    double sum = 0;

    draw_ball(image, side);
    for (int sample = 0; sample < 10; sample++) {
        corruption_apply(out, image, side, side, kind, severity, 1, sample);
        for (int64_t p = 0; p < pixels; p++)
            sum += fabs((double)out[p] - image[p] / 255.0);
    }
    return sum / (double)(10 * pixels);
}

/* The elastic transformation exchanges shift for roughness as it grows. */
static void
harder_severities_change_more(void **state)
{
    (void)state;
    for (int64_t side = SIDE; side <= 2 * SIDE; side *= 2)
        for (int i = 0; corruptions[i] != NULL; i++) {
            const struct corruption *kind = corruptions[i];
            const bool elastic = strcmp(kind->name, "elastic_transform") == 0;
            const double first = error_of(kind, 1, side);
            const double last = error_of(kind, 5, side);
            if (first < 0.001 || (!elastic && last < 1.1 * first))
                fail_msg("%s, side %d: %g, %g", kind->name, (int)side, first, last);
        }
}

static void
larger_images_take_the_table_of_tiny_imagenet_c(void **state)
{
    static uint8_t image[4 * PIXELS];
    static float out[4 * PIXELS];

    (void)state;
    memset(image, 100, sizeof image);
    assert_int_equal(corruption_scale(32, 32), CORRUPTION_CIFAR);
    assert_int_equal(corruption_scale(64, 64), CORRUPTION_TINY);
    corruption_apply(out, image, 64, 64, corruption_find("brightness"), 2, 1, 0);
    assert_int_equal(lrintf(out[0] * 255), 151); /* V + .2 */
    corruption_apply(out, image, 32, 32, corruption_find("brightness"), 2, 1, 0);
    assert_int_equal(lrintf(out[0] * 255), 125); /* V + .1 */
}

static void
every_size_of_image_is_taken(void **state)
{
    static const int64_t sizes[][2] = {{1, 1}, {2, 3}, {17, 40}, {70, 33}};
    static uint8_t image[3 * 70 * 40];
    static float out[3 * 70 * 40];

    (void)state;
    for (int64_t i = 0; i < 3 * 70 * 40; i++)
        image[i] = (uint8_t)(7 * i);
    for (int k = 0; k < 4; k++)
        for (int i = 0; corruptions[i] != NULL; i++)
            for (int s = 1; s <= CORRUPTION_SEVERITIES; s++)
                corruption_apply(out, image, sizes[k][0], sizes[k][1], corruptions[i],
                                 s, 1, 0);
    for (int64_t i = 0; i < 3 * 70 * 33; i++)
        assert_true(out[i] >= 0 && out[i] <= 1);
}

static void
gaussian_noise_has_the_stated_deviation(void **state)
{
    static const double deviation[] = {.04, .06, .08, .09, .10};
    uint8_t image[PIXELS];
    float out[PIXELS];

    (void)state;
    memset(image, 128, sizeof image);
    for (int s = 1; s <= 5; s++) {
        double sum = 0, squares = 0;
        for (int n = 0; n < 10; n++) {
            corrupt(out, image, "gaussian_noise", s, 1, n);
            for (int p = 0; p < PIXELS; p++) {
                const double d = (double)out[p] - 128 / 255.0;
                sum += d;
                squares += d * d;
            }
        }
        const double mean = sum / (10 * PIXELS);
        assert_true(fabs(mean + 0.5 / 255) < 0.002); /* cut, not rounded */
        assert_true(fabs(sqrt(squares / (10 * PIXELS) - mean * mean) - deviation[s - 1])
                    < 0.001);
    }
}

/* Poisson: the mean is kept, the variance is mean / c; both ways of drawing are met. */
static void
shot_noise_has_the_stated_mean_and_variance(void **state)
{
    static const double photons[] = {500, 250, 100, 75, 50};
    static const int values[] = {2, 20, 60, 128};
    static uint8_t image[PIXELS];
    static float out[PIXELS];

    (void)state;
    for (int k = 0; k < 4 * 5; k++) {
        const double mean = values[k / 5] / 255.0, c = photons[k % 5];
        double sum = 0, squares = 0;
        memset(image, values[k / 5], sizeof image);
        for (int n = 0; n < 4; n++) {
            corrupt(out, image, "shot_noise", k % 5 + 1, 1, n);
            for (int p = 0; p < PIXELS; p++) {
                const double v = (double)out[p] + 0.5 / 255; /* cut, not rounded */
                sum += v / (4 * PIXELS);
                squares += v * v / (4 * PIXELS);
            }
        }
        const double variance = squares - sum * sum;
        assert_true(fabs(sum - mean) < 0.0025);
        assert_true(fabs(variance - mean / c) < 0.06 * mean / c + 2e-5);
    }
}

static void
impulse_noise_replaces_the_stated_share(void **state)
{
    static const double shares[] = {.01, .02, .03, .05, .07};
    uint8_t image[PIXELS];
    float out[PIXELS];

    (void)state;
    memset(image, 128, sizeof image);
    for (int s = 1; s <= 5; s++) {
        double black = 0, white = 0;
        for (int n = 0; n < 10; n++) {
            corrupt(out, image, "impulse_noise", s, 1, n);
            for (int p = 0; p < PIXELS; p++) {
                black += out[p] == 0 ? 0.1 / PIXELS : 0;
                white += out[p] == 1 ? 0.1 / PIXELS : 0;
            }
        }
        assert_true(fabs(black - shares[s - 1] / 2) < 0.002);
        assert_true(fabs(white - shares[s - 1] / 2) < 0.002);
    }
}

static void
paint(uint8_t *image, int red, int green, int blue)
{
    memset(image, red, PLANE);
    memset(image + PLANE, green, PLANE);
    memset(image + 2 * PLANE, blue, PLANE);
}

static void
expect_colour(const float *image, int red, int green, int blue)
{
    assert_int_equal(lrintf(image[0] * 255), red);
    assert_int_equal(lrintf(image[PLANE] * 255), green);
    assert_int_equal(lrintf(image[2 * PLANE] * 255), blue);
}

/* Expected values by hand from colorsys: V + c, hue and saturation kept. */
static void
brightness_adds_to_the_value_and_keeps_hue_and_saturation(void **state)
{
    uint8_t image[PIXELS];
    float out[PIXELS];

    (void)state;
    paint(image, 102, 51, 0); /* V = .4 */
    corrupt(out, image, "brightness", 4, 1, 0);
    expect_colour(out, 153, 76, 0);
    paint(image, 0, 0, 0);
    corrupt(out, image, "brightness", 1, 1, 0);
    expect_colour(out, 12, 12, 12);
    paint(image, 250, 125, 25);
    corrupt(out, image, "brightness", 5, 1, 0); /* V is cut at 1 */
    expect_colour(out, 255, 127, 25);
}

static void
contrast_shrinks_towards_the_mean_of_each_channel(void **state)
{
    uint8_t image[PIXELS];
    float out[PIXELS];

    (void)state;
    paint(image, 100, 40, 0);
    memset(image, 200, PLANE / 2); /* red: mean 150 */
    corrupt(out, image, "contrast", 2, 1, 0);
    expect_colour(out, 175, 40, 0);
    assert_int_equal(lrintf(out[PLANE - 1] * 255), 125);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_corruption_has_the_number_of_its_place_in_the_benchmark),
        cmocka_unit_test(results_are_bytes_and_depend_on_the_stream_alone),
        cmocka_unit_test(the_random_stream_is_named_by_place_severity_and_sample),
        cmocka_unit_test(harder_severities_change_more),
        cmocka_unit_test(larger_images_take_the_table_of_tiny_imagenet_c),
        cmocka_unit_test(every_size_of_image_is_taken),
        cmocka_unit_test(gaussian_noise_has_the_stated_deviation),
        cmocka_unit_test(shot_noise_has_the_stated_mean_and_variance),
        cmocka_unit_test(impulse_noise_replaces_the_stated_share),
        cmocka_unit_test(brightness_adds_to_the_value_and_keeps_hue_and_saturation),
        cmocka_unit_test(contrast_shrinks_towards_the_mean_of_each_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
