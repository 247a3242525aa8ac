/* cifar_test.c - the binary CIFAR files, as the test writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/worker/data/folder.h"
#include "worker/data/cifar.h"

enum { N = 10000 };

/* Record i: coarse label 19 where there are two, label i % classes, pixels i + p. */
static uint8_t *
records(int64_t label_bytes, int64_t classes, size_t *size)
{
    const int64_t each = label_bytes + CIFAR_PIXELS;
    uint8_t *bytes = malloc((size_t)(N * each));

    for (int64_t i = 0; i < N; i++) {
        uint8_t *r = bytes + i * each;
        memset(r, 19, (size_t)label_bytes);
        r[label_bytes - 1] = (uint8_t)(i % classes);
        for (int64_t p = 0; p < CIFAR_PIXELS; p++)
            r[label_bytes + p] = (uint8_t)(i + p);
    }
    *size = (size_t)(N * each);
    return bytes;
}

static void
expect_test_part(const char *name, const struct folder *f, int64_t classes)
{
    struct dataset d = {0};
    struct err err;

    assert_int_equal(dataset_load(&d, name, f->path, DATASET_TEST, &err), 0);
    assert_int_equal(d.n, N);
    assert_int_equal(d.classes, classes);
    for (int64_t i = 0; i < N; i += 977) {
        assert_int_equal(d.labels[i], i % classes);
        assert_int_equal(d.images[i * CIFAR_PIXELS], (uint8_t)i);
        assert_int_equal(d.images[i * CIFAR_PIXELS + 1024], (uint8_t)(i + 1024));
        assert_int_equal(d.images[(i + 1) * CIFAR_PIXELS - 1],
                         (uint8_t)(i + CIFAR_PIXELS - 1));
    }
    dataset_release(&d);
}

static void
records_are_read_with_planes_and_the_last_label(void **state)
{
    static const struct {
        const char *name, *file;
        int64_t label_bytes, classes;
    } sets[] = {{"cifar10", "cifar-10-batches-bin/test_batch.bin", 1, 10},
                {"cifar100", "cifar-100-binary/test.bin", 2, 100}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct folder f;
        size_t size;
        uint8_t *bytes = records(sets[i].label_bytes, sets[i].classes, &size);
        folder_init(&f);
        folder_write(&f, sets[i].file, bytes, size, 0);
        expect_test_part(sets[i].name, &f, sets[i].classes);
        folder_release(&f);
        free(bytes);
    }
}

/* Loads the test part of cifar10 made of these bytes, which must fail saying `text`. */
static void
expect_refused(const uint8_t *bytes, size_t size, const char *text)
{
    struct dataset d = {0};
    struct folder f;
    struct err err;

    folder_init(&f);
    folder_write(&f, "cifar-10-batches-bin/test_batch.bin", bytes, size, 0);
    assert_int_equal(dataset_load(&d, "cifar10", f.path, DATASET_TEST, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.text, "test_batch.bin"));
    assert_non_null(strstr(err.text, text));
    folder_release(&f);
}

static void
a_truncated_or_longer_file_and_a_wrong_label_are_refused(void **state)
{
    size_t size;
    uint8_t *bytes = records(1, 10, &size);

    (void)state;
    expect_refused(bytes, size - 1, "expected 30730000 bytes");
    expect_refused(bytes, 0, "found 0");
    bytes[3073 * 7] = 10;
    expect_refused(bytes, size, "offset 21511: expected a label 0..9, found 10");
    free(bytes);
}

static void
check_names_every_file(void **state)
{
    struct buf report = {0};
    struct folder f;
    struct err err;

    (void)state;
    folder_init(&f);
    folder_write(&f, "cifar-10-batches-bin/test_batch.bin", "short", 5, 0);
    assert_int_equal(
        dataset_find("cifar10")->check(dataset_find("cifar10"), &report, f.path, &err),
        -1);
    assert_non_null(strstr(buf_str(&report), "data_batch_5.bin: missing"));
    assert_non_null(strstr(buf_str(&report), "CORRUPT"));
    buf_clear(&report);
    assert_int_equal(dataset_find("cifar100")
                         ->check(dataset_find("cifar100"), &report, f.path, &err),
                     0);
    assert_non_null(strstr(buf_str(&report), "cifar-100-binary/test.bin"));
    buf_release(&report);
    folder_release(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_with_planes_and_the_last_label),
        cmocka_unit_test(a_truncated_or_longer_file_and_a_wrong_label_are_refused),
        cmocka_unit_test(check_names_every_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
