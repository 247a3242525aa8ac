/* The small parts of shared/base: err, buf, arena, json, sha256, file, args. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/args.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/file.h"
#include "shared/base/json.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

/* ---- err -------------------------------------------------------------------------- */

static void
an_error_reads_outermost_first(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(err_set(&err, ERR_DATA, "no `%s`", "x"), -1);
    assert_int_equal(err_wrap(&err, "file %d", 3), -1);
    assert_string_equal(err.text, "file 3: no `x`");
    assert_int_equal(err.kind, ERR_DATA);
    errno = ENOSPC;
    err_sys(&err, "write %s", "f");
    assert_string_equal(err.text, "write f: No space left on device");
    assert_int_equal(err.kind, ERR_SYS);
}

static void
long_errors_are_cut_and_terminated(void **state)
{
    char text[3000];
    struct err err;

    (void)state;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    err_set(&err, ERR_DATA, "%s", text);
    err_wrap(&err, "%s", text);
    err_wrap(&err, "outer");
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_memory_equal(err.text, "outer: aaa", 10);
}

static void
kinds_names_and_exit_codes_belong_together(void **state)
{
    (void)state;
    for (int k = 0; k < ERR_KIND_COUNT; k++) {
        const enum err_kind kind = (enum err_kind)k;
        assert_int_equal(err_kind_find(err_kind_name(kind)), kind);
        assert_int_equal(err_kind_from_exit(err_kind_exit(kind)), kind);
    }
    assert_int_equal(err_kind_find("nonsense"), ERR_BUG);
    assert_int_equal(err_kind_from_exit(77), ERR_BUG);
}

/* ---- buf and arena ---------------------------------------------------------------- */

static void
a_buffer_grows_is_dropped_from_and_taken(void **state)
{
    struct buf b = {0};

    (void)state;
    assert_string_equal(buf_str(&b), "");
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%03d,", i);
    assert_int_equal(b.len, 4000);
    buf_drop(&b, 3992);
    assert_string_equal(buf_str(&b), "998,999,");
    buf_drop(&b, 100);
    assert_int_equal(b.len, 0);
    buf_add(&b, "a\0b", 3);
    buf_putc(&b, 'c');
    char *taken = buf_take(&b);
    assert_memory_equal(taken, "a\0bc", 5);
    assert_int_equal(b.len, 0);
    free(taken);
    buf_release(&b);
}

static void
arena_memory_is_zeroed_and_aligned(void **state)
{
    struct arena a = {0};

    (void)state;
    for (size_t size = 1; size < 100000; size = size * 3 + 1) {
        char *p = arena_alloc(&a, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    arena_release(&a);
    assert_null(a.head);
}

/* ---- json ------------------------------------------------------------------------- */

static void
canonical_json_does_not_depend_on_spelling(void **state)
{
    static const char *const pairs[][2] = {
        {"{\"b\":1,\"a\":[true,null]}", "{\"a\":[true,null],\"b\":1}"},
        {"0.1", "0.1"},
        {"1e-1", "0.1"},
        {"1.0", "1.0"},
        {"100000000000000000000.0", "1e+20"},
        {"-0.0", "0.0"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"\"caf\xc3\xa9\\n\"", "\"caf\\u00E9\\n\""},
        {"{}", "{}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        json_t *v;
        struct err err;
        assert_int_equal(json_parse(&v, pairs[i][0], strlen(pairs[i][0]), "t", &err),
                         0);
        char *text = json_canonical(v);
        assert_string_equal(text, pairs[i][1]);
        free(text);
        json_decref(v);
    }
}

static void
json_errors_say_where(void **state)
{
    static const char *const bad[] = {"{\"a\":1,\"a\":2}", "{\"a\":", "", "[1,]",
                                      "nan"};
    json_t *v;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(json_parse(&v, bad[i], strlen(bad[i]), "here", &err), -1);
        assert_null(v);
        assert_memory_equal(err.text, "here:", 5);
    }
    char deep[5000];
    memset(deep, '[', sizeof deep);
    assert_int_equal(json_parse(&v, deep, sizeof deep, "deep", &err), -1);
}

static void
needed_members_are_checked_by_type(void **state)
{
    json_t *v = json_pack("{s:s, s:i}", "s", "text", "i", 7);
    const char *s;
    int64_t i;
    struct err err;

    (void)state;
    assert_int_equal(json_need_string(&s, v, "s", "x", &err), 0);
    assert_int_equal(json_need_int(&i, v, "i", "x", &err), 0);
    assert_int_equal(i, 7);
    assert_int_equal(json_need_string(&s, v, "i", "x", &err), -1);
    assert_int_equal(json_need_int(&i, v, "none", "x", &err), -1);
    assert_string_equal(err.text, "x: key `none` is missing");
    json_decref(v);
}

/* ---- sha256 and files ------------------------------------------------------------- */

static void
digests_are_those_of_fips_180(void **state)
{
    struct sha256_stream *stream = sha256_stream_new();

    (void)state;
    assert_string_equal(
        sha256_bytes("abc", 3).hex,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_stream_add(stream, "a", 1);
    sha256_stream_add(stream, "bc", 2);
    assert_string_equal(sha256_stream_end(stream).hex, sha256_bytes("abc", 3).hex);
    assert_true(sha256_is_hex(sha256_bytes("", 0).hex));
    assert_false(sha256_is_hex("abc"));
    assert_false(sha256_is_hex(
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"));
}

static void
files_are_written_whole_and_read_back(void **state)
{
    char dir[] = "/tmp/relusweep-file-XXXXXX";
    struct buf text = {0};
    struct sha256 sha;
    struct err err;
    size_t size;

    (void)state;
    assert_non_null(mkdtemp(dir));
    char *deep = xasprintf("%s/a/b", dir), *path = file_join(deep, "f");
    assert_int_equal(file_make_dirs(deep, &err), 0);
    assert_int_equal(file_make_dirs(deep, &err), 0);
    assert_int_equal(file_write(path, "one", 3, &err), 0);
    assert_int_equal(file_write(path, "two!", 4, &err), 0);
    assert_int_equal(file_read(&text, path, &err), 0);
    assert_string_equal(buf_str(&text), "two!");
    assert_int_equal(sha256_file(&sha, &size, path, &err), 0);
    assert_int_equal(size, 4);
    assert_string_equal(sha.hex, sha256_bytes("two!", 4).hex);
    const struct file_part parts[] = {{" th", 3}, {NULL, 0}, {"ree", 3}};
    assert_int_equal(file_write_parts(path, parts, 3, &err), 0);
    assert_int_equal(file_read(&text, path, &err), 0);
    assert_string_equal(buf_str(&text), "two! three");
    assert_int_equal(file_remove_tree(dir, &err), 0);
    assert_int_equal(file_remove_tree(dir, &err), 0);
    assert_int_equal(file_read(&text, path, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.text, path));
    buf_release(&text);
    free(deep);
    free(path);
}

/* ---- args ------------------------------------------------------------------------- */

struct options {
    const char *state_dir, *set;
    int64_t workers;
    bool json;
};
static const struct param options[] = {
    PARAM_ROW_STRING(struct options, state_dir, "here", "folder"),
    PARAM_ROW_STRING(struct options, set, "", "overrides"),
    PARAM_ROW_INT(struct options, workers, "1", 1, 64, "how many"),
    PARAM_ROW_BOOL(struct options, json, "false", "as JSON"),
};

static int
parse(struct options *o, struct args *a, struct err *err, int argc, char **argv)
{
    return args_parse(a, options, 4, o, argc, argv, "set", err);
}

static void
the_one_short_option_is_that_of_out(void **state)
{
    struct out {
        const char *out;
    } o;
    static const struct param rows[] = {PARAM_ROW_STRING(struct out, out, "", "file")};
    char *argv[] = {(char *)"p", (char *)"-o", (char *)"x", (char *)"-q"};
    struct args a;
    struct err err;

    (void)state;
    assert_int_equal(args_parse(&a, rows, 1, &o, 4, argv, NULL, &err), 0);
    assert_string_equal(o.out, "x");
    assert_string_equal(a.words[0], "-q");
    assert_string_equal(args_short(&rows[0]), "-o, ");
    assert_string_equal(args_short(&options[0]), "");
    args_release(&a);
}

static void
options_and_words_are_told_apart(void **state)
{
    char *argv[] = {(char *)"p",         (char *)"file", (char *)"--state-dir=x",
                    (char *)"--set",     (char *)"a=1",  (char *)"--json",
                    (char *)"--set=b=2", (char *)"--",   (char *)"--workers"};
    struct options o;
    struct args a;
    struct err err;

    (void)state;
    assert_int_equal(parse(&o, &a, &err, 9, argv), 0);
    assert_int_equal(a.n_words, 2);
    assert_string_equal(a.words[0], "file");
    assert_string_equal(a.words[1], "--workers");
    assert_string_equal(o.state_dir, "x");
    assert_string_equal(o.set, "a=1\nb=2");
    assert_int_equal(o.workers, 1);
    assert_true(o.json);
    args_release(&a);
}

static void
wrong_options_are_refused_with_help(void **state)
{
    char *unknown[] = {(char *)"p", (char *)"--state-dri", (char *)"x"};
    char *bare[] = {(char *)"p", (char *)"--workers"};
    char *many[] = {(char *)"p", (char *)"--workers", (char *)"65"};
    struct options o;
    struct args a;
    struct err err;

    (void)state;
    assert_int_equal(parse(&o, &a, &err, 3, unknown), -1);
    assert_non_null(strstr(err.text, "did you mean --state-dir?"));
    assert_int_equal(parse(&o, &a, &err, 2, bare), -1);
    assert_non_null(strstr(err.text, "needs a value"));
    assert_int_equal(parse(&o, &a, &err, 3, many), -1);
    assert_non_null(strstr(err.text, "outside 1 .. 64"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_reads_outermost_first),
        cmocka_unit_test(long_errors_are_cut_and_terminated),
        cmocka_unit_test(kinds_names_and_exit_codes_belong_together),
        cmocka_unit_test(a_buffer_grows_is_dropped_from_and_taken),
        cmocka_unit_test(arena_memory_is_zeroed_and_aligned),
        cmocka_unit_test(canonical_json_does_not_depend_on_spelling),
        cmocka_unit_test(json_errors_say_where),
        cmocka_unit_test(needed_members_are_checked_by_type),
        cmocka_unit_test(digests_are_those_of_fips_180),
        cmocka_unit_test(files_are_written_whole_and_read_back),
        cmocka_unit_test(options_and_words_are_told_apart),
        cmocka_unit_test(the_one_short_option_is_that_of_out),
        cmocka_unit_test(wrong_options_are_refused_with_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
