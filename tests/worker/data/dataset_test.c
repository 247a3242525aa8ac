#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/data/dataset.h"

enum { CLASSES = 3, N = 100 };

/* 100 images without pixels: 50, 30 and 20 of three classes, mixed. */
static struct dataset
uneven(uint16_t labels[N])
{
    for (int i = 0; i < N; i++)
        labels[i] = (uint16_t)(i % 10 < 5 ? 0 : i % 10 < 8 ? 1 : 2);
    return (struct dataset){.n = N, .classes = CLASSES, .labels = labels};
}

static struct dataset_split
split(const struct dataset *d, uint64_t seed, int64_t n_train, int64_t n_val)
{
    struct dataset_split s;
    struct err err;

    if (dataset_split(&s, d, seed, n_train, n_val, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

static void
expect_classes(const struct dataset *d, const int64_t *list, int64_t n, int64_t a,
               int64_t b, int64_t c)
{
    int64_t found[CLASSES] = {0};

    for (int64_t i = 0; i < n; i++)
        found[d->labels[list[i]]]++;
    assert_int_equal(found[0], a);
    assert_int_equal(found[1], b);
    assert_int_equal(found[2], c);
}

static void
a_split_keeps_the_shares_of_the_classes(void **state)
{
    uint16_t labels[N];
    const struct dataset d = uneven(labels);
    struct dataset_split s = split(&d, 1, 40, 20);

    (void)state;
    expect_classes(&d, s.val, s.n_val, 10, 6, 4);
    expect_classes(&d, s.train, s.n_train, 20, 12, 8);
    dataset_split_release(&s);
    s = split(&d, 1, 0, 7); /* 3.5, 2.1, 1.4: the largest remainder gets the seventh */
    expect_classes(&d, s.val, s.n_val, 4, 2, 1);
    expect_classes(&d, s.train, s.n_train, 46, 28, 19);
    dataset_split_release(&s);
}

static void
the_parts_are_sorted_and_share_no_image(void **state)
{
    uint16_t labels[N];
    const struct dataset d = uneven(labels);
    struct dataset_split s = split(&d, 5, 0, 33);
    int seen[N] = {0};

    (void)state;
    assert_int_equal(s.n_train + s.n_val, N);
    for (int64_t i = 0; i < s.n_train; i++) {
        assert_true(i == 0 || s.train[i] > s.train[i - 1]);
        seen[s.train[i]]++;
    }
    for (int64_t i = 0; i < s.n_val; i++) {
        assert_true(i == 0 || s.val[i] > s.val[i - 1]);
        seen[s.val[i]]++;
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(seen[i], 1);
    dataset_split_release(&s);
}

static void
the_validation_part_depends_on_the_seed_and_not_on_the_subset(void **state)
{
    uint16_t labels[N];
    const struct dataset d = uneven(labels);
    struct dataset_split all = split(&d, 1, 0, 20), few = split(&d, 1, 10, 20);
    struct dataset_split other = split(&d, 2, 0, 20);

    (void)state;
    assert_memory_equal(all.val, few.val, 20 * sizeof *all.val);
    assert_memory_not_equal(all.val, other.val, 20 * sizeof *all.val);
    dataset_split_release(&all);
    dataset_split_release(&few);
    dataset_split_release(&other);
}

static void
asking_for_more_than_there_is_says_how_much_there_is(void **state)
{
    static const int64_t wrong[][2] = {{81, 20}, {0, 100}, {0, -1}, {1, 1000}};
    uint16_t labels[N];
    const struct dataset d = uneven(labels);
    struct dataset_split s;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(dataset_split(&s, &d, 1, wrong[i][0], wrong[i][1], &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_non_null(strstr(err.text, "100"));
        assert_null(s.train);
        assert_null(s.val);
    }
}

static void
an_unknown_name_is_an_error_that_names_the_nearest(void **state)
{
    struct dataset d;
    struct err err;

    (void)state;
    assert_int_equal(dataset_load(&d, "fashion-mnits", NULL, DATASET_TRAIN, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "did you mean `fashion-mnist`"));
}

static void
every_data_set_is_complete_and_found_by_name(void **state)
{
    (void)state;
    for (int i = 0; dataset_sources[i] != NULL; i++) {
        const struct dataset_source *s = dataset_sources[i];
        assert_ptr_equal(dataset_find(s->name), s);
        assert_non_null(s->doc);
        assert_non_null(s->source);
        assert_non_null(s->where);
        assert_non_null(s->load);
        assert_non_null(s->check);
        assert_true(s->n_train > 0 && s->n_test > 0 && s->classes > 1);
        for (int c = 0; c < 3; c++)
            assert_true(s->mean[c] >= 0 && s->mean[c] < 1 && s->std[c] > 0);
    }
    assert_null(dataset_find("no-such-set"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_split_keeps_the_shares_of_the_classes),
        cmocka_unit_test(the_parts_are_sorted_and_share_no_image),
        cmocka_unit_test(the_validation_part_depends_on_the_seed_and_not_on_the_subset),
        cmocka_unit_test(asking_for_more_than_there_is_says_how_much_there_is),
        cmocka_unit_test(an_unknown_name_is_an_error_that_names_the_nearest),
        cmocka_unit_test(every_data_set_is_complete_and_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
