/* own_sets_test.c - folders of pictures as data sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "tests/worker/data/folder.h"
#include "tests/worker/data/jpeg_file.h"
#include "worker/data/own_sets.h"
#include "worker/data/picture.h"

enum { SIDE = 6, PIXELS = 3 * SIDE * SIDE };

static int
setup(void **state)
{
    (void)state;
    folder_init(&folder);
    char *cache = file_join(folder.path, "cache");
    setenv("RELUSWEEP_CACHE", cache, 1);
    free(cache);
    return 0;
}

/* A picture of one grey value; PNG or JPEG by its name. */
static void
put(const char *name, int64_t h, int64_t w, uint8_t grey)
{
    char *path = xasprintf("image-folders/%s", name);
    struct buf jpeg = {0};
    struct err err;

    jpeg_file_flat(&jpeg, h, w, 1, &grey);
    const char *full = folder_write(&folder, path, jpeg.data, jpeg.len, 0);
    if (strstr(name, ".png") != NULL) {
        uint8_t *rgb = xmalloc((size_t)(3 * h * w));
        memset(rgb, grey, (size_t)(3 * h * w));
        assert_int_equal(picture_write_png(full, rgb, h, w, &err), 0);
        free(rgb);
    }
    buf_release(&jpeg);
    free(path);
}

static void
put_birds(void)
{
    put("birds/train/owl/2.jpg", SIDE, SIDE, 20);
    put("birds/train/owl/1.png", SIDE, SIDE, 10);
    put("birds/train/crow/x.JPEG", SIDE, SIDE, 30);
    put("birds/val/owl/a.png", SIDE, SIDE, 40);
    put("birds/val/crow/b.png", SIDE, SIDE, 50);
}

static void
expect_part(const struct dataset_source *s, enum dataset_part part, int64_t n,
            const int *labels, const int *greys)
{
    struct dataset d = {0};
    struct err err;

    if (s->load(s, &d, folder.path, part, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(d.n, n);
    assert_int_equal(d.classes, 2);
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(d.labels[i], labels[i]);
        for (int p = 0; p < PIXELS; p++)
            assert_int_equal(d.images[i * PIXELS + p], greys[i]);
    }
    dataset_release(&d);
}

static const struct dataset_source *found[OWN_SETS_MAX]; /* stays reachable */

static void
a_folder_of_pictures_is_a_data_set_of_its_name(void **state)
{
    struct buf report = {0};
    struct err err;

    (void)state;
    put_birds();
    assert_int_equal(own_sets_find(found, folder.path, &report), 1);
    const struct dataset_source *s = found[0];
    assert_string_equal(buf_str(&report), "");
    assert_string_equal(s->name, "birds");
    assert_int_equal(s->classes, 2);
    assert_int_equal(s->h, SIDE);
    assert_int_equal(s->n_train, 3);
    assert_int_equal(s->n_test, 2);
    expect_part(s, DATASET_TRAIN, 3, (int[]){0, 1, 1}, (int[]){30, 10, 20});
    expect_part(s, DATASET_TEST, 2, (int[]){0, 1}, (int[]){50, 40});
    assert_int_equal(s->check(s, &report, folder.path, &err), 0);
    assert_non_null(strstr(buf_str(&report), "5 pictures"));
    put("birds/train/owl/3.png", SIDE, SIDE + 1, 1);
    struct dataset d = {0};
    assert_int_equal(s->load(s, &d, NULL, DATASET_TRAIN, &err), -1);
    assert_non_null(strstr(err.text, "owl/3.png: 7x6 pixels, expected 6x6"));
    dataset_release(&d);
    buf_release(&report);
}

/* Nothing is found, for this reason. */
static void
expect_complaint(const char *said)
{
    struct buf complaints = {0};
    struct err err;

    assert_int_equal(own_sets_find(NULL, folder.path, &complaints), 0);
    if (strstr(buf_str(&complaints), said) == NULL)
        fail_msg("expected `%s` in: %s", said, buf_str(&complaints));
    buf_release(&complaints);
    char *sets = file_join(folder.path, "image-folders");
    assert_int_equal(file_remove_tree(sets, &err), 0);
    free(sets);
}

static void
folders_that_cannot_be_used_are_named_with_the_reason(void **state)
{
    (void)state;
    put("Birds!/train/owl/1.png", SIDE, SIDE, 1);
    expect_complaint("Birds! cannot be used: the name");
    put("cifar10/train/owl/1.png", SIDE, SIDE, 1);
    expect_complaint("another data set of this name");
    put("birds/train/owl/1.png", SIDE, SIDE, 1);
    expect_complaint("1 class folders; 2 to 10000");
    put_birds();
    put("birds/val/emu/1.png", SIDE, SIDE, 1);
    expect_complaint("its class folders are not those of the training part");
    put_birds();
    put("birds/train/emu/1.txt", SIDE, SIDE, 1);
    put("birds/val/emu/1.png", SIDE, SIDE, 1);
    expect_complaint("train/emu: no picture");
    put("birds/train/crow/1.png", SIDE, SIDE + 2, 1);
    put("birds/train/owl/1.png", SIDE, SIDE, 1);
    put("birds/test/crow/1.png", SIDE, SIDE, 1);
    put("birds/test/owl/1.png", SIDE, SIDE, 1);
    expect_complaint("8x6 pixels; pictures must be square");
    put("birds/train/owl/1.png", SIDE, SIDE, 1);
    put("birds/train/crow/1.png", SIDE, SIDE, 1);
    expect_complaint("birds/val");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_folder_of_pictures_is_a_data_set_of_its_name,
                                        setup, folder_teardown),
        cmocka_unit_test_setup_teardown(
            folders_that_cannot_be_used_are_named_with_the_reason, setup,
            folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
