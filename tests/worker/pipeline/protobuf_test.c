/* protobuf_test.c - bytes against the examples of the encoding's own description. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/pipeline/protobuf.h"

static void
expect(struct buf *got, const char *bytes, size_t n)
{
    assert_int_equal(got->len, n);
    assert_memory_equal(got->data, bytes, n);
    buf_release(got);
}

static void
numbers_are_varints_of_seven_bits(void **state)
{
    struct buf m = {0};

    (void)state;
    pb_int(&m, 1, 150);
    expect(&m, "\x08\x96\x01", 3);
    pb_int(&m, 1, 0);
    expect(&m, "\x08\x00", 2);
    pb_int(&m, 16, 127);
    expect(&m, "\x80\x01\x7f", 3);
    pb_int(&m, 1, INT64_MAX);
    expect(&m, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10);
    pb_int(&m, 1, -2);
    expect(&m, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
}

static void
texts_and_messages_have_a_length(void **state)
{
    struct buf m = {0}, inner = {0};

    (void)state;
    pb_text(&m, 2, "testing");
    expect(&m, "\x12\x07testing", 9);
    pb_bytes(&m, 2, "\0\1", 2);
    expect(&m, "\x12\x02\x00\x01", 4);
    pb_int(&inner, 1, 150);
    pb_message(&m, 3, &inner);
    assert_int_equal(inner.len, 0);
    expect(&m, "\x1a\x03\x08\x96\x01", 5);
    pb_message(&m, 3, &inner);
    expect(&m, "\x1a\x00", 2);
}

static void
floats_are_four_bytes(void **state)
{
    struct buf m = {0};

    (void)state;
    pb_float(&m, 2, 1.0f);
    expect(&m, "\x15\x00\x00\x80\x3f", 5);
}

static void
long_contents_have_long_lengths(void **state)
{
    static char zeros[300];
    struct buf m = {0};

    (void)state;
    pb_bytes(&m, 1, zeros, sizeof zeros);
    assert_int_equal(m.len, 3 + sizeof zeros);
    assert_memory_equal(m.data, "\x0a\xac\x02", 3);
    buf_release(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_varints_of_seven_bits),
        cmocka_unit_test(texts_and_messages_have_a_length),
        cmocka_unit_test(floats_are_four_bytes),
        cmocka_unit_test(long_contents_have_long_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
