/* npy_test.c - .npy files as NumPy writes them, and damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "tests/worker/data/folder.h"
#include "worker/data/npy.h"
#include "worker/data/npy_writer.h"

/* A file of this version, dictionary and numbers; its path. */
static const char *
write_bytes(int version, const char *dictionary, const uint8_t *bytes, size_t n)
{
    const size_t length = strlen(dictionary);
    struct buf b = {0};

    buf_add(&b, "\x93NUMPY", 6);
    buf_putc(&b, (char)version);
    buf_putc(&b, 0);
    buf_putc(&b, (char)(length & 255));
    buf_putc(&b, (char)(length >> 8));
    if (version == 2)
        buf_add(&b, "\0\0", 2);
    buf_add(&b, dictionary, length);
    buf_add(&b, bytes, n);
    const char *path = folder_write(&folder, "a.npy", b.data, b.len, 0);
    buf_release(&b);
    return path;
}

/* ... with the numbers 0, 1, ... */
static const char *
write_array(int version, const char *dictionary, size_t payload)
{
    static const uint8_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

    assert_in_range(payload, 0, sizeof numbers);
    return write_bytes(version, dictionary, numbers, payload);
}

#define BYTES_2_3 "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }   \n"

static void
rows_of_both_versions_are_read(void **state)
{
    static const uint8_t second_row[] = {3, 4, 5};

    (void)state;
    for (int version = 1; version <= 2; version++) {
        struct npy a;
        struct err err;
        uint8_t out[3];
        assert_int_equal(npy_open(&a, write_array(version, BYTES_2_3, 6), &err), 0);
        assert_int_equal(a.ndim, 2);
        assert_int_equal(a.dims[0], 2);
        assert_int_equal(a.dims[1], 3);
        assert_int_equal(npy_read_bytes(out, &a, 1, 1, &err), 0);
        assert_memory_equal(out, second_row, 3);
        assert_int_equal(npy_read_bytes(out, &a, 2, 1, &err), -1);
        npy_close(&a);
    }
}

static void
the_dictionary_may_have_any_order_and_quotes(void **state)
{
    struct npy a;
    struct err err;

    (void)state;
    const char *path =
        write_array(1, "{\"shape\": (6,), 'fortran_order':False,'descr': \"|u1\"}", 6);
    assert_int_equal(npy_open(&a, path, &err), 0);
    assert_int_equal(a.ndim, 1);
    assert_int_equal(a.dims[0], 6);
    npy_close(&a);
}

static void
expect_integers(const char *type, size_t payload, const int64_t *expected, int n)
{
    char *dictionary = xasprintf(
        "{'descr': '%s', 'fortran_order': False, 'shape': (%d,), }\n", type, n);
    int64_t out[8];
    struct npy a;
    struct err err;

    assert_int_equal(npy_open(&a, write_array(1, dictionary, payload), &err), 0);
    assert_int_equal(npy_read_integers(out, &a, &err), 0);
    for (int i = 0; i < n; i++)
        assert_int_equal(out[i], expected[i]);
    npy_close(&a);
    free(dictionary);
}

static void
whole_numbers_of_every_size_are_read(void **state)
{
    (void)state;
    expect_integers("|u1", 3, (int64_t[]){0, 1, 2}, 3);
    expect_integers("<i2", 4, (int64_t[]){0x0100, 0x0302}, 2);
    expect_integers("<u4", 8, (int64_t[]){0x03020100, 0x07060504}, 2);
    expect_integers("<i8", 8, (int64_t[]){0x0706050403020100}, 1);
}

static void
negative_numbers_keep_their_sign(void **state)
{
    static const uint8_t minus_two[] = {0xfe, 0xff};
    struct npy a;
    struct err err;
    int64_t out;

    (void)state;
    const char *path =
        write_bytes(1, "{'descr': '<i2', 'fortran_order': False, 'shape': (1,)}",
                    minus_two, sizeof minus_two);
    assert_int_equal(npy_open(&a, path, &err), 0);
    assert_int_equal(npy_read_integers(&out, &a, &err), 0);
    assert_int_equal(out, -2);
    npy_close(&a);
}

static void
expect_refused(const char *path, const char *said)
{
    struct npy a;
    struct err err;

    assert_int_equal(npy_open(&a, path, &err), -1);
    npy_close(&a);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.text, path));
    if (strstr(err.text, said) == NULL)
        fail_msg("expected `%s` in: %s", said, err.text);
}

#define WITH(type, order, shape) \
    "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }\n"

static void
other_arrays_are_refused_in_words(void **state)
{
    (void)state;
    expect_refused(write_array(1, WITH("<f4", "False", "(1,)"), 4), "type `<f4`");
    expect_refused(write_array(1, WITH(">i2", "False", "(1,)"), 2), "type `>i2`");
    expect_refused(write_array(1, WITH("|u1", "True", "(2, 3)"), 6), "Fortran order");
    expect_refused(write_array(3, BYTES_2_3, 6), "version 1 or 2");
    expect_refused(write_array(1, WITH("|u1", "False", "(1,1,1,1,1)"), 1),
                   "cannot be understood");
    expect_refused(write_array(1, WITH("|u1", "False", "(-1,)"), 1),
                   "cannot be understood");
    expect_refused(write_array(1, "{'descr': '|u1', 'shape': (1,)}", 1),
                   "cannot be understood");
    expect_refused(write_array(1, "{'descr': '|u1', 'evil': (1,)}", 1),
                   "cannot be understood");
    expect_refused("/no/such/file.npy", "No such file");
}

static void
sizes_that_are_not_those_of_the_file_are_refused(void **state)
{
    (void)state;
    expect_refused(write_array(1, BYTES_2_3, 5), "asks for 6 bytes");
    expect_refused(write_array(1, BYTES_2_3, 7), "asks for 6 bytes");
    expect_refused(
        write_array(1, WITH("|u1", "False", "(4294967296, 4294967296, 9)"), 7),
        "more than");
    expect_refused(write_array(1, WITH("|u1", "False", "(99999999999999999999,)"), 7),
                   "cannot be understood");
}

static void
a_file_cut_anywhere_is_refused(void **state)
{
    struct buf whole = {0};
    struct err err;

    (void)state;
    assert_int_equal(file_read(&whole, write_array(1, BYTES_2_3, 6), &err), 0);
    for (size_t n = 0; n < whole.len; n++) {
        struct npy a;
        const char *path = folder_write(&folder, "cut.npy", whole.data, n, 0);
        assert_int_equal(npy_open(&a, path, &err), -1);
        npy_close(&a);
    }
    buf_release(&whole);
}

static void
what_is_written_in_pieces_is_read_again(void **state)
{
    static const int64_t dims[] = {2, 3};
    const uint8_t bytes[] = {9, 8, 7, 6, 5, 4};
    uint8_t out[6];
    char *path = file_join(folder.path, "w.npy");
    struct npy_writer w;
    struct npy a;
    struct err err;

    (void)state;
    assert_int_equal(npy_writer_open(&w, path, 2, dims, &err), 0);
    assert_int_equal(npy_writer_add(&w, bytes, 4, &err), 0);
    assert_false(file_exists(path));
    assert_int_equal(npy_writer_add(&w, bytes + 4, 2, &err), 0);
    assert_int_equal(npy_writer_commit(&w, &err), 0);
    npy_writer_release(&w);
    assert_int_equal(npy_open(&a, path, &err), 0);
    assert_int_equal(a.offset % 64, 0);
    assert_int_equal(npy_read_bytes(out, &a, 0, 2, &err), 0);
    assert_memory_equal(out, bytes, 6);
    npy_close(&a);
    free(path);
}

static void
a_file_that_was_given_up_leaves_nothing(void **state)
{
    static const int64_t dims[] = {4};
    char *path = file_join(folder.path, "given-up.npy");
    struct npy_writer w;
    struct err err;

    (void)state;
    assert_int_equal(npy_writer_open(&w, path, 1, dims, &err), 0);
    char *tmp = strdup(w.tmp);
    assert_true(file_exists(tmp));
    npy_writer_release(&w);
    assert_false(file_exists(tmp));
    assert_false(file_exists(path));
    free(tmp);
    free(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_both_versions_are_read),
        cmocka_unit_test(the_dictionary_may_have_any_order_and_quotes),
        cmocka_unit_test(whole_numbers_of_every_size_are_read),
        cmocka_unit_test(negative_numbers_keep_their_sign),
        cmocka_unit_test(other_arrays_are_refused_in_words),
        cmocka_unit_test(sizes_that_are_not_those_of_the_file_are_refused),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(what_is_written_in_pieces_is_read_again),
        cmocka_unit_test(a_file_that_was_given_up_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
