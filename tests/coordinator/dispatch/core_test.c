/* The queue in memory under a clock of our own: grants, silence, restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/coordinator/dispatch/core_fixture.h"

static void
jobs_go_by_priority_then_id_to_workers_in_turn(void **state)
{
    struct core *core = *state;

    hello(core, "a", 2, NULL, 0, 0);
    hello(core, "b", 1, NULL, 0, 0);
    core_add_ready(core, 7, 0, 0, 0, 0, 0);
    core_add_ready(core, 5, 0, 0, 0, 0, 0);
    core_add_ready(core, 9, 4, 10, 0, 0, 0);
    core_add_ready(core, 8, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    assert_string_equal(actions(core), "lease 9/5>1001 lease 5/1>1002 lease 7/1>1001");
    assert_int_equal(core_count(core).ready, 1); /* no credit is left */
}

static void
a_stale_offer_does_not_give_two_jobs_for_one_slot(void **state)
{
    struct core *core = *state;
    struct session *s = hello(core, "a", 1, NULL, 0, 0);

    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_add_ready(core, 2, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    assert_string_equal(actions(core), "lease 1/1>1001");
    core_leased(core, (struct msg_run){1, 1}, true);
    core_offer(core, s, 1); /* was on its way when the job was granted */
    core_tick(core, 2);
    assert_string_equal(actions(core), "");
    core_ended(core, (struct msg_run){1, 1});
    core_tick(core, 3);
    assert_string_equal(actions(core), "lease 2/1>1001");
}

/* A job that was told twice is leased again in memory, which the database refuses. */
static void
a_result_of_the_past_is_not_of_a_lease_that_was_never_sent(void **state)
{
    struct core *core = *state;
    struct msg_run run = {1, 1}, kill[2];
    size_t n_kill;

    hello(core, "a", 1, NULL, 0, 0);
    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    assert_string_equal(actions(core), "lease 1/1>1001");
    core_leased(core, run, true);
    core_ended(core, run);
    core_offer(core, core_session(core, 1001), 1);
    core_tick(core, 2);
    assert_string_equal(actions(core), "lease 1/1>1001");
    const struct msg_hello again = {
        .name = "a", .boot = "a", .host = "h", .slots = 1, .held = &run, .n_held = 1};
    struct session *s = core_hello(core, &again, 3, kill, &n_kill);
    assert_int_equal(s->leases, 0);
    core_leased(core, run, false);
    assert_int_equal(s->offered, 0);
}

/* Its session lives and says nothing of it: the GRANT may be lost. */
static void
a_worker_is_asked_for_a_run_until_it_has_named_it(void **state)
{
    struct core *core = *state;
    struct session *a = hello(core, "a", 1, NULL, 0, 0);
    struct session *b = hello(core, "b", 1, NULL, 0, 0);
    const struct msg_run run = {1, 1};

    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    assert_string_equal(actions(core), "lease 1/1>1001");
    core_leased(core, run, true);
    for (int64_t now = 1000; now < 4 * LEASE_MS; now += 1000) {
        core_heard(core, a->id, now);
        core_heard(core, b->id, now);
        core_tick(core, now);
        assert_string_equal(actions(core),
                            now == 4000 || now == 8000 ? "ask 1/1>1001" : "");
    }
    assert_false(core_told(core, b, run));
    assert_true(core_told(core, a, run));
    for (int64_t now = 12000; now < 20000; now += 1000) {
        core_heard(core, a->id, now);
        core_heard(core, b->id, now);
        core_tick(core, now);
        assert_string_equal(actions(core), "");
    }
}

static void
a_silent_worker_loses_its_jobs_once(void **state)
{
    struct core *core = *state;
    struct session *s = hello(core, "a", 1, NULL, 0, 0);

    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    actions(core);
    core_leased(core, (struct msg_run){1, 1}, true);
    assert_true(core_told(core, s, (struct msg_run){1, 1}));
    assert_non_null(core_heard(core, s->id, 2000));
    core_tick(core, 2000 + LEASE_MS);
    assert_string_equal(actions(core), "");
    core_tick(core, 2001 + LEASE_MS);
    assert_string_equal(actions(core), "lost 1/1! gone a");
    core_tick(core, 2002 + LEASE_MS); /* the commit is still on its way */
    assert_string_equal(actions(core), "");
    core_ended(core, (struct msg_run){1, 1});
    assert_int_equal(core_count(core).leases, 0);
    assert_null(core_heard(core, 1001, 9000));
}

static void
nobody_is_blamed_when_the_coordinator_slept(void **state)
{
    struct core *core = *state;

    hello(core, "a", 1, NULL, 0, 0);
    core_forgive(core, 60000);
    core_tick(core, 60000 + LEASE_MS);
    assert_string_equal(actions(core), "");
}

static void
a_waiting_job_is_granted_when_its_time_has_come(void **state)
{
    struct core *core = *state;

    hello(core, "a", 1, NULL, 0, 0);
    core_add_ready(core, 1, 2, 0, 0, 500, 100);
    core_tick(core, 599);
    assert_string_equal(actions(core), "");
    core_tick(core, 600);
    assert_string_equal(actions(core), "lease 1/3>1001");
}

static void
a_restart_adopts_running_jobs_and_waits_a_full_grace(void **state)
{
    struct core *core = *state;
    const struct msg_run running = {1, 3};

    core_sync_begin(core);
    core_sync_lease(core, (struct msg_run){1, 3}, 0, "a", "a", 100);
    core_sync_lease(core, (struct msg_run){2, 1}, 0, "b", "b", 100);
    core_sync_end(core);
    core_tick(core, 100 + LEASE_MS);
    assert_string_equal(actions(core), "");
    struct session *s = hello(core, "a", 1, &running, 1, 100 + LEASE_MS);
    assert_ptr_equal(core_session_of(core, running), s);
    assert_int_equal(s->leases, 1);
    assert_int_equal(session_credit(s), 0);
    assert_true(core_told(core, s, running));
    core_heard(core, s->id, 100 + 2 * LEASE_MS);
    core_tick(core, 101 + 2 * LEASE_MS);
    /* nobody has claimed it; the coordinator's own death is not the job's fault */
    assert_string_equal(actions(core), "lost 2/1");
}

/* Not when it is committed: lease and success can share a commit. */
static void
a_result_gives_its_slot_back_once_when_it_comes(void **state)
{
    struct core *core = *state;
    struct session *s;
    struct msg_run kill[1];
    size_t n_kill;
    const struct msg_hello h = {.name = "a", .boot = "a", .host = "h", .slots = 1};

    s = core_hello(core, &h, 0, kill, &n_kill);
    core_introduce(core, s, 1);
    core_offer(core, s, 1);
    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_add_ready(core, 2, 0, 0, 0, 0, 0);
    core_tick(core, 0);
    assert_string_equal(actions(core), "lease 1/1>1001");
    core_leased(core, (struct msg_run){1, 1}, true);
    core_offer(core, s, 1);
    core_tick(core, 1);
    assert_string_equal(actions(core), ""); /* that READY crossed the GRANT */
    for (int i = 0; i < 2; i++)
        core_result(core, s, (struct msg_run){1, 1});
    assert_int_equal(s->leases, 0);
    core_tick(core, 2);
    assert_string_equal(actions(core), "lease 2/1>1001");
    core_ended(core, (struct msg_run){1, 1});
    assert_int_equal(s->leases, 1);
}

static void
a_hello_reconciles_what_each_side_believes(void **state)
{
    struct core *core = *state;
    struct msg_run running[] = {{1, 1}, {3, 1}}, held[] = {{4, 1}}, kill[2];
    size_t n_kill;

    core_sync_begin(core);
    for (int64_t job = 1; job <= 4; job++)
        if (job != 3)
            core_sync_lease(core, (struct msg_run){job, 1}, 0, "a", "a", 0);
    core_sync_end(core);
    const struct msg_hello h = {.name = "a",
                                .boot = "a",
                                .host = "h",
                                .slots = 4,
                                .running = running,
                                .n_running = 2,
                                .held = held,
                                .n_held = 1};
    const struct session *s = core_hello(core, &h, 10, kill, &n_kill);
    assert_int_equal(n_kill, 1); /* 3/1 is not current */
    assert_int_equal(kill[0].job, 3);
    assert_int_equal(s->leases, 1); /* what is held has left its slot */
    assert_string_equal(actions(core), "return 2/1"); /* its GRANT was lost */
}

static void
a_reconnected_process_keeps_its_jobs_under_a_new_session(void **state)
{
    struct core *core = *state;
    const struct msg_run run = {1, 1};

    hello(core, "a", 1, NULL, 0, 0);
    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    actions(core);
    core_leased(core, run, true);
    const struct session *s = hello(core, "a", 1, &run, 1, 50);
    assert_int_equal(core_count(core).sessions, 1);
    assert_null(core_heard(core, 1001, 51));
    assert_int_equal(s->id, 1002);
    assert_ptr_equal(core_session_of(core, run), s);
    assert_string_equal(actions(core), "");
}

/* Job 1 is leased to a worker, and a process of that name says that it has the result:
 * session 1002. */
static void
hold_result(struct core *core, const char *name, const char *boot)
{
    struct msg_run held[] = {{1, 1}}, kill[1];
    size_t n_kill;

    hello(core, name, 1, NULL, 0, 0);
    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    actions(core);
    core_leased(core, held[0], true);
    const struct msg_hello h = {
        .name = name, .boot = boot, .host = "h", .slots = 1, .held = held, .n_held = 1};
    core_hello(core, &h, 100, kill, &n_kill);
}

static void
a_held_result_of_a_restarted_agent_keeps_its_lease(void **state)
{
    struct core *core = *state;

    hold_result(core, "old", "new");
    core_heard(core, 1002, LEASE_MS);
    core_tick(core, LEASE_MS + 1);
    assert_string_equal(actions(core), "gone old"); /* and no lost */
}

/* A HELLO that took its time names a result that has been settled, or fenced, since. */
static void
a_worker_is_asked_for_what_a_hello_of_the_past_named(void **state)
{
    struct core *core = *state;

    hold_result(core, "a", "a");
    core_heard(core, 1002, 100 + LEASE_MS);
    core_tick(core, 101 + LEASE_MS);
    assert_string_equal(actions(core), "ask 1/1>1002");
    hello(core, "a", 1, NULL, 0, 102 + LEASE_MS);
    assert_string_equal(actions(core), "return 1/1");
}

static void
nobody_takes_a_lease_by_naming_it(void **state)
{
    struct core *core = *state;
    struct msg_run run = {1, 1}, kill[1];
    size_t n_kill;

    struct session *owner = hello(core, "owner", 1, NULL, 0, 0);
    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    core_leased(core, run, true);
    const struct msg_hello thief = {.name = "thief",
                                    .boot = "thief",
                                    .host = "h",
                                    .slots = 1,
                                    .running = &run,
                                    .n_running = 1,
                                    .held = &run,
                                    .n_held = 1};
    core_hello(core, &thief, 100, kill, &n_kill);
    assert_int_equal(n_kill, 1);
    assert_ptr_equal(core_session_of(core, run), owner);
}

static void
goodbye_hands_jobs_back_without_charge(void **state)
{
    struct core *core = *state;
    struct session *s = hello(core, "a", 2, NULL, 0, 0);
    const struct msg_run first = {1, 1};

    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_add_ready(core, 2, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    actions(core);
    core_leased(core, (struct msg_run){1, 1}, true);
    core_leased(core, (struct msg_run){2, 1}, true);
    core_bye(core, s, &first, 1, 10);
    assert_string_equal(actions(core), "return 1/1 gone a");
    core_tick(core, 10 + LEASE_MS); /* the other's result may wait on its disk */
    assert_string_equal(actions(core), "");
    core_tick(core, 11 + LEASE_MS);
    assert_string_equal(actions(core), "lost 2/1");
}

static void
a_worker_that_vanishes_during_the_commit_of_its_lease_gives_it_back(void **state)
{
    struct core *core = *state;
    struct session *s = hello(core, "a", 1, NULL, 0, 0);

    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    assert_string_equal(actions(core), "lease 1/1>1001");
    core_bye(core, s, NULL, 0, 2);
    assert_string_equal(actions(core), "gone a");
    core_leased(core, (struct msg_run){1, 1}, true);
    assert_string_equal(actions(core), "return 1/1");
}

static void
a_lease_whose_commit_was_never_confirmed_is_handed_back(void **state)
{
    struct core *core = *state;

    hello(core, "a", 1, NULL, 0, 0);
    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    actions(core);
    core_sync_begin(core); /* the database went away in the commit and came back */
    core_sync_lease(core, (struct msg_run){1, 1}, 0, "a", "a", 50);
    core_sync_end(core);
    assert_string_equal(actions(core), "return 1/1");
}

static void
reading_the_queue_again_forgets_what_is_not_there(void **state)
{
    struct core *core = *state;

    hello(core, "a", 1, NULL, 0, 0);
    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_add_ready(core, 2, 0, 0, 0, 99, 0);
    core_tick(core, 1);
    actions(core);
    core_leased(core, (struct msg_run){1, 1}, true);
    core_sync_begin(core);
    core_add_ready(core, 3, 0, 0, 0, 0, 5);
    core_sync_end(core);
    const struct core_counts c = core_count(core);
    assert_int_equal(c.ready, 1);
    assert_int_equal(c.waiting, 0);
    assert_int_equal(c.leases, 0);
    assert_int_equal(core_session(core, 1001)->leases, 0);
}

static void
a_lease_that_was_never_told_gives_its_credit_back(void **state)
{
    struct core *core = *state;
    struct session *s = hello(core, "a", 1, NULL, 0, 0);

    core_add_ready(core, 1, 0, 0, 0, 0, 0);
    core_tick(core, 0);
    assert_string_equal(actions(core), "lease 1/1>1001");
    /* the commit failed with its connection, and the queue was read again */
    core_sync_begin(core);
    core_add_ready(core, 1, 0, 0, 0, 0, 10);
    core_sync_end(core);
    assert_int_equal(s->offered, 1);
    core_tick(core, 10);
    assert_string_equal(actions(core), "lease 1/1>1001");
}

/* People move a job back, hold another and limit a third that runs. */
static void
what_people_change_is_forgotten_and_told_anew(void **state)
{
    struct core *core = *state;
    struct rules_class classes[] = {{.id = 5, .limits = {1}, .n_limits = 1}};
    struct rules_limit limits[] = {{.id = 1, .most = 1}};
    const struct rules rules = {
        .classes = classes, .limits = limits, .n_classes = 1, .n_limits = 1};
    const struct job_span changed = {1, 3};

    hello(core, "a", 1, NULL, 0, 0);
    for (int64_t job = 1; job <= 4; job++)
        core_add_ready(core, job, 0, -job, 0, job == 3 ? 50 : 0, 0);
    core_tick(core, 0);
    assert_string_equal(actions(core), "lease 1/1>1001");
    core_set_rules(core, &rules, 0);
    core_forget(core, &changed, 1);
    core_reclass(core, (struct msg_run){1, 1}, 5);
    core_add_ready(core, 3, 0, -9, 0, 0, 0);
    core_add_ready(core, 6, 0, 99, 5, 0, 0);
    hello(core, "b", 4, NULL, 0, 100);
    core_tick(core, 100);
    assert_string_equal(actions(core), "lease 4/1>1002 lease 3/1>1002");
    core_ended(core, (struct msg_run){1, 1});
    core_tick(core, 100);
    assert_string_equal(actions(core), "lease 6/1>1001");
}

static void
many_workers_take_turns_and_lose_their_jobs_together(void **state)
{
    enum { N = 500 };
    struct core *core = *state;
    struct core_action a;
    bool served[N + 1] = {false};
    char boot[16];
    int lost = 0;

    for (int i = 1; i <= N; i++) {
        snprintf(boot, sizeof boot, "w%d", i);
        hello(core, boot, 2, NULL, 0, 0);
        core_add_ready(core, i, 0, -i, 0, 0, 0);
    }
    core_tick(core, 0);
    while (core_next_action(core, &a)) {
        assert_int_equal(a.kind, CORE_LEASE);
        assert_false(served[a.session - 1000]); /* each one job before any has two */
        served[a.session - 1000] = true;
        core_leased(core, a.run, true);
    }
    core_tick(core, LEASE_MS + 1);
    while (core_next_action(core, &a))
        lost += a.kind == CORE_LOST;
    assert_int_equal(lost, N);
    assert_int_equal(core_count(core).sessions, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CORE_TEST(jobs_go_by_priority_then_id_to_workers_in_turn),
        CORE_TEST(a_stale_offer_does_not_give_two_jobs_for_one_slot),
        CORE_TEST(a_result_of_the_past_is_not_of_a_lease_that_was_never_sent),
        CORE_TEST(a_worker_is_asked_for_a_run_until_it_has_named_it),
        CORE_TEST(a_silent_worker_loses_its_jobs_once),
        CORE_TEST(nobody_is_blamed_when_the_coordinator_slept),
        CORE_TEST(a_waiting_job_is_granted_when_its_time_has_come),
        CORE_TEST(a_restart_adopts_running_jobs_and_waits_a_full_grace),
        CORE_TEST(a_result_gives_its_slot_back_once_when_it_comes),
        CORE_TEST(a_hello_reconciles_what_each_side_believes),
        CORE_TEST(a_reconnected_process_keeps_its_jobs_under_a_new_session),
        CORE_TEST(a_held_result_of_a_restarted_agent_keeps_its_lease),
        CORE_TEST(a_worker_is_asked_for_what_a_hello_of_the_past_named),
        CORE_TEST(nobody_takes_a_lease_by_naming_it),
        CORE_TEST(goodbye_hands_jobs_back_without_charge),
        CORE_TEST(a_worker_that_vanishes_during_the_commit_of_its_lease_gives_it_back),
        CORE_TEST(a_lease_whose_commit_was_never_confirmed_is_handed_back),
        CORE_TEST(reading_the_queue_again_forgets_what_is_not_there),
        CORE_TEST(a_lease_that_was_never_told_gives_its_credit_back),
        CORE_TEST(what_people_change_is_forgotten_and_told_anew),
        CORE_TEST(many_workers_take_turns_and_lose_their_jobs_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
