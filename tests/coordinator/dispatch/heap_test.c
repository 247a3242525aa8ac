/* The order in which ready jobs are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/dispatch/heap.h"

static void
items_come_out_by_key_then_id(void **state)
{
    struct heap h = {0};
    uint64_t random = 7;
    struct heap_item last = {.key = INT64_MIN};

    (void)state;
    assert_null(heap_top(&h));
    for (int i = 0; i < 5000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        heap_push(&h, (struct heap_item){.key = (int64_t)(random >> 58), .id = i});
    }
    for (int i = 0; i < 5000; i++) {
        const struct heap_item item = heap_pop(&h);
        assert_true(last.key < item.key || (last.key == item.key && last.id < item.id));
        last = item;
    }
    assert_null(heap_top(&h));
    heap_release(&h);
}

static void
spans_are_forgotten_and_the_order_stays(void **state)
{
    const struct job_span spans[] = {{-5, 3}, {10, 10}, {90, 200}};
    struct heap h = {0};
    int64_t n = 0;

    (void)state;
    for (int64_t i = 0; i < 100; i++)
        heap_push(&h, (struct heap_item){.key = i * 37 % 100, .id = i});
    heap_forget(&h, spans, sizeof spans / sizeof spans[0]);
    for (int64_t last = -1; heap_top(&h) != NULL; n++) {
        const struct heap_item item = heap_pop(&h);
        assert_true(item.id > 3 && item.id != 10 && item.id < 90);
        assert_true(item.key > last);
        last = item.key;
    }
    assert_int_equal(n, 100 - 4 - 1 - 10);
    heap_release(&h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_by_key_then_id),
        cmocka_unit_test(spans_are_forgotten_and_the_order_stays)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
