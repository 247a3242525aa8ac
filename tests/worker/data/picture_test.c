/* picture_test.c - picture files of Pillow's, and damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "tests/worker/data/folder.h"
#include "tests/worker/data/jpeg_file.h"
#include "worker/data/picture.h"

/* A file as Pillow wrote it, and what it reads from it as RGB, as (h,w,3). */
struct picture_case {
    const char *name;
    int h, w;
    const char *file, *rgb;
};
#include "tests/worker/data/picture_vectors.h"

enum { CASES = sizeof picture_cases / sizeof picture_cases[0] };

static void
add_hex(struct buf *out, const char *hex)
{
    for (; *hex != '\0'; hex += 2) {
        unsigned v = 999;
        assert_int_equal(sscanf(hex, "%2x", &v), 1);
        buf_putc(out, (char)v);
    }
}

/* JPEG: within 1, as versions of libjpeg may round differently. */
static void
pictures_have_pillows_pixels(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        const struct picture_case *c = &picture_cases[i];
        const int allowed = strncmp(c->name, "jpeg", 4) == 0 ? 1 : 0;
        struct buf file = {0}, rgb = {0};
        struct picture p;
        struct err err;
        add_hex(&file, c->file);
        add_hex(&rgb, c->rgb);
        if (picture_decode(&p, file.data, file.len, c->name, &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(p.h, c->h);
        assert_int_equal(p.w, c->w);
        for (int k = 0; k < 3 * c->h * c->w; k++) {
            const int ours = p.planes[k % 3 * c->h * c->w + k / 3];
            if (abs(ours - (uint8_t)rgb.data[k]) > allowed)
                fail_msg("%s: value %d is %d", c->name, k, ours);
        }
        picture_release(&p);
        buf_release(&file);
        buf_release(&rgb);
    }
}

static void
every_picture_that_ends_early_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        struct buf file = {0};
        add_hex(&file, picture_cases[i].file);
        /* the last two bytes of a JPEG only say that it ends */
        for (size_t n = 0; n + 2 < file.len; n++) {
            struct picture p;
            struct err err;
            char *exact = malloc(n + 1); /* the sanitizer sees what is read beyond */
            memcpy(exact, file.data, n);
            if (picture_decode(&p, exact, n, "cut", &err) == 0)
                fail_msg("%s of %zu bytes is taken when cut to %zu",
                         picture_cases[i].name, file.len, n);
            assert_int_equal(err.kind, ERR_DATA);
            assert_null(p.planes);
            free(exact);
        }
        buf_release(&file);
    }
}

static void
changed_bytes_never_do_harm(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        struct buf file = {0};
        add_hex(&file, picture_cases[i].file);
        for (size_t n = 0; n < file.len; n++) {
            struct picture p;
            struct err err;
            const char kept = file.data[n];
            file.data[n] = (char)~kept;
            if (picture_decode(&p, file.data, file.len, "changed", &err) == 0)
                picture_release(&p);
            file.data[n] = kept;
        }
        buf_release(&file);
    }
}

static void
expect_refused(const void *bytes, size_t n, const char *said)
{
    struct picture p;
    struct err err;

    assert_int_equal(picture_decode(&p, bytes, n, "some.jpg", &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.text, "some.jpg"));
    if (strstr(err.text, said) == NULL)
        fail_msg("expected `%s` in: %s", said, err.text);
}

static void
what_cannot_be_taken_is_said_in_words(void **state)
{
    static const uint8_t grey = 7;
    struct buf file = {0};

    (void)state;
    expect_refused("GIF89a", 6, "neither a JPEG nor a PNG");
    expect_refused("", 0, "neither a JPEG nor a PNG");
    jpeg_file_flat(&file, 1, PICTURE_MAX_SIDE + 1, 1, &grey);
    expect_refused(file.data, file.len, "4097x1 pixels");
    buf_release(&file);
}

static void
a_written_png_is_read_again(void **state)
{
    const uint8_t rgb[2 * 2 * 3] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const uint8_t planes[] = {1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12};
    char *path = file_join(folder.path, "w.png");
    struct picture p;
    struct err err;

    (void)state;
    assert_int_equal(picture_write_png(path, rgb, 2, 2, &err), 0);
    assert_int_equal(picture_read(&p, path, &err), 0);
    assert_memory_equal(p.planes, planes, sizeof planes);
    picture_release(&p);
    free(path);
    assert_int_equal(picture_read(&p, "/no/such.png", &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_have_pillows_pixels),
        cmocka_unit_test(every_picture_that_ends_early_is_refused),
        cmocka_unit_test(changed_bytes_never_do_harm),
        cmocka_unit_test(what_cannot_be_taken_is_said_in_words),
        cmocka_unit_test(a_written_png_is_read_again),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
