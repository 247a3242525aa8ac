/* corrupted_test.c - corrupted test images: published, made, made when asked for. */
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
#include "tests/worker/data/jpeg_file.h"
#include "worker/data/corrupted.h"
#include "worker/data/data_corrupt.h"

enum { N = 6, SIDE = 8, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, SEVERITIES = 5 };

static uint8_t images[N * PIXELS];
static uint16_t labels[N] = {0, 0, 0, 1, 1, 1};
static const struct dataset test = {.n = N,
                                    .c = 3,
                                    .h = SIDE,
                                    .w = SIDE,
                                    .classes = 2,
                                    .images = images,
                                    .labels = labels};
static struct team *team;
static FILE *nowhere;

static int
setup(void **state)
{
    (void)state;
    for (int i = 0; i < N * PIXELS; i++)
        images[i] = (uint8_t)(3 * i + i / PIXELS);
    team = team_new(2);
    nowhere = fopen("/dev/null", "w");
    return team == NULL || nowhere == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    team_free(team);
    return fclose(nowhere);
}

/* ---- files ----------------------------------------------------------------------- */

static void
write_npy(const struct folder *f, const char *name, const char *shape,
          const void *bytes, size_t n)
{
    char *header =
        xasprintf("{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }\n", shape);
    char *path = xasprintf("CIFAR-10-C/%s.npy", name);
    struct buf b = {0};

    buf_add(&b, "\x93NUMPY\x01\x00", 8);
    buf_putc(&b, (char)strlen(header));
    buf_putc(&b, 0);
    buf_puts(&b, header);
    buf_add(&b, bytes, n);
    folder_write(f, path, b.data, b.len, 0);
    buf_release(&b);
    free(path);
    free(header);
}

/* The byte of the published test set at row (severity - 1) N + sample. */
static uint8_t
published(int corruption, int64_t row, int64_t y, int64_t x, int64_t channel)
{
    return (uint8_t)(corruption * 50 + row * 31 + y * 7 + x * 3 + channel);
}

static void
write_published(const struct folder *f)
{
    static uint8_t bytes[SEVERITIES * N * PIXELS];
    uint8_t all[SEVERITIES * N];

    for (int k = 0; corruptions[k] != NULL; k++) {
        for (int64_t i = 0; i < SEVERITIES * N * PIXELS; i++)
            bytes[i] =
                published(k, i / PIXELS, i % PIXELS / 3 / SIDE, i / 3 % SIDE, i % 3);
        write_npy(f, corruptions[k]->name, "30, 8, 8, 3", bytes, sizeof bytes);
    }
    for (int i = 0; i < SEVERITIES * N; i++)
        all[i] = (uint8_t)labels[i % N];
    write_npy(f, "labels", "30,", all, sizeof all);
}

/* ---- giving out ------------------------------------------------------------------ */

static void
expect_made(struct corrupted *c, const char *name, int severity)
{
    const int64_t sample[] = {4, 1};
    float x[2 * PIXELS], expected[PIXELS];
    struct err err;

    assert_int_equal(corrupted_select(c, corruption_find(name), severity, &err), 0);
    assert_int_equal(corrupted_fill(x, c, sample, 2, team, &err), 0);
    for (int i = 0; i < 2; i++) {
        corruption_apply(expected, images + sample[i] * PIXELS, SIDE, SIDE,
                         corruption_find(name), severity, 0, sample[i]);
        assert_memory_equal(x + i * PIXELS, expected, sizeof expected);
    }
}

static void
without_a_folder_images_are_made(void **state)
{
    struct corrupted *c;
    struct folder f;
    struct err err;

    (void)state;
    folder_init(&f);
    assert_int_equal(corrupted_open(&c, "cifar10", f.path, &test, &err), 0);
    assert_int_equal(corrupted_origin(c), CORRUPTED_MADE);
    assert_null(corrupted_folder(c));
    expect_made(c, "gaussian_noise", 3);
    expect_made(c, "fog", 5);
    corrupted_close(c);
    folder_release(&f);
}

static void
the_published_arrays_are_given_out(void **state)
{
    const int64_t sample[] = {5, 0};
    float x[2 * PIXELS];
    struct corrupted *c;
    struct folder f;
    struct err err;

    (void)state;
    folder_init(&f);
    write_published(&f);
    assert_int_equal(corrupted_open(&c, "cifar10", f.path, &test, &err), 0);
    assert_int_equal(corrupted_origin(c), CORRUPTED_PUBLISHED);
    assert_non_null(strstr(corrupted_folder(c), "CIFAR-10-C"));
    for (int k = 0; corruptions[k] != NULL; k++)
        for (int s = 1; s <= SEVERITIES; s++) {
            assert_int_equal(corrupted_select(c, corruptions[k], s, &err), 0);
            assert_int_equal(corrupted_fill(x, c, sample, 2, team, &err), 0);
            for (int i = 0; i < 2 * PIXELS; i++)
                assert_true(x[i]
                            == (float)published(k, (s - 1) * N + sample[i / PIXELS],
                                                i % PLANE / SIDE, i % SIDE,
                                                i % PIXELS / PLANE)
                                   / 255);
        }
    corrupted_close(c);
    folder_release(&f);
}

/* ---- damage ---------------------------------------------------------------------- */

static void
expect_refused(const char *name, const struct folder *f, const char *said)
{
    struct corrupted *c = (struct corrupted *)&test;
    struct err err;

    assert_int_equal(corrupted_open(&c, name, f->path, &test, &err), -1);
    assert_null(c);
    assert_int_equal(err.kind, ERR_DATA);
    if (strstr(err.text, said) == NULL)
        fail_msg("expected `%s` in: %s", said, err.text);
}

static void
published_arrays_with_damage_are_never_used(void **state)
{
    static const uint8_t bytes[SEVERITIES * N * PIXELS];
    uint8_t other_labels[SEVERITIES * N] = {0};
    struct folder f;

    (void)state;
    folder_init(&f);
    write_published(&f);
    write_npy(&f, "fog", "30, 8, 8, 3", bytes, sizeof bytes - 1);
    expect_refused("cifar10", &f, "fog.npy: its shape asks for 5760 bytes");
    write_npy(&f, "fog", "15, 16, 8, 3", bytes, sizeof bytes);
    expect_refused("cifar10", &f, "fog.npy: expected the shape (30, 8, 8, 3)");
    write_published(&f);
    other_labels[3] = 1;
    write_npy(&f, "labels", "30,", other_labels, sizeof other_labels);
    expect_refused("cifar10", &f, "labels.npy: image 4 has label 0");
    write_npy(&f, "labels", "29,", other_labels, sizeof other_labels - 1);
    expect_refused("cifar10", &f, "labels.npy: expected 30 labels");
    write_published(&f);
    char *path = xasprintf("%s/CIFAR-10-C/snow.npy", f.path);
    assert_int_equal(remove(path), 0);
    expect_refused("cifar10", &f, "snow.npy: No such file");
    free(path);
    folder_release(&f);
}

/* ---- made by `data corrupt` ------------------------------------------------------ */

static void
make(const struct folder *f, const char *names, int64_t n)
{
    char *out = file_join(f->path, "synthetic-c");
    const struct data_corrupt_config config = {.dataset = "synthetic",
                                               .data_dir = f->path,
                                               .corruption = names,
                                               .severity = "all",
                                               .out = out,
                                               .images = n,
                                               .threads = 2};
    struct err err;

    if (data_corrupt(&config, nowhere, &err) != 0)
        fail_msg("%s", err.text);
    free(out);
}

static void
made_files_hold_what_is_made_when_asked_for(void **state)
{
    static float from_file[4][3 * 32 * 32], made[4][3 * 32 * 32];
    const int64_t sample[] = {0, 999, 17, 500};
    struct corrupted *with, *without;
    struct folder f, empty;
    struct dataset d;
    struct err err;

    (void)state;
    folder_init(&f);
    folder_init(&empty);
    make(&f, "contrast,impulse_noise", 0);
    assert_int_equal(dataset_load(&d, "synthetic", NULL, DATASET_TEST, &err), 0);
    assert_int_equal(corrupted_open(&with, "synthetic", f.path, &d, &err), 0);
    assert_int_equal(corrupted_open(&without, "synthetic", empty.path, &d, &err), 0);
    assert_int_equal(corrupted_origin(with), CORRUPTED_MADE);
    assert_non_null(corrupted_folder(with));
    for (int k = 0; corruptions[k] != NULL; k++) { /* those without a file are made */
        assert_int_equal(corrupted_select(with, corruptions[k], 2, &err), 0);
        assert_int_equal(corrupted_select(without, corruptions[k], 2, &err), 0);
        assert_int_equal(corrupted_fill(from_file[0], with, sample, 4, team, &err), 0);
        assert_int_equal(corrupted_fill(made[0], without, sample, 4, team, &err), 0);
        assert_memory_equal(from_file, made, sizeof made);
    }
    corrupted_close(with);
    corrupted_close(without);
    dataset_release(&d);
    folder_release(&empty);
    folder_release(&f);
}

static void
files_made_of_other_images_are_refused(void **state)
{
    struct folder f;
    struct err err;

    (void)state;
    folder_init(&f);
    make(&f, "contrast", 7);
    char *sheet = file_join(f.path, "synthetic-c/contact-sheet.png");
    assert_true(file_exists(sheet));
    expect_refused("synthetic", &f, "made of 7 other test images");
    free(sheet);
    char *about = file_join(f.path, "synthetic-c/about.json");
    const char text[] = "{\"revision\": 0, \"seed\": 0}";
    assert_int_equal(file_write(about, text, strlen(text), &err), 0);
    expect_refused("synthetic", &f, "made by revision 0");
    free(about);
    folder_release(&f);
}

static void
unknown_corruptions_and_severities_are_refused(void **state)
{
    struct data_corrupt_config config = {.dataset = "synthetic",
                                         .corruption = "fgo",
                                         .severity = "all",
                                         .out = "/nowhere",
                                         .threads = 1};
    struct err err;

    (void)state;
    assert_int_equal(data_corrupt(&config, nowhere, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "did you mean `fog`"));
    config.corruption = "fog";
    config.severity = "1,6";
    assert_int_equal(data_corrupt(&config, nowhere, &err), -1);
    assert_non_null(strstr(err.text, "severity `6` is not 1 to 5"));
}

/* ---- folders --------------------------------------------------------------------- */

static char *
picture_path(int k, int severity, int i)
{
    return xasprintf("Tiny-ImageNet-C/%s/%d/n0%d/p%d.JPEG", corruptions[k]->name,
                     severity, labels[i], i);
}

static void
write_folders(const struct folder *f)
{
    for (int k = 0; corruptions[k] != NULL; k++)
        for (int i = 0; i < SEVERITIES * N; i++) {
            const int severity = i / N + 1;
            const uint8_t grey = (uint8_t)(10 * k + 20 * severity + i % N);
            char *path = picture_path(k, severity, i % N);
            struct buf bytes = {0};
            jpeg_file_flat(&bytes, SIDE, SIDE, 1, &grey);
            folder_write(f, path, bytes.data, bytes.len, 0);
            buf_release(&bytes);
            free(path);
        }
}

static void
published_folders_are_given_out_in_the_order_of_names(void **state)
{
    const int64_t sample[] = {2, 5, 0};
    float x[3 * PIXELS];
    struct corrupted *c;
    struct folder f;
    struct err err;

    (void)state;
    folder_init(&f);
    write_folders(&f);
    if (corrupted_open(&c, "tiny-imagenet", f.path, &test, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(corrupted_origin(c), CORRUPTED_PUBLISHED);
    for (int k = 0; k < 15; k += 7)
        for (int s = 1; s <= SEVERITIES; s++) {
            assert_int_equal(corrupted_select(c, corruptions[k], s, &err), 0);
            assert_int_equal(corrupted_fill(x, c, sample, 3, team, &err), 0);
            for (int i = 0; i < 3 * PIXELS; i++)
                assert_int_equal((int)(x[i] * 255 + 0.5f),
                                 10 * k + 20 * s + sample[i / PIXELS]);
        }
    corrupted_close(c);
    folder_release(&f);
}

static void
published_folders_with_damage_are_refused(void **state)
{
    const int64_t sample[] = {0, 1, 2, 3, 4, 5};
    float x[N * PIXELS];
    struct corrupted *c;
    struct folder f;
    struct err err;

    (void)state;
    folder_init(&f);
    write_folders(&f);
    char *path = picture_path(9, 4, 2);
    folder_write(&f, path, "\xff\xd8\xff broken", 10, 0);
    assert_int_equal(corrupted_open(&c, "tiny-imagenet", f.path, &test, &err), 0);
    assert_int_equal(corrupted_select(c, corruptions[9], 4, &err), 0);
    assert_int_equal(corrupted_fill(x, c, sample, N, team, &err), -1);
    assert_non_null(strstr(err.text, "p2.JPEG: damaged JPEG"));
    corrupted_close(c);
    char *full = file_join(f.path, path);
    assert_int_equal(remove(full), 0);
    expect_refused("tiny-imagenet", &f, "fog/4: expected 6 pictures, found 5");
    free(full);
    free(path);
    folder_release(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_folder_images_are_made),
        cmocka_unit_test(the_published_arrays_are_given_out),
        cmocka_unit_test(published_arrays_with_damage_are_never_used),
        cmocka_unit_test(made_files_hold_what_is_made_when_asked_for),
        cmocka_unit_test(files_made_of_other_images_are_refused),
        cmocka_unit_test(unknown_corruptions_and_severities_are_refused),
        cmocka_unit_test(published_folders_are_given_out_in_the_order_of_names),
        cmocka_unit_test(published_folders_with_damage_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
