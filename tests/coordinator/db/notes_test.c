/* What a note says, and what a submission tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coordinator/db/drill.h"
#include "coordinator/db/handle.h"
#include "coordinator/db/notes.h"
#include "tests/support/db_fixture.h"

static void
a_note_names_jobs_with_rank_and_class(void **state)
{
    struct notes n = {0};

    (void)state;
    notes_read(&n, "ready 7:-7:0 12:1099511627776:3");
    assert_false(n.look);
    assert_int_equal(n.ready.n, 2);
    assert_int_equal(n.ready.items[0].id, 7);
    assert_int_equal(n.ready.items[0].rank, -7);
    assert_int_equal(n.ready.items[1].rank, 1099511627776);
    assert_int_equal(n.ready.items[1].class, 3);
    notes_read(&n, "ready"); /* of a sweep that is paused */
    assert_false(n.look);
    notes_clear(&n);
    assert_int_equal(n.ready.n, 0);
    free(n.ready.items);
}

static void
whatever_else_it_says_means_look(void **state)
{
    static const char *const texts[] = {"",
                                        "3",
                                        "ready7:1:0",
                                        "ready 7",
                                        "ready 7:1",
                                        "ready 7:1:",
                                        "ready 7:1:0,8:1:0",
                                        "ready 7:1:0 ",
                                        "ready x:1:0",
                                        "ready 0:1:0",
                                        "ready -1:1:0",
                                        "readiness"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct notes n = {0};
        notes_read(&n, texts[i]);
        if (!n.look)
            fail_msg("`%s` was read", texts[i]);
        free(n.ready.items);
    }
}

/* What a listener hears of three new jobs, whose transaction does `more`. */
static struct notes
heard(struct db *db, const char *more)
{
    struct notes n = {0};
    struct err err = {0};

    if (pg_begin(db->pg, &err) != 0
        || pg_script(db->pg,
                     "INSERT INTO job (id, state) VALUES (1, 'ready'), (2, 'blocked'),"
                     " (3, 'ready'); INSERT INTO news (job, last) VALUES (1, 3)",
                     &err)
               != 0
        || pg_script(db->pg, more, &err) != 0 || notes_tell_new(db->pg, 1, 3, &err) != 0
        || pg_commit(db->pg, &err) != 0 || notes_take(db->pg, &n, &err) != 0)
        fail_msg("%s", err.text);
    return n;
}

static struct db *
listening(const char *name)
{
    struct db *db = db_fixture_new(name, NULL);
    struct err err;

    assert_int_equal(pg_script(db->pg, "LISTEN relusweep", &err), 0);
    return db;
}

static void
new_jobs_that_are_ready_are_told(void **state)
{
    struct db *db = listening("notes1");
    const struct notes n = heard(db, "SELECT 1");

    (void)state;
    assert_false(n.look);
    assert_int_equal(n.ready.n, 2);
    assert_int_equal(n.ready.items[0].id + n.ready.items[1].id, 4);
    assert_int_equal(n.ready.items[0].rank, -n.ready.items[0].id);
    free(n.ready.items);
    db_close(db);
}

static void
where_there_is_more_to_tell_it_is_to_be_looked_at(void **state)
{
    static const char *const more[] = {
        "INSERT INTO news (job, last, changed) VALUES (9, 9, true)",
        "INSERT INTO job_twin VALUES (3, 1)"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct db *db = listening(i == 0 ? "notes2" : "notes3");
        const struct notes n = heard(db, more[i]);
        assert_true(n.look);
        assert_int_equal(n.ready.n, 0);
        free(n.ready.items);
        db_close(db);
    }
}

static void
few_jobs_of_a_drill_are_named_and_many_are_not(void **state)
{
    struct db *db = listening("notes4");
    struct notes n = {0};
    struct err err;
    int64_t last;

    (void)state;
    assert_int_equal(db_drill_add(db, 64, 1, &last, &err), 0);
    assert_int_equal(notes_take(db->pg, &n, &err), 0);
    assert_false(n.look);
    assert_int_equal(n.ready.n, 64);
    assert_int_equal(last, 64);
    notes_clear(&n);
    assert_int_equal(db_drill_add(db, 65, 1, &last, &err), 0);
    assert_int_equal(notes_take(db->pg, &n, &err), 0);
    assert_true(n.look);
    assert_int_equal(n.ready.n, 0);
    free(n.ready.items);
    db_close(db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_names_jobs_with_rank_and_class),
        cmocka_unit_test(whatever_else_it_says_means_look),
        cmocka_unit_test(new_jobs_that_are_ready_are_told),
        cmocka_unit_test(where_there_is_more_to_tell_it_is_to_be_looked_at),
        cmocka_unit_test(few_jobs_of_a_drill_are_named_and_many_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
