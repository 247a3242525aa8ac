/* The reader against files of full size that this test writes: mostly zeros, so that
 * they compress well. The real files, where installed, have their own check. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "tests/worker/data/folder.h"
#include "worker/data/data_check.h"
#include "worker/data/dataset.h"

enum { N = 10000, SIDE = 28, IMAGE = SIDE * SIDE, OUT = 32 };
enum { IMAGES = 16 + N * IMAGE, LABELS = 8 + N };

static uint8_t *images, *labels;

static int
setup(void **state)
{
    (void)state;
    folder_init(&folder);
    images = xcalloc(1, IMAGES);
    labels = xcalloc(1, LABELS);
    memcpy(images, "\0\0\x08\x03\0\0\x27\x10\0\0\0\x1c\0\0\0\x1c", 16);
    memcpy(labels, "\0\0\x08\x01\0\0\x27\x10", 8);
    for (int i = 0; i < N; i++) {
        labels[8 + i] = (uint8_t)(i % 10);
        images[16 + i * IMAGE] = (uint8_t)(i % 251);
        images[16 + i * IMAGE + IMAGE - 1] = 99;
    }
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    folder_release(&folder);
    free(images);
    free(labels);
    return 0;
}

static void
write_test_part(const char *layout, size_t image_bytes, int zipped)
{
    char name[128];
    const char *suffix = zipped ? ".gz" : "";

    (void)snprintf(name, sizeof name, "%s/t10k-images-idx3-ubyte%s", layout, suffix);
    folder_write(&folder, name, images, image_bytes, zipped);
    (void)snprintf(name, sizeof name, "%s/t10k-labels-idx1-ubyte%s", layout, suffix);
    folder_write(&folder, name, labels, LABELS, zipped);
}

static void
clear(void)
{
    folder_release(&folder);
    folder_init(&folder);
}

static int
load_test_part(struct dataset *d, struct err *err)
{
    return dataset_load(d, "fashion-mnist", folder.path, DATASET_TEST, err);
}

static void
images_are_padded_and_repeated_in_every_layout(void **state)
{
    static const char *const layouts[] = {"fashion-mnist", "FashionMNIST/raw", "."};
    struct dataset d;
    struct err err;

    (void)state;
    for (int i = 0; i < 3; i++) {
        clear();
        write_test_part(layouts[i], IMAGES, i != 1);
        if (load_test_part(&d, &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(d.n, N);
        assert_int_equal(d.c * d.h * d.w, 3 * OUT * OUT);
        assert_true(d.mean[0] > 0.218f && d.mean[0] < 0.220f);
        const uint8_t *image = d.images + 7 * 3 * OUT * OUT;
        for (int c = 0; c < 3; c++, image += OUT * OUT) {
            int sum = 0;
            for (int p = 0; p < OUT * OUT; p++)
                sum += image[p];
            assert_int_equal(image[2 * OUT + 2], 7);
            assert_int_equal(image[29 * OUT + 29], 99);
            assert_int_equal(sum, 7 + 99);
        }
        assert_int_equal(d.labels[123], 3);
        dataset_release(&d);
    }
}

static void
expect_failure(const char *said, const char *also)
{
    struct dataset d;
    struct err err;

    assert_int_equal(load_test_part(&d, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    if (strstr(err.text, said) == NULL || strstr(err.text, also) == NULL)
        fail_msg("expected `%s` and `%s` in: %s", said, also, err.text);
    assert_null(d.images);
    assert_null(d.labels);
}

static void
missing_files_say_where_they_come_from(void **state)
{
    (void)state;
    clear();
    expect_failure(folder.path, "apt-get install dataset-fashion-mnist");
    folder_write(&folder, "fashion-mnist/t10k-labels-idx1-ubyte", labels, LABELS, 0);
    expect_failure("t10k-images-idx3-ubyte is missing", "RELUSWEEP_DATA");
}

static void
truncated_images_say_where_they_end(void **state)
{
    (void)state;
    clear();
    write_test_part("fashion-mnist", IMAGES - 1000, 0);
    expect_failure("t10k-images-idx3-ubyte: truncated",
                   "offset 7839016: expected 1000");
}

static void
a_wrong_label_is_named_with_its_offset(void **state)
{
    (void)state;
    clear();
    labels[8 + 4321] = 10;
    write_test_part("fashion-mnist", IMAGES, 0);
    labels[8 + 4321] = 1;
    expect_failure("t10k-labels-idx1-ubyte: offset 4329", "0..9, found 10");
}

static void
swapped_files_are_refused(void **state)
{
    (void)state;
    clear();
    folder_write(&folder, "fashion-mnist/t10k-labels-idx1-ubyte", images, IMAGES, 0);
    folder_write(&folder, "fashion-mnist/t10k-images-idx3-ubyte", labels, LABELS, 0);
    expect_failure("t10k-labels-idx1-ubyte: offset 0", "found 00 00 08 03");
}

static void
the_check_reports_missing_files_and_fails_on_wrong_ones(void **state)
{
    struct buf out = {0};
    struct err err;

    (void)state;
    clear();
    assert_int_equal(data_check(folder.path, &out, &err), 0);
    assert_non_null(strstr(buf_str(&out), "apt-get install dataset-fashion-mnist"));
    assert_non_null(strstr(buf_str(&out), "synthetic"));
    buf_clear(&out);
    write_test_part("fashion-mnist", IMAGES, 1);
    assert_int_equal(data_check(folder.path, &out, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.text, "5b4141f0")); /* expected */
    assert_non_null(strstr(buf_str(&out), "train-images-idx3-ubyte: missing"));
    assert_non_null(strstr(buf_str(&out), "CORRUPT"));
    assert_non_null(strstr(buf_str(&out), "synthetic"));
    buf_release(&out);
}

/* Reads 30 MB, so only where Debian's package put them. */
static void
the_installed_files_are_the_published_ones_and_give_the_stated_normalisation(
    void **state)
{
    static const char place[] = "/usr/share/datasets";
    struct dataset d;
    struct buf out = {0};
    struct err err;
    double sum = 0, squares = 0;

    (void)state;
    if (!file_exists("/usr/share/datasets/fashion-mnist"))
        skip();
    if (dataset_find("fashion-mnist")
                ->check(dataset_find("fashion-mnist"), &out, place, &err)
            != 0
        || dataset_load(&d, "fashion-mnist", place, DATASET_TRAIN, &err) != 0)
        fail_msg("%s", err.text);
    const int64_t n = d.n * OUT * OUT;
    for (int64_t i = 0; i < d.n; i++)
        for (int p = 0; p < OUT * OUT; p++) {
            const double v = d.images[i * 3 * OUT * OUT + p] / 255.0;
            sum += v;
            squares += v * v;
        }
    const double mean = sum / (double)n;
    const double deviation = sqrt(squares / (double)n - mean * mean);
    assert_true(fabs(mean - (double)d.mean[0]) < 1e-4);
    assert_true(fabs(deviation - (double)d.std[2]) < 1e-4);
    dataset_release(&d);
    buf_release(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_padded_and_repeated_in_every_layout),
        cmocka_unit_test(missing_files_say_where_they_come_from),
        cmocka_unit_test(truncated_images_say_where_they_end),
        cmocka_unit_test(a_wrong_label_is_named_with_its_offset),
        cmocka_unit_test(swapped_files_are_refused),
        cmocka_unit_test(the_check_reports_missing_files_and_fails_on_wrong_ones),
        cmocka_unit_test(
            the_installed_files_are_the_published_ones_and_give_the_stated_normalisation),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
