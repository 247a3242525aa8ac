/* safetensors_test.c - the format's bounds, one by one, and the round trip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "worker/pipeline/safetensors.h"

/* Bytes of a file with this header text (length in front) and n zero bytes of data. */
static struct buf
file_of(const char *header, size_t n)
{
    const uint64_t length = strlen(header);
    struct buf b = {0};

    buf_add(&b, &length, sizeof length);
    buf_puts(&b, header);
    for (size_t i = 0; i < n; i++)
        buf_putc(&b, '\0');
    return b;
}

static void
expect_refused(const char *header, size_t data_bytes, const char *says)
{
    struct buf b = file_of(header, data_bytes);
    struct st_file *f;
    struct err err = {0};

    assert_int_equal(st_parse(&f, b.data, b.len, "it", &err), -1);
    assert_null(f);
    assert_int_equal(err.kind, ERR_DATA);
    if (strstr(err.text, says) == NULL)
        fail_msg("`%s` does not say `%s`", err.text, says);
    buf_release(&b);
}

#define ROW(name, dtype, shape, begin, end)                   \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape \
    "],\"data_offsets\":[" begin "," end "]}"

static void
accepts_empty_tensors_scalars_and_trailing_spaces(void **state)
{
    struct buf b = file_of(
        "{" ROW("s", "F32", "", "0", "4") "," ROW("e", "U8", "0,3", "4", "4") "}  ", 4);
    struct st_file *f;
    struct err err;

    (void)state;
    assert_int_equal(st_parse(&f, b.data, b.len, "it", &err), 0);
    assert_int_equal(st_count(f), 2);
    assert_int_equal(st_find(f, "s")->count, 1);
    assert_int_equal(st_find(f, "e")->bytes, 0);
    assert_null(st_find(f, "x"));
    assert_null(st_metadata(f, "x"));
    st_free(f);
    buf_release(&b);
}

static void
refuses_what_breaks_a_rule_of_the_format(void **state)
{
    (void)state;
    expect_refused("[]", 0, "`{`");
    expect_refused("", 0, "`{`");
    expect_refused("{", 0, "header");
    expect_refused("{} x", 0, "header");
    expect_refused(
        "{" ROW("a", "F32", "1", "0", "4") "," ROW("a", "F32", "1", "4", "8") "}", 8,
        "duplicate");
    expect_refused("{" ROW("a", "F33", "1", "0", "4") "}", 4, "dtype");
    expect_refused("{" ROW("a", "F32", "1", "4", "8") "}", 8, "hole");
    expect_refused(
        "{" ROW("a", "F32", "1", "0", "4") "," ROW("b", "F32", "1", "8", "12") "}", 12,
        "hole");
    expect_refused(
        "{" ROW("a", "F32", "2", "0", "8") "," ROW("b", "F32", "1", "4", "8") "}", 8,
        "overlaps");
    expect_refused("{" ROW("a", "F32", "1", "0", "4") "}", 5, "no tensor");
    expect_refused("{" ROW("a", "F32", "2", "0", "8") "}", 4, "outside");
    expect_refused("{" ROW("a", "F32", "1", "4", "0") "}", 4, "outside");
    expect_refused("{" ROW("a", "F32", "1", "-4", "0") "}", 4, "outside");
    expect_refused("{" ROW("a", "F32", "2", "0", "4") "}", 4, "shape needs");
    expect_refused("{" ROW("a", "F32", "-1", "0", "4") "}", 4, "shape");
    expect_refused("{" ROW("a", "F32", "1.5", "0", "4") "}", 4, "shape");
    expect_refused("{" ROW("a", "F32", "4611686018427387904,4", "0", "4") "}", 4,
                   "shape");
    expect_refused("{" ROW("a", "F64", "4611686018427387904", "0", "4") "}", 4, "size");
    expect_refused("{" ROW("a", "U8", "1,1,1,1,1,1,1,1,1", "0", "1") "}", 1, "shape");
    expect_refused("{" ROW("a", "F32", "99999999999999999999", "0", "4") "}", 4,
                   "header");
    expect_refused("{\"a\":1}", 0, "must have");
    expect_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1],"
                   "\"more\":1}}",
                   1, "must have");
    expect_refused("{\"__metadata__\":{\"a\":1}}", 0, "__metadata__");
    expect_refused("{\"__metadata__\":[]}", 0, "__metadata__");
}

static void
refuses_a_header_longer_than_the_file(void **state)
{
    const uint64_t lengths[] = {3, 100000001, UINT64_MAX, UINT64_MAX - 7};
    struct st_file *f;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct buf b = file_of("{}", 0);
        memcpy(b.data, &lengths[i], sizeof lengths[i]);
        assert_int_equal(st_parse(&f, b.data, b.len, "it", &err), -1);
        assert_non_null(strstr(err.text, "does not fit"));
        buf_release(&b);
    }
}

/* ---- round trip ------------------------------------------------------------------ */

static const float weight[6] = {1, 2, 3, -4, 5.5f, 1e-30f};
static const int64_t batches = 7;
static const uint8_t mask[3] = {1, 0, 1};

static void
write_sample(const char *path)
{
    struct st_writer *w = st_writer_new();
    struct err err;

    st_writer_add(w, "mask.0", ST_U8, (int64_t[]){3, 1, 1}, 3, mask);
    st_writer_add(w, "conv1.weight", ST_F32, (int64_t[]){3, 2}, 2, weight);
    st_writer_add(w, "bn1.num_batches_tracked", ST_I64, NULL, 0, &batches);
    st_writer_metadata(w, "format", "pt");
    assert_int_equal(st_writer_save(w, path, &err), 0);
    st_writer_free(w);
}

static void
what_is_written_is_read_back(void **state)
{
    const char *path = *state;
    const float *values;
    struct st_file *f;
    struct err err;

    write_sample(path);
    assert_int_equal(st_read(&f, path, &err), 0);
    assert_int_equal(st_count(f), 3);
    assert_string_equal(st_at(f, 0)->name, "bn1.num_batches_tracked");
    assert_string_equal(st_at(f, 2)->name, "mask.0");
    assert_string_equal(st_metadata(f, "format"), "pt");
    assert_int_equal(st_need_f32(&values, f, "conv1.weight", 6, &err), 0);
    assert_memory_equal(values, weight, sizeof weight);
    assert_memory_equal(st_find(f, "mask.0")->data, mask, sizeof mask);
    assert_memory_equal(st_find(f, "bn1.num_batches_tracked")->data, &batches, 8);
    assert_int_equal(st_find(f, "conv1.weight")->dims[0], 3);
    st_free(f);
}

static void
asking_for_the_wrong_tensor_names_it(void **state)
{
    const char *path = *state;
    const float *values;
    struct st_file *f;
    struct err err;

    write_sample(path);
    assert_int_equal(st_read(&f, path, &err), 0);
    assert_int_equal(st_need_f32(&values, f, "conv2.weight", 6, &err), -1);
    assert_non_null(strstr(err.text, "conv2.weight"));
    assert_int_equal(st_need_f32(&values, f, "conv1.weight", 7, &err), -1);
    assert_non_null(strstr(err.text, "6 F32"));
    assert_int_equal(st_need_f32(&values, f, "mask.0", 3, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    st_free(f);
}

static void
a_file_cut_at_any_byte_is_refused(void **state)
{
    const char *path = *state;
    struct buf bytes = {0};
    struct st_file *f;
    struct err err;

    write_sample(path);
    assert_int_equal(file_read(&bytes, path, &err), 0);
    for (size_t n = 0; n < bytes.len; n++) {
        char *copy = malloc(n + 1); /* its own block, so that overreads are seen */
        memcpy(copy, bytes.data, n);
        assert_int_equal(st_parse(&f, copy, n, "cut", &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        free(copy);
    }
    buf_release(&bytes);
}

static void
any_changed_byte_is_refused_or_harmless(void **state)
{
    const char *path = *state;
    struct buf bytes = {0};
    struct st_file *f;
    struct err err;

    write_sample(path);
    assert_int_equal(file_read(&bytes, path, &err), 0);
    for (size_t i = 0; i < bytes.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[i] ^= (char)(1 << bit);
            if (st_parse(&f, bytes.data, bytes.len, "flipped", &err) == 0)
                st_free(f);
            bytes.data[i] ^= (char)(1 << bit);
        }
    }
    buf_release(&bytes);
}

static void
equal_contents_give_equal_bytes_whatever_the_order(void **state)
{
    const char *path = *state;
    struct buf a = {0}, b = {0};
    struct st_writer *w = st_writer_new();
    struct err err;

    write_sample(path);
    assert_int_equal(file_read(&a, path, &err), 0);
    st_writer_metadata(w, "format", "pt");
    st_writer_add(w, "bn1.num_batches_tracked", ST_I64, NULL, 0, &batches);
    st_writer_add(w, "conv1.weight", ST_F32, (int64_t[]){3, 2}, 2, weight);
    st_writer_add(w, "mask.0", ST_U8, (int64_t[]){3, 1, 1}, 3, mask);
    assert_int_equal(st_writer_save(w, path, &err), 0);
    assert_int_equal(file_read(&b, path, &err), 0);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    st_writer_free(w);
    buf_release(&a);
    buf_release(&b);
}

static void
two_tensors_of_one_name_are_not_written(void **state)
{
    struct st_writer *w = st_writer_new();
    struct err err;

    st_writer_add(w, "a", ST_U8, NULL, 0, mask);
    st_writer_add(w, "a", ST_U8, NULL, 0, mask);
    assert_int_equal(st_writer_save(w, *state, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
    st_writer_free(w);
}

static void
a_missing_file_is_named(void **state)
{
    struct st_file *f;
    struct err err;

    (void)state;
    assert_int_equal(st_read(&f, "no-such-file.safetensors", &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.text, "no-such-file.safetensors"));
}

static int
make_path(void **state)
{
    static char path[] = "safetensors_test_XXXXXX";
    const int fd = mkstemp(path);

    if (fd < 0)
        return -1;
    close(fd);
    *state = path;
    return 0;
}

static int
remove_path(void **state)
{
    return unlink(*state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_empty_tensors_scalars_and_trailing_spaces),
        cmocka_unit_test(refuses_what_breaks_a_rule_of_the_format),
        cmocka_unit_test(refuses_a_header_longer_than_the_file),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(asking_for_the_wrong_tensor_names_it),
        cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
        cmocka_unit_test(any_changed_byte_is_refused_or_harmless),
        cmocka_unit_test(equal_contents_give_equal_bytes_whatever_the_order),
        cmocka_unit_test(two_tensors_of_one_name_are_not_written),
        cmocka_unit_test(a_missing_file_is_named),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
