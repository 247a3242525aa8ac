/* Cells -> jobs: sharing, parents across skipped stages, digests that stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/sweep/repeat.h"
#include "shared/base/clock.h"
#include "shared/spec/job.h"
#include "tests/coordinator/sweep/fixture.h"

#define HEAD "name: t\nfixed: {method: rlnet, dataset: fashion-mnist}\n"
#define GRID "grid: {relu_budget: [50k, 20k, 10k], temperature: [4, 1]}\n"

static struct dag *
build(const struct sweep *s)
{
    struct dag *d = dag_build(s);

    dag_name_jobs(d);
    return d;
}

static json_t *
spec_of(const struct dag *d, size_t job)
{
    struct buf text = {0};
    struct err err = {0};
    json_t *spec;

    dag_spec(&text, d, job);
    if (json_parse(&spec, text.data, text.len, "spec", &err) != 0)
        fail_msg("%s", err.text);
    buf_release(&text);
    return spec;
}

static size_t
count(const struct dag *d, const char *stage)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n_jobs; i++)
        n += strcmp(d->jobs[i].of->stage->name, stage) == 0;
    return n;
}

static void
cells_share_their_teacher(void **state)
{
    struct sweep *s = fixture_sweep(HEAD GRID "include: [{relu_budget: all}]\n", "");
    struct dag *d = build(s);

    (void)state;
    assert_int_equal(s->n_cells, 7);
    assert_int_equal(d->n_unshared, 6 * 4 + 2);
    assert_int_equal(count(d, "teacher"), 1);
    assert_int_equal(count(d, "mask"), 6);
    assert_int_equal(count(d, "finetune"), 6);
    assert_int_equal(count(d, "evaluate"), 7);
    dag_free(d);
    sweep_free(s);
}

static void
a_parameter_splits_only_the_stages_that_read_it(void **state)
{
    struct sweep *s = fixture_sweep(HEAD "grid: {loss: [ce, kl], seed: [0, 1]}\n", "");
    struct dag *d = build(s);

    (void)state;
    assert_int_equal(count(d, "teacher"), 2);
    assert_int_equal(count(d, "mask"), 2);
    assert_int_equal(count(d, "finetune"), 4);
    assert_int_equal(count(d, "evaluate"), 4);
    dag_free(d);
    sweep_free(s);
}

static void
parents_come_before_children(void **state)
{
    struct sweep *s = fixture_sweep(HEAD GRID, "");
    struct dag *d = build(s);

    (void)state;
    for (size_t i = 0; i < d->n_jobs; i++)
        for (size_t k = 0; k < d->jobs[i].n_parents; k++)
            assert_true(d->parents[d->jobs[i].parents + k] < i);
    for (size_t c = 0; c < s->n_cells; c++) {
        size_t n;
        const uint32_t *chain = dag_chain(d, c, &n);
        assert_string_equal(d->jobs[chain[n - 1]].of->stage->name, "evaluate");
    }
    dag_free(d);
    sweep_free(s);
}

static void
a_skipped_parent_is_replaced_by_its_own_parents_once(void **state)
{
    struct sweep *s = fixture_sweep(HEAD "grid: {relu_budget: [all]}\n", "");
    struct dag *d = build(s);

    (void)state;
    /* evaluate <- finetune <- {teacher, mask <- teacher}: twice the teacher */
    assert_int_equal(d->n_jobs, 2);
    assert_int_equal(d->jobs[1].n_parents, 1);
    assert_int_equal(d->parents[d->jobs[1].parents], 0);
    json_t *spec = spec_of(d, 1);
    const json_t *inputs = json_object_get(spec, "inputs");
    assert_int_equal(json_object_size(inputs), 1);
    assert_string_equal(json_str(inputs, "teacher", ""), dag_digest(d, 0));
    json_decref(spec);
    dag_free(d);
    sweep_free(s);
}

/* If this changes, everything that users have computed is computed again: raise a
 * stage's revision instead, unless that is what is meant. */
static void
digests_stay_the_same_for_ever(void **state)
{
    struct sweep *s = fixture_sweep(HEAD GRID, "");
    struct dag *d = build(s);

    (void)state;
    assert_string_equal(
        dag_digest(d, 0),
        "6974b1fa4c1e2bf145a901f48bedd7eff117f98091dff6a6b9127472c9620ca3");
    assert_string_equal(
        dag_digest(d, 3),
        "ca4310ad2a5807c25510a1fdd56938ea727a8915d87c3d2b7d21ce7cbc2ea1b8");
    dag_free(d);
    sweep_free(s);
}

/* What is put together from pieces is what job_spec_build makes of the cell. */
static void
specs_are_the_canonical_text_of_their_cells(void **state)
{
    struct sweep *s = fixture_sweep(
        HEAD GRID "include: [{relu_budget: all}, {lr: 0.3, loss: ce, seed: [4, 5]}]\n",
        "");
    struct dag *d = build(s);

    (void)state;
    for (size_t c = 0; c < s->n_cells; c++) {
        json_t *values = sweep_cell_json(s, c, false);
        size_t n;
        const uint32_t *chain = dag_chain(d, c, &n);
        for (size_t i = 0; i < n; i++) {
            const struct dag_job *job = &d->jobs[chain[i]];
            json_t *have = spec_of(d, chain[i]);
            json_t *want =
                job_spec_build(sweep_part_of(s, c)->space.method, job->of->stage,
                               values, json_object_get(have, "inputs"));
            const struct sha256 digest = job_spec_digest(want);
            assert_string_equal(digest.hex, dag_digest(d, chain[i]));
            json_decref(have);
            json_decref(want);
        }
        json_decref(values);
    }
    dag_free(d);
    sweep_free(s);
}

static void
assert_same_jobs(const char *a, const char *b)
{
    struct sweep *sa = fixture_sweep(a, ""), *sb = fixture_sweep(b, "");
    struct dag *da = build(sa), *db = build(sb);

    assert_int_equal(da->n_jobs, db->n_jobs);
    for (size_t i = 0; i < da->n_jobs; i++)
        assert_string_equal(dag_digest(da, i), dag_digest(db, i));
    dag_free(da);
    dag_free(db);
    sweep_free(sa);
    sweep_free(sb);
}

static void
spelling_and_defaults_do_not_change_jobs(void **state)
{
    (void)state;
    assert_same_jobs(HEAD GRID, HEAD GRID);
    assert_same_jobs(HEAD "grid: {relu_budget: [50k, 20k]}\n",
                     "title: other\nname: u\ngrid: {relu_budget: [50000, 20000.0]}\n"
                     "fixed: {temperature: 4.0, loss: kl, dataset: fashion-mnist, "
                     "method: rlnet, half_batch: true}\nevaluate: [clean]\n");
}

static void
adding_a_cell_keeps_the_jobs_of_the_others(void **state)
{
    struct sweep *small = fixture_sweep(HEAD "grid: {seed: [0, 1]}\n", "");
    struct sweep *large = fixture_sweep(HEAD "grid: {seed: [2, 0, 1]}\n", "");
    struct dag *ds = build(small), *dl = build(large);

    (void)state;
    for (size_t i = 0; i < ds->n_jobs; i++) {
        bool found = false;
        for (size_t k = 0; k < dl->n_jobs; k++)
            found = found || strcmp(dag_digest(ds, i), dag_digest(dl, k)) == 0;
        assert_true(found);
    }
    dag_free(ds);
    dag_free(dl);
    sweep_free(small);
    sweep_free(large);
}

/* The time of a large plan is printed; it is asserted loosely, because other tests run
 * beside this one. */
static void
a_large_grid_is_planned_in_seconds(void **state)
{
    static const char text[] =
        "name: t\nfixed: {method: rlnet, dataset: fashion-mnist}\ngrid:\n"
        "  seed: range(0,10)\n  temperature: range(1,51)\n  relu_budget: "
        "range(1000,21000,1000)\n";
    const double start = clock_mono_s();
    struct sweep *s = fixture_sweep(text, "");
    const double expanded = clock_mono_s();
    struct dag *d = build(s);
    const double built = clock_mono_s();

    (void)state;
    assert_int_equal(s->n_cells, 10000);
    assert_int_equal(count(d, "teacher"), 10);
    assert_int_equal(count(d, "evaluate"), 10000);
    print_message("%zu cells in %.2f s, %zu jobs in %.2f s\n", s->n_cells,
                  expanded - start, d->n_jobs, built - expanded);
    assert_true(built - start < 30);
    dag_free(d);
    sweep_free(s);
}

/* A share of the jobs once more, in names and specs of their own. */
static void
re_runs_are_copies_that_nothing_waits_for(void **state)
{
    struct sweep *s = fixture_sweep(HEAD GRID, "");
    struct dag *plain = build(s), *d = dag_build(s), *all = dag_build(s);

    (void)state;
    repeat_add(d, 1); /* of 13 jobs or so: one */
    repeat_add(all, 100);
    assert_int_equal(d->n_repeats, 1);
    assert_int_equal(d->n_jobs, plain->n_jobs + 1);
    assert_int_equal(all->n_jobs, 2 * plain->n_jobs);
    for (size_t i = 0; i < plain->n_jobs; i++) {
        const size_t again = plain->n_jobs + i;
        size_t n, n_again;
        assert_string_equal(dag_digest(all, i), dag_digest(plain, i));
        json_t *first = spec_of(all, i), *second = spec_of(all, again);
        assert_int_equal(json_int(second, "repeat", 0), 1);
        assert_string_equal(job_spec_digest(second).hex, dag_digest(all, again));
        json_object_del(second, "repeat");
        assert_true(json_equal(first, second));
        assert_ptr_equal(dag_parents(all, i, &n), dag_parents(all, again, &n_again));
        assert_int_equal(n, n_again);
        json_decref(first);
        json_decref(second);
    }
    for (size_t c = 0; c < s->n_cells; c++) {
        size_t n;
        const uint32_t *chain = dag_chain(all, c, &n);
        for (size_t i = 0; i < n; i++)
            assert_true(chain[i] < plain->n_jobs);
    }
    dag_free(plain);
    dag_free(d);
    dag_free(all);
    sweep_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(re_runs_are_copies_that_nothing_waits_for),
        cmocka_unit_test(cells_share_their_teacher),
        cmocka_unit_test(a_parameter_splits_only_the_stages_that_read_it),
        cmocka_unit_test(parents_come_before_children),
        cmocka_unit_test(a_skipped_parent_is_replaced_by_its_own_parents_once),
        cmocka_unit_test(digests_stay_the_same_for_ever),
        cmocka_unit_test(specs_are_the_canonical_text_of_their_cells),
        cmocka_unit_test(spelling_and_defaults_do_not_change_jobs),
        cmocka_unit_test(adding_a_cell_keeps_the_jobs_of_the_others),
        cmocka_unit_test(a_large_grid_is_planned_in_seconds),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
