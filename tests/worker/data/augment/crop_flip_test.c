#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/data/augment/crop_flip.h"

enum { DRAWS = 20000, OFFSETS = 2 * CROP_PADDING + 1 };

static void
corners_and_flips_are_uniform_and_in_bounds(void **state)
{
    int rows[OFFSETS] = {0}, columns[OFFSETS] = {0}, flips = 0;

    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        struct rng rng = rng_stream(1, RNG_CROP, 2, (uint64_t)i);
        const struct crop_flip draw = crop_flip_draw(&rng);
        assert_in_range(draw.dy, 0, OFFSETS - 1);
        assert_in_range(draw.dx, 0, OFFSETS - 1);
        rows[draw.dy]++;
        columns[draw.dx]++;
        flips += draw.flip;
    }
    for (int k = 0; k < OFFSETS; k++) { /* 2222 expected, deviation 44 */
        assert_in_range(rows[k], 2002, 2442);
        assert_in_range(columns[k], 2002, 2442);
    }
    assert_in_range(flips, DRAWS / 2 - 350, DRAWS / 2 + 350);
}

static uint8_t
expected(const uint8_t *image, int c, int y, int x, const struct crop_flip *d, int h,
         int w)
{
    const int row = y + d->dy - CROP_PADDING;
    const int column = (d->flip ? w - 1 - x : x) + d->dx - CROP_PADDING;

    if (row < 0 || row >= h || column < 0 || column >= w)
        return 0;
    return image[(c * h + row) * w + column];
}

static void
every_crop_is_the_padded_image_moved_and_mirrored(void **state)
{
    enum { H = 7, W = 6, C = 3 };
    uint8_t image[C * H * W], out[C * H * W];

    (void)state;
    for (int i = 0; i < C * H * W; i++)
        image[i] = (uint8_t)(i + 1);
    for (int at = 0; at < OFFSETS * OFFSETS * 2; at++) {
        const struct crop_flip d = {
            .dy = at / 2 / OFFSETS, .dx = at / 2 % OFFSETS, .flip = at % 2 != 0};
        memset(out, 255, sizeof out);
        crop_flip_apply(out, image, C, H, W, &d);
        for (int i = 0; i < C * H * W; i++)
            assert_int_equal(out[i],
                             expected(image, i / (H * W), i / W % H, i % W, &d, H, W));
    }
}

static void
an_image_smaller_than_the_padding_can_be_cropped_to_black(void **state)
{
    const uint8_t image[4] = {1, 2, 3, 4}, black[4] = {0};
    const struct crop_flip d = {.dy = 4, .dx = 8, .flip = true};
    uint8_t out[4] = {9, 9, 9, 9};

    (void)state;
    crop_flip_apply(out, image, 1, 2, 2, &d);
    assert_memory_equal(out, black, 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corners_and_flips_are_uniform_and_in_bounds),
        cmocka_unit_test(every_crop_is_the_padded_image_moved_and_mirrored),
        cmocka_unit_test(an_image_smaller_than_the_padding_can_be_cropped_to_black),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
