/* The pre-scan and the cursor, apart from any message. */
#include "shared/wire/codec.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
only_one_whole_bounded_value_passes_the_scan(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        bool good;
    } cases[] = {
        {"", 0, false},
        {"\x93\x01\x02\x03", 4, true},
        {"\x93\x01\x02", 3, false},                /* an item is missing */
        {"\x01\x02", 2, false},                    /* two values */
        {"\x82\xa1\x61\x01\xa1\x62\xc0", 7, true}, /* a map */
        {"\xc1", 1, false},                        /* never used */
        {"\xd4\x01\x00", 3, false},                /* an extension */
        {"\xdd\xff\xff\xff\xff", 5, false},        /* 4 G items declared */
        {"\xdd\x0f\xff\xff\xff", 5, false},        /* 8 GB for a naive decoder */
        {"\xdf\xff\xff\xff\xff", 5, false},        /* a map of as many */
        {"\xdb\x7f\xff\xff\xff", 5, false},        /* 2 GB of text declared */
        {"\xc6\x00\x00\x00\x02\x01", 6, false},    /* bytes cut */
        {"\xcb\x00\x00", 3, false},                /* a number cut */
        {"\xd9", 1, false},                        /* a length cut */
        {"\xd9\x02\x61\x62", 4, true},
        {"\x90", 1, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (codec_check(cases[i].bytes, cases[i].n) != cases[i].good)
            fail_msg("case %zu", i);
}

static void
depth_and_number_of_items_are_bounded(void **state)
{
    unsigned char nest[64];
    const size_t n = CODEC_MAX_ITEMS + 10;
    unsigned char *wide = malloc(n + 5);

    (void)state;
    memset(nest, 0x91, sizeof nest); /* [[[[... */
    nest[CODEC_MAX_DEPTH] = 0xc0;
    assert_true(codec_check(nest, CODEC_MAX_DEPTH + 1));
    nest[CODEC_MAX_DEPTH] = 0x91;
    nest[CODEC_MAX_DEPTH + 1] = 0xc0;
    assert_false(codec_check(nest, CODEC_MAX_DEPTH + 2));
    wide[0] = 0xdd;
    for (int i = 0; i < 4; i++)
        wide[1 + i] = (unsigned char)(n >> (24 - 8 * i));
    memset(wide + 5, 0, n);
    assert_false(codec_check(wide, n + 5));
    free(wide);
}

static void
integers_of_every_width_come_back(void **state)
{
    static const int64_t values[] = {
        0,         1,        127,    128,       255,       256,
        65535,     65536,    -1,     -32,       -33,       -128,
        -129,      -32768,   -32769, INT32_MAX, INT32_MIN, (int64_t)UINT32_MAX,
        INT64_MAX, INT64_MIN};
    enum { COUNT = sizeof values / sizeof values[0] };
    struct codec_reader r;
    struct buf b = {0};

    (void)state;
    codec_put_array(&b, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        codec_put_int(&b, values[i]);
    assert_true(codec_check(b.data, b.len));
    codec_reader_init(&r, b.data, b.len);
    assert_int_equal(codec_open(&r), COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(codec_read_int(&r), values[i]);
    codec_close(&r);
    assert_false(r.failed);
    buf_release(&b);
}

static void
reals_take_integers_and_single_precision(void **state)
{
    static const char bytes[] = "\x93\x07\xca\x3f\x80\x00\x00\xcb\x3f\xe0\0\0\0\0\0\0";
    struct codec_reader r;

    (void)state;
    assert_true(codec_check(bytes, sizeof bytes - 1));
    codec_reader_init(&r, bytes, sizeof bytes - 1);
    codec_open(&r);
    assert_true(codec_read_real(&r) == 7);
    assert_true(codec_read_real(&r) == 1);
    assert_true(codec_read_real(&r) == 0.5);
    assert_false(r.failed);
    codec_close(&r);
}

static void
the_first_failure_sticks(void **state)
{
    struct codec_reader r;
    struct arena mem = {0};
    struct buf b = {0};

    (void)state;
    codec_put_array(&b, 2);
    codec_put_text(&b, "x", 10);
    codec_put_int(&b, 7);
    codec_reader_init(&r, b.data, b.len);
    codec_open(&r);
    assert_int_equal(codec_read_int(&r), 0);
    assert_true(r.failed);
    assert_int_equal(codec_read_int(&r), 0); /* though a 7 is there */
    assert_string_equal(codec_read_text(&r, 10, &mem), "");
    codec_close(&r);
    buf_release(&b);
    arena_release(&mem);
}

static void
a_number_beyond_63_bits_is_no_integer(void **state)
{
    static const char bytes[] = "\x91\xcf\xff\xff\xff\xff\xff\xff\xff\xff";
    struct codec_reader r;

    (void)state;
    codec_reader_init(&r, bytes, sizeof bytes - 1);
    codec_open(&r);
    assert_int_equal(codec_read_int(&r), 0);
    assert_true(r.failed);
    codec_close(&r);
}

static void
texts_are_bounded_utf8_without_nul(void **state)
{
    static const char *const bad[] = {
        "\x91\xa3\x61\x00\x62",     /* NUL inside */
        "\x91\xa2\xc0\x80",         /* overlong NUL */
        "\x91\xa3\xed\xa0\x80",     /* a surrogate */
        "\x91\xa4\xf4\x90\x80\x80", /* above U+10FFFF */
        "\x91\xa1\xe2",             /* cut */
        "\x91\xa5hello",            /* longer than the bound */
        "\x91\xc4\x01x",            /* bytes, not text */
    };
    static const size_t sizes[] = {5, 4, 5, 6, 3, 7, 4};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct codec_reader r;
        struct arena mem = {0};
        assert_true(codec_check(bad[i], sizes[i]));
        codec_reader_init(&r, bad[i], sizes[i]);
        codec_open(&r);
        assert_string_equal(codec_read_text(&r, 4, &mem), "");
        assert_true(r.failed);
        codec_close(&r);
        arena_release(&mem);
    }
}

static void
long_texts_are_cut_between_characters(void **state)
{
    struct codec_reader r;
    struct arena mem = {0};
    struct buf b = {0};

    (void)state;
    codec_put_array(&b, 2);
    codec_put_text(&b, "ab\xc3\xa9", 3);
    codec_put_text(&b, NULL, 3);
    codec_reader_init(&r, b.data, b.len);
    codec_open(&r);
    assert_string_equal(codec_read_text(&r, 3, &mem), "ab");
    assert_string_equal(codec_read_text(&r, 3, &mem), "");
    assert_false(r.failed);
    codec_close(&r);
    buf_release(&b);
    arena_release(&mem);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_one_whole_bounded_value_passes_the_scan),
        cmocka_unit_test(depth_and_number_of_items_are_bounded),
        cmocka_unit_test(integers_of_every_width_come_back),
        cmocka_unit_test(reals_take_integers_and_single_precision),
        cmocka_unit_test(the_first_failure_sticks),
        cmocka_unit_test(a_number_beyond_63_bits_is_no_integer),
        cmocka_unit_test(texts_are_bounded_utf8_without_nul),
        cmocka_unit_test(long_texts_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
