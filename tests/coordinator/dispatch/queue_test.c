/* Ready jobs by class: needs, limits, and what happens when the rules change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coordinator/dispatch/queue.h"

static const struct needs_worker plain = {.memory_bytes = 8, .threads = 2};

static int
new_queue(void **state)
{
    *state = queue_new();
    return 0;
}

static int
free_queue(void **state)
{
    queue_free(*state);
    return 0;
}

static void
push(struct queue *q, int64_t class, int64_t id, int64_t key)
{
    queue_push(q, class, (struct heap_item){.id = id, .key = key});
}

/* Id of the job that the worker gets, which then runs; 0: none. */
static int64_t
take(struct queue *q, const struct needs_worker *w)
{
    struct heap_item item;
    int64_t class;

    if (!queue_take(q, w, &item, &class))
        return 0;
    queue_count_running(q, class, 1);
    return item.id;
}

static void
the_first_of_all_classes_is_taken(void **state)
{
    struct queue *q = *state;
    struct rules_class c = {.id = 1};

    queue_set_rules(q, &(struct rules){.classes = &c, .n_classes = 1});
    push(q, 0, 10, -1);
    push(q, 1, 11, -2);
    push(q, 0, 12, -1);
    assert_int_equal(take(q, &plain), 11);
    assert_int_equal(take(q, &plain), 10);
    assert_int_equal(take(q, &plain), 12);
    assert_int_equal(take(q, &plain), 0);
}

static void
a_limit_counts_what_runs_in_all_of_its_classes(void **state)
{
    struct queue *q = *state;
    struct rules_class c[] = {{.id = 1, .limits = {7}, .n_limits = 1},
                              {.id = 2, .limits = {7, 8}, .n_limits = 2}};
    struct rules_limit l[] = {{7, 2}, {8, 1}};

    queue_set_rules(
        q, &(struct rules){.classes = c, .n_classes = 2, .limits = l, .n_limits = 2});
    for (int64_t id = 1; id <= 3; id++)
        push(q, 2, id, 0);
    push(q, 1, 4, 0);
    push(q, 0, 5, 0);
    assert_int_equal(take(q, &plain), 1);
    assert_int_equal(take(q, &plain), 4); /* 8 is reached, 7 is not */
    assert_int_equal(take(q, &plain), 5); /* 7 is reached */
    assert_false(queue_may_give(q));
    const int64_t before = queue_version(q);
    queue_count_running(q, 2, -1);
    assert_true(queue_version(q) > before);
    assert_int_equal(take(q, &plain), 2);
}

static void
a_limit_of_none_stops_and_a_removed_one_does_not(void **state)
{
    struct queue *q = *state;
    struct rules_class c = {.id = 1, .limits = {7}, .n_limits = 1};
    struct rules_limit l = {7, 0};

    push(q, 1, 1, 0);
    queue_set_rules(
        q, &(struct rules){.classes = &c, .n_classes = 1, .limits = &l, .n_limits = 1});
    assert_false(queue_may_give(q));
    queue_set_rules(q, &(struct rules){.classes = &c, .n_classes = 1});
    assert_int_equal(take(q, &plain), 1);
}

static void
a_class_that_nobody_told_about_waits(void **state)
{
    struct queue *q = *state;
    struct rules_class c = {.id = 5};

    push(q, 5, 1, 0);
    assert_int_equal(take(q, &plain), 0);
    queue_set_rules(q, &(struct rules){.classes = &c, .n_classes = 1});
    assert_int_equal(take(q, &plain), 1);
}

static void
needs_are_met_one_by_one(void **state)
{
    static const struct {
        struct rules_class needs;
        struct needs_worker has;
        const char *missing;
    } cases[] = {
        {{0}, {0}, NULL},
        {{.memory_bytes = 8}, {.memory_bytes = 8}, NULL},
        {{.memory_bytes = 9}, {.memory_bytes = 8}, "memory"},
        {{.memory_bytes = 1}, {0}, "memory"},
        {{.threads = 4}, {.threads = 3}, "threads"},
        {{.backend = "dnnl"}, {.backend = "blas"}, "backend"},
        {{.backend = "dnnl"}, {.backend = "dnnl"}, NULL},
        {{.labels = "big"}, {.labels = "bigger,fast"}, "labels"},
        {{.labels = "big,fast"}, {.labels = "fast,x,big"}, NULL},
        {{.labels = "big,fast"}, {.labels = "fast"}, "labels"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *missing = needs_missing(&cases[i].needs, &cases[i].has);
        if (cases[i].missing == NULL)
            assert_null(missing);
        else
            assert_string_equal(missing, cases[i].missing);
    }
}

static void
a_job_goes_to_the_worker_that_can_do_it(void **state)
{
    struct queue *q = *state;
    struct rules_class c = {.id = 1, .memory_bytes = 100};
    const struct needs_worker large = {.memory_bytes = 100};

    queue_set_rules(q, &(struct rules){.classes = &c, .n_classes = 1});
    push(q, 1, 1, -5); /* first, but not for everyone */
    push(q, 0, 2, 0);
    assert_int_equal(take(q, &plain), 2);
    assert_int_equal(take(q, &plain), 0);
    assert_int_equal(take(q, &large), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, new_queue, free_queue)
        TEST(the_first_of_all_classes_is_taken),
        TEST(a_limit_counts_what_runs_in_all_of_its_classes),
        TEST(a_limit_of_none_stops_and_a_removed_one_does_not),
        TEST(a_class_that_nobody_told_about_waits),
        TEST(needs_are_met_one_by_one),
        TEST(a_job_goes_to_the_worker_that_can_do_it),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
