#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "tests/worker/data/pictures.h"
#include "worker/data/augment/augmix.h"
#include "worker/data/augment/crop_flip.h"
#include "worker/data/loader.h"

enum { N = 53, BATCH = 16, BATCHES = 4, SIDE = 32, PIXELS = 3 * SIDE * SIDE };

static uint8_t images[N * PIXELS];
static uint16_t labels[N];
static int64_t order[N];
static const struct dataset data = {.n = N,
                                    .c = 3,
                                    .h = SIDE,
                                    .w = SIDE,
                                    .classes = 10,
                                    .images = images,
                                    .labels = labels};

/* An epoch kept by sample. */
struct epoch {
    float x[N][PIXELS], x_aug[N][PIXELS];
    int64_t position[N]; /* in the epoch */
};

static int
setup(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        picture_draw(images + i * PIXELS, i % 2, (uint32_t)i, SIDE, SIDE);
        labels[i] = (uint16_t)(i % 10);
        order[i] = N - 1 - i;
    }
    return 0;
}

static struct loader_config
training(uint64_t seed)
{
    return (struct loader_config){.data = &data,
                                  .order = order,
                                  .n = N,
                                  .batch = BATCH,
                                  .seed = seed,
                                  .shuffle = true,
                                  .augment = true,
                                  .augmix = true};
}

static void
keep_batch(struct epoch *e, const struct loader_batch *b, int64_t first)
{
    for (int64_t i = 0; i < b->n; i++) {
        const int64_t s = b->sample[i];
        assert_in_range(s, 0, N - 1);
        assert_int_equal(b->y[i], labels[s]);
        e->position[s] = first + i;
        memcpy(e->x[s], b->x + i * PIXELS, sizeof e->x[s]);
        if (b->x_aug != NULL)
            memcpy(e->x_aug[s], b->x_aug + i * PIXELS, sizeof e->x_aug[s]);
    }
}

/* Batches are asked for from `first_batch` on, round the epoch. */
static struct epoch *
read_epoch(const struct loader_config *config, int threads, int64_t epoch,
           int64_t first_batch)
{
    struct epoch *e = xcalloc(1, sizeof *e);
    struct team *team = team_new(threads);
    struct loader *l = loader_new(config, team);

    assert_non_null(l);
    assert_int_equal(loader_batches(l), BATCHES);
    for (int64_t k = 0; k < BATCHES; k++) {
        const int64_t index = (first_batch + k) % BATCHES;
        const struct loader_batch b = loader_get(l, epoch, index, BATCH);
        assert_int_equal(b.n, index < BATCHES - 1 ? BATCH : N % BATCH);
        keep_batch(e, &b, index * BATCH);
    }
    loader_free(l);
    team_free(team);
    return e;
}

static void
expect_equal(const struct loader_config *a, int threads, int64_t first_batch)
{
    struct epoch *one = read_epoch(a, 1, 3, 0);
    struct epoch *other = read_epoch(a, threads, 3, first_batch);

    assert_memory_equal(one, other, sizeof *one);
    free(one);
    free(other);
}

static void
any_number_of_threads_gives_the_same_bits(void **state)
{
    const struct loader_config config = training(1);

    (void)state;
    expect_equal(&config, 2, 0);
    expect_equal(&config, 5, 0);
}

static void
a_batch_does_not_depend_on_those_asked_for_before(void **state)
{
    const struct loader_config config = training(1);

    (void)state;
    expect_equal(&config, 1, 2);
}

static void
an_epoch_is_a_new_order_and_new_crops_of_all_images(void **state)
{
    const struct loader_config config = training(1);
    struct epoch *a = read_epoch(&config, 1, 1, 0), *b = read_epoch(&config, 1, 2, 0);
    int64_t seen = 0, moved = 0, recropped = 0;

    (void)state;
    for (int s = 0; s < N; s++) {
        seen += a->position[s];
        moved += a->position[s] != b->position[s];
        recropped += memcmp(a->x[s], b->x[s], sizeof a->x[s]) != 0;
    }
    assert_int_equal(seen, N * (N - 1) / 2);
    assert_true(moved > N / 2);
    assert_true(recropped > N * 9 / 10);
    free(a);
    free(b);
}

static void
another_seed_gives_another_epoch(void **state)
{
    const struct loader_config one = training(1), two = training(2);
    struct epoch *a = read_epoch(&one, 1, 1, 0), *b = read_epoch(&two, 1, 1, 0);

    (void)state;
    assert_memory_not_equal(a->position, b->position, sizeof a->position);
    assert_memory_not_equal(a->x, b->x, sizeof a->x);
    free(a);
    free(b);
}

static void
evaluation_gives_the_images_as_they_are_in_the_given_order(void **state)
{
    struct loader_config config = training(1);
    config.shuffle = config.augment = config.augmix = false;
    struct epoch *e = read_epoch(&config, 2, 1, 0);

    (void)state;
    for (int s = 0; s < N; s++) {
        assert_int_equal(order[e->position[s]], s);
        for (int p = 0; p < PIXELS; p++)
            assert_true(e->x[s][p] == (float)images[s * PIXELS + p] / 255);
    }
    free(e);
}

/* Where a crop and flip of the sample equals x exactly; -1 where none does. */
static int
find_crop(const float *x, const uint8_t *image)
{
    for (int at = 0; at < 9 * 9 * 2; at++) {
        const int dy = at / 18 - 4, dx = at / 2 % 9 - 4, flip = at % 2;
        int p = 0;
        for (; p < PIXELS; p++) {
            const int c = p / (SIDE * SIDE), row = p / SIDE % SIDE + dy;
            const int col = (flip ? SIDE - 1 - p % SIDE : p % SIDE) + dx;
            const bool in = row >= 0 && row < SIDE && col >= 0 && col < SIDE;
            const int v = in ? image[(c * SIDE + row) * SIDE + col] : 0;
            if (x[p] != (float)v / 255)
                break;
        }
        if (p == PIXELS)
            return at;
    }
    return -1;
}

static void
every_training_image_is_a_crop_or_mirrored_crop_with_zeros_around(void **state)
{
    const struct loader_config config = training(4);
    struct epoch *e = read_epoch(&config, 1, 1, 0);
    int flipped = 0;

    (void)state;
    for (int s = 0; s < N; s++) {
        const int at = find_crop(e->x[s], images + s * PIXELS);
        assert_true(at >= 0);
        flipped += at % 2;
    }
    assert_in_range(flipped, N / 4, N * 3 / 4);
    free(e);
}

static void
the_second_view_is_augmix_of_a_crop_of_its_own(void **state)
{
    const struct loader_config config = training(1);
    struct epoch *e = read_epoch(&config, 1, 3, 0);
    uint8_t crop[PIXELS], *scratch = xmalloc((size_t)augmix_scratch(SIDE));
    float expected[PIXELS];
    int same = 0;

    (void)state;
    for (uint64_t s = 0; s < N; s++) {
        struct rng first = rng_stream(1, RNG_CROP, 6, s);
        struct rng second = rng_stream(1, RNG_CROP, 7, s);
        struct rng mix = rng_stream(1, RNG_AUGMIX, 3, s);
        const struct crop_flip clean = crop_flip_draw(&first);
        const struct crop_flip own = crop_flip_draw(&second);
        crop_flip_apply(crop, images + s * PIXELS, 3, SIDE, SIDE, &own);
        augmix(expected, crop, SIDE, &mix, scratch);
        assert_memory_equal(e->x_aug[s], expected, sizeof expected);
        same += own.dx == clean.dx && own.dy == clean.dy && own.flip == clean.flip;
    }
    assert_true(same < N / 10);
    free(scratch);
    free(e);
}

static void
only_the_asked_for_part_of_the_second_view_is_made(void **state)
{
    const struct loader_config config = training(1);
    struct team *team = team_new(1);
    struct loader *l = loader_new(&config, team);
    const struct loader_batch full = loader_get(l, 1, 0, BATCH);
    float *first = xmalloc(PIXELS * sizeof *first),
          *last = xmalloc(PIXELS * sizeof *last);

    (void)state;
    memcpy(last, full.x_aug + (BATCH - 1) * PIXELS, PIXELS * sizeof *last);
    const struct loader_batch half = loader_get(l, 2, 0, BATCH / 2);
    memcpy(first, half.x_aug, PIXELS * sizeof *first);
    assert_memory_equal(half.x_aug + (BATCH - 1) * PIXELS, last, PIXELS * sizeof *last);
    assert_memory_equal(loader_get(l, 2, 0, BATCH).x_aug, first,
                        PIXELS * sizeof *first);
    free(first);
    free(last);
    loader_free(l);
    team_free(team);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(a_batch_does_not_depend_on_those_asked_for_before),
        cmocka_unit_test(an_epoch_is_a_new_order_and_new_crops_of_all_images),
        cmocka_unit_test(another_seed_gives_another_epoch),
        cmocka_unit_test(evaluation_gives_the_images_as_they_are_in_the_given_order),
        cmocka_unit_test(
            every_training_image_is_a_crop_or_mirrored_crop_with_zeros_around),
        cmocka_unit_test(the_second_view_is_augmix_of_a_crop_of_its_own),
        cmocka_unit_test(only_the_asked_for_part_of_the_second_view_is_made),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
