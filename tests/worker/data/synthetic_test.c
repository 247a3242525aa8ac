#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/data/dataset.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, CLASSES = 10, FEATURES = 8 };

static struct dataset train, test;

static int
setup(void **state)
{
    struct err err;

    (void)state;
    return dataset_load(&train, "synthetic", NULL, DATASET_TRAIN, &err) != 0
           || dataset_load(&test, "synthetic", NULL, DATASET_TEST, &err) != 0;
}

static int
teardown(void **state)
{
    (void)state;
    dataset_release(&train);
    dataset_release(&test);
    return 0;
}

static void
the_same_images_are_made_every_time(void **state)
{
    struct dataset again;
    struct err err;

    (void)state;
    assert_int_equal(dataset_load(&again, "synthetic", "/nowhere", DATASET_TRAIN, &err),
                     0);
    assert_int_equal(again.n, 2000);
    assert_memory_equal(again.images, train.images, 2000 * PIXELS);
    assert_memory_equal(again.labels, train.labels, 2000 * sizeof *train.labels);
    assert_memory_not_equal(test.images, train.images, 1000 * PIXELS);
    dataset_release(&again);
}

static void
its_normalisation_is_that_of_its_training_images(void **state)
{
    double sum = 0, squares = 0;

    (void)state;
    for (int64_t i = 0; i < train.n * PIXELS; i++) {
        const double v = train.images[i] / 255.0;
        sum += v;
        squares += v * v;
    }
    const double mean = sum / (double)(train.n * PIXELS);
    const double std = sqrt(squares / (double)(train.n * PIXELS) - mean * mean);
    assert_true(fabs(mean - (double)train.mean[0]) < 2e-3);
    assert_true(fabs(std - (double)train.std[0]) < 2e-3);
}

/* The mean of a pixel over a class, against its spread: how far one pixel tells. */
static void
no_single_pixel_tells_the_class(void **state)
{
    (void)state;
    for (int p = 0; p < PIXELS; p += 37) {
        double mean[CLASSES] = {0};
        for (int64_t i = 0; i < train.n; i++)
            mean[train.labels[i]] += train.images[i * PIXELS + p] / 255.0 * CLASSES;
        for (int k = 0; k < CLASSES; k++)
            assert_true(fabs(mean[k] / (double)train.n - 0.5) < 0.08);
    }
}

/* Squared differences between pixels one and four apart, along x, y and both diagonals,
 * as shares of their sum: what a first layer of convolutions can see. */
static void
features(double f[FEATURES], const uint8_t *plane)
{
    static const int steps[FEATURES / 2][2] = {{0, 1}, {1, 0}, {1, 1}, {1, -1}};
    double sum = 0;

    for (int k = 0; k < FEATURES; k++) {
        const int far = k < FEATURES / 2 ? 1 : 4;
        const int dy = steps[k % 4][0] * far, dx = steps[k % 4][1] * far;
        f[k] = 0;
        for (int y = 4; y < SIDE - 4; y++)
            for (int x = 4; x < SIDE - 4; x++) {
                const int d = plane[y * SIDE + x] - plane[(y + dy) * SIDE + x + dx];
                f[k] += (double)(d * d);
            }
        sum += f[k];
    }
    for (int k = 0; k < FEATURES; k++)
        f[k] /= sum;
    if (f[2] < f[3]) /* mirrored directions are one class */
        for (int k = 2; k < FEATURES; k += 4) {
            const double keep = f[k];
            f[k] = f[k + 1];
            f[k + 1] = keep;
        }
}

static int
nearest(double centre[CLASSES][FEATURES], const double f[FEATURES])
{
    int best = 0;
    double least = 1e300;

    for (int k = 0; k < CLASSES; k++) {
        double distance = 0;
        for (int j = 0; j < FEATURES; j++)
            distance += (f[j] - centre[k][j]) * (f[j] - centre[k][j]);
        if (distance < least) {
            least = distance;
            best = k;
        }
    }
    return best;
}

static void
a_few_filters_tell_the_class(void **state)
{
    double centre[CLASSES][FEATURES] = {{0}}, f[FEATURES];
    int right = 0;

    (void)state;
    for (int64_t i = 0; i < train.n; i++) {
        features(f, train.images + i * PIXELS);
        for (int j = 0; j < FEATURES; j++)
            centre[train.labels[i]][j] += f[j] * CLASSES / (double)train.n;
    }
    for (int64_t i = 0; i < test.n; i++) {
        features(f, test.images + i * PIXELS);
        right += nearest(centre, f) == test.labels[i];
    }
    print_message("nearest centre of 8 filter energies: %d of %d right\n", right,
                  (int)test.n);
    assert_true(right > test.n / 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_images_are_made_every_time),
        cmocka_unit_test(its_normalisation_is_that_of_its_training_images),
        cmocka_unit_test(no_single_pixel_tells_the_class),
        cmocka_unit_test(a_few_filters_tell_the_class),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
