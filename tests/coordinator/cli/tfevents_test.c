/* tfevents_test.c - event files against records that TensorBoard itself has written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/cli/tfevents.h"

static void
crc32c_agrees_with_rfc_3720(void **state)
{
    static const char zeros[32];

    (void)state;
    assert_int_equal(tfevents_crc32c("123456789", 9), 0xE3069283);
    assert_int_equal(tfevents_crc32c(zeros, sizeof zeros), 0x8A9136AA);
}

static void
the_first_record_is_the_one_that_tensorboard_writes(void **state)
{
    static const unsigned char want[] = {
        0x18, 0,   0,   0,   0,   0,   0,   0,    0xa3, 0x7f, 0x4b, 0x22, 0x09, 0,
        0,    0,   0,   0,   0,   0,   0,   0x1a, 0x0d, 'b',  'r',  'a',  'i',  'n',
        '.',  'E', 'v', 'e', 'n', 't', ':', '2',  0xee, 0xdf, 0x28, 0xa3};
    struct buf got = {0};

    (void)state;
    tfevents_begin(&got, 0);
    assert_int_equal(got.len, sizeof want);
    assert_memory_equal(got.data, want, sizeof want);
    buf_release(&got);
}

static void
a_scalar_has_wall_time_step_tag_and_value(void **state)
{
    static const unsigned char want[] = {
        0x09, 0,    0,    0, 0,    0, 0,   0xf8, 0x3f, 0x10, 0xac, 0x02,
        0x2a, 0x0a, 0x0a, 8, 0x0a, 1, 'a', 0x15, 0,    0,    0x20, 0x40};
    struct buf got = {0};

    (void)state;
    tfevents_scalar(&got, 1.5, 300, "a", 2.5F);
    assert_int_equal(got.len, 12 + sizeof want + 4);
    assert_memory_equal(got.data + 12, want, sizeof want);
    buf_release(&got);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_agrees_with_rfc_3720),
        cmocka_unit_test(the_first_record_is_the_one_that_tensorboard_writes),
        cmocka_unit_test(a_scalar_has_wall_time_step_tag_and_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
