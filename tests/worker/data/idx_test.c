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
#include "worker/data/idx.h"

/* A (2,3,4) file: header of 16 bytes, then 0..23. */
enum { NDIM = 3, HEADER = 16, PAYLOAD = 24, WHOLE = HEADER + PAYLOAD };
static const int64_t dims[NDIM] = {2, 3, 4};

static void
make_whole(uint8_t whole[WHOLE])
{
    static const uint8_t header[HEADER] = {0, 0, 8, 3, 0, 0, 0, 2,
                                           0, 0, 0, 3, 0, 0, 0, 4};

    memcpy(whole, header, HEADER);
    for (int i = 0; i < PAYLOAD; i++)
        whole[HEADER + i] = (uint8_t)i;
}

static void
expect_refused(const char *path, const char *said)
{
    uint8_t *out = (uint8_t *)path;
    struct err err;

    assert_int_equal(idx_read(&out, path, NDIM, dims, &err), -1);
    assert_null(out);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.text, path));
    if (strstr(err.text, said) == NULL)
        fail_msg("expected `%s` in: %s", said, err.text);
}

static void
plain_and_gzipped_files_are_read(void **state)
{
    uint8_t whole[WHOLE], *out;
    struct err err;

    (void)state;
    make_whole(whole);
    for (int zipped = 0; zipped < 2; zipped++) {
        const char *path = folder_write(&folder, "a", whole, WHOLE, zipped);
        assert_int_equal(idx_read(&out, path, NDIM, dims, &err), 0);
        assert_memory_equal(out, whole + HEADER, PAYLOAD);
        mem_large_free(out);
    }
}

static void
a_plain_file_cut_anywhere_is_refused(void **state)
{
    uint8_t whole[WHOLE];

    (void)state;
    make_whole(whole);
    for (size_t n = 0; n < WHOLE; n++)
        expect_refused(folder_write(&folder, "a", whole, n, 0), "truncated");
}

static void
a_gzipped_file_cut_anywhere_is_refused(void **state)
{
    uint8_t whole[WHOLE];
    struct buf zipped = {0};
    struct err err;

    (void)state;
    make_whole(whole);
    assert_int_equal(
        file_read(&zipped, folder_write(&folder, "a", whole, WHOLE, 1), &err), 0);
    assert_true(zipped.len > 20);
    for (size_t n = 0; n < zipped.len; n++)
        expect_refused(folder_write(&folder, "b", zipped.data, n, 0), "offset");
    buf_release(&zipped);
}

static void
a_flipped_bit_in_a_gzip_stream_is_noticed(void **state)
{
    uint8_t whole[WHOLE], *out;
    struct buf zipped = {0};
    struct err err;

    (void)state;
    make_whole(whole);
    assert_int_equal(
        file_read(&zipped, folder_write(&folder, "a", whole, WHOLE, 1), &err), 0);
    for (size_t i = 10; i < zipped.len; i++) { /* behind the gzip header */
        zipped.data[i] ^= 4;
        const char *path = folder_write(&folder, "b", zipped.data, zipped.len, 0);
        assert_int_equal(idx_read(&out, path, NDIM, dims, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        zipped.data[i] ^= 4;
    }
    buf_release(&zipped);
}

static void
bytes_behind_the_end_are_refused(void **state)
{
    uint8_t longer[WHOLE + 1] = {0};

    (void)state;
    make_whole(longer);
    expect_refused(folder_write(&folder, "a", longer, sizeof longer, 0),
                   "expected the end of the file at offset 40");
}

static void
every_wrong_header_byte_is_refused_with_its_offset(void **state)
{
    static const char *const said[HEADER] = {
        "offset 0:", "offset 0:", "offset 0:",  "offset 0:", "offset 4:", "offset 4:",
        "offset 4:", "offset 4:", "offset 8:",  "offset 8:", "offset 8:", "offset 8:",
        "offset 12", "offset 12", "offset 12:", "offset 12:"};
    uint8_t whole[WHOLE];

    (void)state;
    for (int i = 0; i < HEADER; i++) {
        make_whole(whole);
        whole[i] ^= 0xff;
        expect_refused(folder_write(&folder, "a", whole, WHOLE, 0), said[i]);
    }
}

static void
random_bytes_are_refused(void **state)
{
    uint8_t noise[64];

    (void)state;
    srand(7);
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)rand();
        if (round % 2 == 0)
            memcpy(noise, "\x1f\x8b\x08\0", 4); /* as if gzipped */
        expect_refused(folder_write(&folder, "a", noise, (size_t)round % 65, 0), "");
    }
}

static void
a_missing_file_is_an_error_of_the_data(void **state)
{
    (void)state;
    expect_refused("/nowhere/idx", "No such file");
}

static void
the_digest_is_of_the_decompressed_bytes(void **state)
{
    uint8_t whole[WHOLE];
    struct sha256 digest;
    struct err err;
    int64_t size;

    (void)state;
    make_whole(whole);
    const char *path = folder_write(&folder, "a", whole, WHOLE, 1);
    assert_int_equal(idx_digest(&digest, &size, path, WHOLE, &err), 0);
    assert_int_equal(size, WHOLE);
    assert_string_equal(digest.hex, sha256_bytes(whole, WHOLE).hex);
    assert_int_equal(idx_digest(&digest, &size, path, WHOLE - 1, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_gzipped_files_are_read),
        cmocka_unit_test(a_plain_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_gzipped_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_flipped_bit_in_a_gzip_stream_is_noticed),
        cmocka_unit_test(bytes_behind_the_end_are_refused),
        cmocka_unit_test(every_wrong_header_byte_is_refused_with_its_offset),
        cmocka_unit_test(random_bytes_are_refused),
        cmocka_unit_test(a_missing_file_is_an_error_of_the_data),
        cmocka_unit_test(the_digest_is_of_the_decompressed_bytes),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
