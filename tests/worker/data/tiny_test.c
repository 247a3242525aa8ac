/* tiny_test.c - folders as Tiny-ImageNet's, with two classes; the decoded cache. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "tests/worker/data/folder.h"
#include "tests/worker/data/jpeg_file.h"
#include "worker/data/tiny.h"

enum { SIDE = 8, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, EACH = 2, N_VAL = 3 };

static const char *const layouts[] = {"tiny-imagenet-200", NULL};
static const struct tiny_set set = {.name = "tiny-test",
                                    .layouts = layouts,
                                    .classes = 2,
                                    .side = SIDE,
                                    .train_each = EACH,
                                    .n_val = N_VAL,
                                    .where = "unpack it"};

/* The data in "data/", the decoded cache in "cache/". */
struct fixture {
    struct folder folder;
    char *data;
};

static void
write_text(const struct fixture *f, const char *name, const char *text)
{
    char *path = xasprintf("data/tiny-imagenet-200/%s", name);

    folder_write(&f->folder, path, text, strlen(text), 0);
    free(path);
}

/* A flat picture of this colour; grey when green and blue are negative. */
static void
write_picture(const struct fixture *f, const char *name, int64_t side, int red,
              int green, int blue)
{
    const uint8_t colour[] = {(uint8_t)red, (uint8_t)green, (uint8_t)blue};
    char *path = xasprintf("data/tiny-imagenet-200/%s", name);
    struct buf bytes = {0};

    jpeg_file_flat(&bytes, side, side, green < 0 ? 1 : 3, colour);
    folder_write(&f->folder, path, bytes.data, bytes.len, 0);
    buf_release(&bytes);
    free(path);
}

static void
fixture_init(struct fixture *f)
{
    folder_init(&f->folder);
    f->data = file_join(f->folder.path, "data");
    char *cache = file_join(f->folder.path, "cache");
    setenv("RELUSWEEP_CACHE", cache, 1);
    free(cache);
    write_text(f, "wnids.txt", "n09\nn01\n");
    write_picture(f, "train/n01/images/n01_0.JPEG", SIDE, 200, 10, 10);
    write_picture(f, "train/n01/images/n01_1.JPEG", SIDE, 90, -1, -1);
    write_picture(f, "train/n09/images/n09_0.JPEG", SIDE, 10, 200, 10);
    write_picture(f, "train/n09/images/n09_1.JPEG", SIDE, 10, 10, 200);
    write_text(f, "train/n01/n01_boxes.txt", "n01_0.JPEG\t0\t0\t7\t7\n");
    write_picture(f, "val/images/val_0.JPEG", SIDE, 10, 10, 10);
    write_picture(f, "val/images/val_1.JPEG", SIDE, 20, 20, 20);
    write_picture(f, "val/images/val_10.JPEG", SIDE, 30, 30, 30);
    write_text(f, "val/val_annotations.txt",
               "val_0.JPEG\tn09\t0\t0\t7\t7\nval_10.JPEG\tn01\t0\t0\t7\t7\n"
               "val_1.JPEG\tn01\t0\t0\t7\t7\n");
}

static void
fixture_release(struct fixture *f)
{
    folder_release(&f->folder);
    free(f->data);
    unsetenv("RELUSWEEP_CACHE");
}

static void
expect_image(const struct dataset *d, int64_t i, int label, int red, int green,
             int blue)
{
    const int expected[] = {red, green, blue};

    assert_int_equal(d->labels[i], label);
    for (int p = 0; p < PIXELS; p++)
        assert_in_range(d->images[i * PIXELS + p] + 2, expected[p / PLANE],
                        expected[p / PLANE] + 4);
}

static void
load(struct dataset *d, const struct fixture *f, enum dataset_part part)
{
    struct err err;

    if (tiny_load(d, &set, f->data, part, &err) != 0)
        fail_msg("%s", err.text);
}

static void
expect_training_part(const struct fixture *f)
{
    struct dataset d;

    load(&d, f, DATASET_TRAIN);
    assert_int_equal(d.n, 2 * EACH);
    assert_int_equal(d.classes, 2);
    expect_image(&d, 0, 0, 200, 10, 10);
    expect_image(&d, 1, 0, 90, 90, 90);
    expect_image(&d, 2, 1, 10, 200, 10);
    expect_image(&d, 3, 1, 10, 10, 200);
    dataset_release(&d);
}

static void
classes_are_ranks_of_the_sorted_names_and_grey_becomes_colour(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    expect_training_part(&f);
    fixture_release(&f);
}

static void
validation_pictures_are_regrouped_by_the_annotation_file(void **state)
{
    struct fixture f;
    struct dataset d;

    (void)state;
    fixture_init(&f);
    load(&d, &f, DATASET_TEST);
    assert_int_equal(d.n, N_VAL);
    expect_image(&d, 0, 0, 20, 20, 20);
    expect_image(&d, 1, 0, 30, 30, 30);
    expect_image(&d, 2, 1, 10, 10, 10);
    dataset_release(&d);
    fixture_release(&f);
}

/* ---- the decoded cache ----------------------------------------------------------- */

static char *
cache_path(const struct fixture *f, const char *ending)
{
    return xasprintf("%s/cache/tiny-test-train%s", f->folder.path, ending);
}

/* Makes one picture undecodable, with the same size and time as before. */
static void
spoil_behind_its_back(const struct fixture *f)
{
    char *path = file_join(f->data, "tiny-imagenet-200/train/n01/images/n01_0.JPEG");
    struct buf bytes = {0};
    struct stat before;
    struct err err;

    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(file_read(&bytes, path, &err), 0);
    memset(bytes.data, 0, bytes.len);
    assert_int_equal(file_write(path, bytes.data, bytes.len, &err), 0);
    const struct timespec times[] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    buf_release(&bytes);
    free(path);
}

static void
pictures_are_decoded_once(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    expect_training_part(&f);
    spoil_behind_its_back(&f);
    expect_training_part(&f);
    fixture_release(&f);
}

static void
changed_pictures_are_decoded_again(void **state)
{
    struct fixture f;
    struct dataset d;

    (void)state;
    fixture_init(&f);
    expect_training_part(&f);
    write_picture(&f, "train/n01/images/n01_0.JPEG", SIDE, 123, 20, 20);
    load(&d, &f, DATASET_TRAIN);
    expect_image(&d, 0, 0, 123, 20, 20);
    dataset_release(&d);
    fixture_release(&f);
}

/* Flips the byte at `at`, from the end where negative, or cuts the file there. */
static void
damage(const char *path, int64_t at, bool cut)
{
    struct buf bytes = {0};
    struct err err;

    assert_int_equal(file_read(&bytes, path, &err), 0);
    const size_t i = at >= 0 ? (size_t)at : bytes.len - (size_t)-at;
    bytes.data[i] = (char)~bytes.data[i];
    assert_int_equal(file_write(path, bytes.data, cut ? i : bytes.len, &err), 0);
    buf_release(&bytes);
}

static void
a_damaged_cache_is_made_again(void **state)
{
    static const struct {
        const char *ending;
        int64_t at;
        bool cut;
    } damages[] = {{".npy", -1, false}, {".npy", -1, true}, {".npy", 3, false},
                   {".npy", 5, true},   {".json", 2, true}, {".json", 0, false}};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    expect_training_part(&f);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        char *path = cache_path(&f, damages[i].ending);
        struct buf before = {0}, after = {0};
        struct err err;
        assert_int_equal(file_read(&before, path, &err), 0);
        damage(path, damages[i].at, damages[i].cut);
        expect_training_part(&f);
        assert_int_equal(file_read(&after, path, &err), 0);
        assert_int_equal(before.len, after.len);
        assert_memory_equal(before.data, after.data, after.len);
        buf_release(&before);
        buf_release(&after);
        free(path);
    }
    fixture_release(&f);
}

static void
a_cache_that_cannot_be_written_does_no_harm(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    folder_write(&f.folder, "cache", "a file, not a folder", 5, 0);
    expect_training_part(&f);
    fixture_release(&f);
}

/* ---- damage ---------------------------------------------------------------------- */

static void
expect_refused(const struct fixture *f, enum dataset_part part, const char *said)
{
    struct dataset d = {0};
    struct err err;

    assert_int_equal(tiny_load(&d, &set, f->data, part, &err), -1);
    dataset_release(&d);
    assert_int_equal(err.kind, ERR_DATA);
    if (strstr(err.text, said) == NULL)
        fail_msg("expected `%s` in: %s", said, err.text);
}

static void
bad_annotations_are_refused_with_their_line(void **state)
{
    static const char good[] = "val_0.JPEG\tn09\t0\nval_10.JPEG\tn01\n";
    static const struct {
        const char *more, *said;
    } texts[] = {{"val_1.JPEG\tn77\t0\n", "line 3: class `n77` is not in wnids.txt"},
                 {"val_1.JPEG\n", "line 3: expected `file<tab>class"},
                 {"../../wnids.txt\tn01\n", "line 3: expected `file<tab>class"},
                 {"", "expected 3 lines with a picture each, found 2"},
                 {"val_2.JPEG\tn01\n", "val_2.JPEG is missing"}};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *text = xasprintf("%s%s", good, texts[i].more);
        write_text(&f, "val/val_annotations.txt", text);
        expect_refused(&f, DATASET_TEST, texts[i].said);
        free(text);
    }
    fixture_release(&f);
}

static void
bad_class_lists_are_refused(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    write_text(&f, "wnids.txt", "n01\n");
    expect_refused(&f, DATASET_TRAIN, "expected 2 lines with a class each, found 1");
    write_text(&f, "wnids.txt", "");
    expect_refused(&f, DATASET_TRAIN, "found 0");
    write_text(&f, "wnids.txt", "n01\nn01\n");
    expect_refused(&f, DATASET_TRAIN, "stands there twice");
    write_text(&f, "wnids.txt", "n01\n../n09\n");
    expect_refused(&f, DATASET_TRAIN, "is no class");
    write_text(&f, "wnids.txt", "n01\nn02\n");
    expect_refused(&f, DATASET_TRAIN, "train/n02/images");
    fixture_release(&f);
}

static void
bad_pictures_are_refused_by_name(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    write_picture(&f, "train/n09/images/n09_1.JPEG", SIDE + 1, 1, 2, 3);
    expect_refused(&f, DATASET_TRAIN, "n09_1.JPEG: 9x9 pixels, expected 8x8");
    write_text(&f, "train/n09/images/n09_1.JPEG", "hello");
    expect_refused(&f, DATASET_TRAIN, "n09_1.JPEG: neither a JPEG nor a PNG");
    write_picture(&f, "train/n09/images/n09_1.JPEG", SIDE, 1, 2, 3);
    char *path = file_join(f.data, "tiny-imagenet-200/train/n09/images/n09_1.JPEG");
    damage(path, -30, true);
    expect_refused(&f, DATASET_TRAIN, "n09_1.JPEG: damaged JPEG");
    free(path);
    write_picture(&f, "train/n09/images/n09_2.JPEG", SIDE, 1, 2, 3);
    expect_refused(&f, DATASET_TRAIN, "expected 2 pictures, found 3");
    fixture_release(&f);
}

static void
the_check_counts_and_names_what_is_wrong(void **state)
{
    struct buf report = {0};
    struct fixture f;
    struct err err;

    (void)state;
    fixture_init(&f);
    assert_int_equal(tiny_check(&report, &set, f.data, &err), 0);
    assert_non_null(strstr(buf_str(&report), "4 training and 3 validation pictures"));
    buf_clear(&report);
    write_text(&f, "val/val_annotations.txt", "\n");
    assert_int_equal(tiny_check(&report, &set, f.data, &err), -1);
    assert_non_null(strstr(buf_str(&report), "CORRUPT"));
    buf_clear(&report);
    assert_int_equal(tiny_check(&report, &set, f.folder.path, &err), 0);
    assert_non_null(strstr(buf_str(&report), "unpack it"));
    buf_release(&report);
    fixture_release(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_ranks_of_the_sorted_names_and_grey_becomes_colour),
        cmocka_unit_test(validation_pictures_are_regrouped_by_the_annotation_file),
        cmocka_unit_test(pictures_are_decoded_once),
        cmocka_unit_test(changed_pictures_are_decoded_again),
        cmocka_unit_test(a_damaged_cache_is_made_again),
        cmocka_unit_test(a_cache_that_cannot_be_written_does_no_harm),
        cmocka_unit_test(bad_annotations_are_refused_with_their_line),
        cmocka_unit_test(bad_class_lists_are_refused),
        cmocka_unit_test(bad_pictures_are_refused_by_name),
        cmocka_unit_test(the_check_counts_and_names_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
