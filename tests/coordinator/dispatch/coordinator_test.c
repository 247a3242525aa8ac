/*
 * The real coordinator, driven by workers that this test plays over its sockets: a chain
 * of jobs with the coordinator killed in the middle, silence, take-over, a crash of
 * PostgreSQL, and peers that do not fit.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/proc.h"
#include "tests/coordinator/dispatch/fake_worker.h"
#include "tests/support/pg_fixture.h"

enum { CROWD = 100 };

/* ---- tests --------------------------------------------------------------------------- */

static void
a_chain_survives_kill_9_of_the_coordinator(void **state)
{
    struct world *w = *state;
    struct msg_run teacher = {1, 1};
    struct fake f;

    fake_connect(&f, w->control, "alice");
    assert_int_equal(fake_hello(&f, NULL, 0)->n_kill, 0);
    assert_non_null(strstr(fake_get_grant(&f, 1, 1)->spec, "\"teacher\""));
    const struct msg started = {
        .type = MSG_STARTED,
        .u.started = {f.session, teacher, 77, "{\"host\": \"here\"}"}};
    fake_send(&f, &started);
    assert_string_equal(fake_need(&f, MSG_ACK)->u.ack.disposition, "committed");
    struct msg_point p = {"train/loss", 1, 2.5, "", "min"};
    const struct msg metrics = {.type = MSG_METRICS,
                                .u.metrics = {f.session, teacher, 1, &p, 1}};
    fake_send(&f, &metrics);
    assert_int_equal(fake_need(&f, MSG_ACK)->u.ack.seq, 1);

    world_stop(w, SIGKILL);
    world_start(w);

    assert_string_equal(fake_need(&f, MSG_REJECT)->u.reject.code, "who-are-you");
    assert_int_equal(fake_hello(&f, &teacher, 1)->n_kill, 0); /* adopted */
    assert_string_equal(
        fake_report(&f, teacher, "ok", sha256_bytes("weights", 7).hex, 7), "missing");
    const struct sha256 model = world_upload(w, "weights");
    assert_string_equal(fake_report(&f, teacher, "ok", model.hex, 7), "committed");
    assert_string_equal(fake_report(&f, teacher, "ok", model.hex, 7), "duplicate");

    const struct msg_grant *mask = fake_get_grant(&f, 2, 1);
    assert_int_equal(mask->n_inputs, 1);
    assert_string_equal(mask->inputs[0].stage, "teacher");
    assert_string_equal(mask->inputs[0].sha, model.hex);
    assert_string_equal(fake_report(&f, (struct msg_run){2, 1}, "ok", NULL, 0),
                        "committed");
    fake_get_grant(&f, 3, 1);
    assert_string_equal(fake_report(&f, (struct msg_run){3, 1}, "ok", NULL, 0),
                        "committed");
    assert_int_equal(
        world_number(w, "SELECT count(*) FROM job WHERE state = 'succeeded'"), 3);
    assert_int_equal(world_number(w, "SELECT count(*) FROM attempt"), 3);
    assert_int_equal(world_number(w, "SELECT count(*) FROM metric"), 1);
    fake_hang_up(&f);
    assert_int_equal(world_stop(w, SIGTERM), 0);
}

static void
a_silent_workers_job_runs_elsewhere_and_its_late_result_is_fenced(void **state)
{
    struct world *w = *state;
    struct fake a, b;

    fake_connect(&a, w->control, "alice");
    fake_connect(&b, w->control, "bob");
    fake_hello(&a, NULL, 0);
    fake_get_grant(&a, 1, 1);
    a.mute = true;
    const int64_t silent = clock_mono_ms();
    fake_hello(&b, NULL, 0);
    fake_get_grant(&b, 1, 2);
    print_message("granted again after %lld ms of silence (lease 600 ms)\n",
                  (long long)(clock_mono_ms() - silent));
    assert_true(clock_mono_ms() - silent >= 500);

    struct msg_run old = {1, 1};
    const struct msg_welcome *back = fake_hello(&a, &old, 1);
    assert_int_equal(back->n_kill, 1);
    assert_string_equal(fake_report(&a, old, "ok", NULL, 0), "fenced");
    assert_string_equal(fake_report(&b, (struct msg_run){1, 2}, "ok", NULL, 0),
                        "committed");
    assert_int_equal(
        world_number(w, "SELECT count(*) FROM job WHERE state = 'succeeded'"), 1);
    fake_hang_up(&a);
    fake_hang_up(&b);
}

/* The session lives all the while, so nothing else would tell. */
static void
a_grant_that_was_lost_is_asked_for_and_given_again(void **state)
{
    struct world *w = *state;
    const struct msg *beat;
    struct fake f;

    fake_connect(&f, w->control, "alice");
    fake_hello(&f, NULL, 0);
    fake_get_grant(&f, 1, 1); /* as if it had not arrived */
    do
        beat = fake_need(&f, MSG_HEARTBEAT);
    while (beat->u.heartbeat.n_progress == 0);
    assert_int_equal(beat->u.heartbeat.progress[0].run.job, 1);
    assert_int_equal(beat->u.heartbeat.progress[0].run.attempt, 1);
    fake_hello(&f, NULL, 0);
    fake_get_grant(&f, 1, 2);
    assert_int_equal(world_number(w, "SELECT n_lost + n_error FROM job WHERE id = 1"),
                     0);
    assert_string_equal(fake_report(&f, (struct msg_run){1, 2}, "ok", NULL, 0),
                        "committed");
    fake_hang_up(&f);
}

static void
a_goodbye_hands_the_job_to_the_next_worker_at_once(void **state)
{
    struct world *w = *state;
    struct msg_run run = {1, 1};
    struct fake a, b;

    fake_connect(&a, w->control, "alice");
    fake_connect(&b, w->control, "bob");
    fake_hello(&a, NULL, 0);
    fake_get_grant(&a, 1, 1);
    const struct msg bye = {.type = MSG_BYE, .u.bye = {a.session, "shutdown", &run, 1}};
    fake_send(&a, &bye);
    fake_hello(&b, NULL, 0);
    fake_get_grant(&b, 1, 2);
    assert_int_equal(world_number(w, "SELECT n_lost + n_error FROM job WHERE id = 1"),
                     0);
    fake_hang_up(&a);
    fake_hang_up(&b);
}

/* The teacher of the fixture, which must give a model and may give a metric. */
static const char declaring[] =
    "{\"version\":1,\"program\":\"0\",\"methods\":[{\"name\":\"rlnet\",\"doc\":\"d\","
    "\"source\":\"s\",\"stages\":[{\"name\":\"teacher\",\"revision\":1,\"doc\":\"d\","
    "\"after\":[],\"gives\":[{\"artifact\":\"model\",\"when\":{}},"
    "{\"metric\":\"CA\"}],\"params\":[{\"name\":\"seed\",\"type\":\"int\","
    "\"doc\":\"d\"}]}]}]}";

static void
a_success_without_what_its_stage_declares_ends_by_contract(void **state)
{
    struct world *w = *state;
    const struct sha256 model = world_upload(w, "weights");
    struct fake f, g;

    fake_connect(&f, w->control, "alice");
    f.catalog = declaring;
    fake_hello(&f, NULL, 0);
    fake_get_grant(&f, 1, 1);
    assert_string_equal(fake_report(&f, (struct msg_run){1, 1}, "ok", NULL, 0),
                        "committed");
    assert_int_equal(
        world_number(w, "SELECT count(*) FROM attempt WHERE outcome = 'contract' AND"
                        " error = 'the result lacks the artifact `model`, which stage"
                        " teacher declares'"),
        1);
    assert_int_equal(world_number(w, "SELECT count(*) FROM job WHERE id = 1 AND"
                                     " state = 'ready' AND n_error = 1"),
                     1);
    fake_hang_up(&f);
    world_number(w, "UPDATE job SET not_before = NULL WHERE id = 1 RETURNING 1");
    world_stop(w, SIGKILL);
    world_start(w);
    fake_connect(&g, w->control, "bob");
    g.catalog = declaring;
    fake_hello(&g, NULL, 0);
    fake_get_grant(&g, 1, 2);
    assert_string_equal(fake_report(&g, (struct msg_run){1, 2}, "ok", model.hex, 7),
                        "committed");
    assert_int_equal(
        world_number(w,
                     "SELECT count(*) FROM job WHERE id = 1 AND state = 'succeeded'"),
        1);
    fake_hang_up(&g);
}

static void
a_running_job_is_told_to_stop_when_a_person_cancels_it(void **state)
{
    struct world *w = *state;
    const struct db_selection sel = {.job = "1"};
    struct err err;
    struct fake f;
    int64_t count;

    fake_connect(&f, w->control, "alice");
    fake_hello(&f, NULL, 0);
    fake_get_grant(&f, 1, 1);
    assert_int_equal(db_cancel(w->db, &sel, true, &count, &err), 0);
    const struct msg *cancel = fake_need(&f, MSG_CANCEL);
    assert_int_equal(cancel->u.cancel.run.attempt, 1);
    assert_true(cancel->u.cancel.hard);
    assert_string_equal(fake_report(&f, (struct msg_run){1, 1}, "stopped", NULL, 0),
                        "committed");
    assert_int_equal(
        world_number(w, "SELECT count(*) FROM job WHERE state = 'cancelled'"), 1);
    fake_hang_up(&f);
}

static void
a_hundred_workers_come_back_at_once(void **state)
{
    struct world *w = *state;
    struct fake crowd[CROWD];
    char names[CROWD][16];

    for (int i = 0; i < CROWD; i++) {
        snprintf(names[i], sizeof names[i], "worker%d", i);
        fake_connect(&crowd[i], w->control, names[i]);
        fake_hello(&crowd[i], NULL, 0);
    }
    world_stop(w, SIGKILL);
    const int64_t killed = clock_mono_ms();
    world_start(w);
    for (int i = 0; i < CROWD; i++)
        fake_hello(&crowd[i], NULL, 0);
    print_message("%d sessions are there again %lld ms after a crash\n", CROWD,
                  (long long)(clock_mono_ms() - killed));
    assert_int_equal(world_number(w, "SELECT count(*) FROM worker"), CROWD);
    fake_get_grant(&crowd[CROWD - 1], 1, 1);
    assert_string_equal(
        fake_report(&crowd[CROWD - 1], (struct msg_run){1, 1}, "ok", NULL, 0),
        "committed");
    for (int i = 0; i < CROWD; i++)
        fake_hang_up(&crowd[i]);
}

static void
a_second_coordinator_waits_and_takes_over(void **state)
{
    struct world *w = *state;
    char *control = xasprintf("%s2", w->control), *bulk = xasprintf("%s2", w->bulk);
    char *ready = xasprintf("%s2", w->ready);
    const pid_t first = w->pid, second = world_spawn(w, control, bulk, ready);
    struct fake f;

    usleep(700 * 1000);
    assert_false(file_exists(ready));
    w->pid = first;
    world_stop(w, SIGKILL);
    w->pid = second;
    fake_connect(&f, control, "alice");
    const int64_t killed = clock_mono_ms();
    for (int64_t end = killed + WAIT_MS; !file_exists(ready); usleep(10000))
        assert_true(clock_mono_ms() < end);
    fake_hello(&f, NULL, 0);
    fake_get_grant(&f, 1, 1);
    print_message("the other one grants %lld ms after the leader was killed\n",
                  (long long)(clock_mono_ms() - killed));
    assert_int_equal(world_number(w, "SELECT epoch FROM leader"), 2);
    fake_hang_up(&f);
    free(control);
    free(bulk);
    free(ready);
}

static void
a_newer_schema_is_left_to_newer_programs(void **state)
{
    struct world *w = *state;
    char *control = xasprintf("%s2", w->control), *bulk = xasprintf("%s2", w->bulk);
    char *ready = xasprintf("%s2", w->ready);
    const pid_t waiting = world_spawn(w, control, bulk, ready);
    int status;

    usleep(500 * 1000);
    world_number(w, "INSERT INTO schema_version (version, name, program)"
                    " VALUES (99, '099_later.sql', '9.0') RETURNING version");
    world_stop(w, SIGKILL);
    waitpid(waiting, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 4);
    assert_int_equal(world_number(w, "SELECT count(*) FROM attempt"), 0);
    free(control);
    free(bulk);
    free(ready);
}

static void
a_crash_of_postgresql_loses_nothing(void **state)
{
    struct world *w = *state;
    struct err err;
    struct fake f;

    fake_connect(&f, w->control, "alice");
    fake_hello(&f, NULL, 0);
    fake_get_grant(&f, 1, 1);
    pg_fixture_crash();
    struct msg_run run = {1, 1};
    const struct msg result = {
        .type = MSG_RESULT,
        .u.result = {.session = f.session, .run = run, .outcome = "ok", .text = ""}};
    fake_send(&f, &result);
    assert_null(fake_await(&f, MSG_ACK, 500)); /* not acknowledged: not committed */
    assert_non_null(fake_await(&f, MSG_HEARTBEAT, 1000));
    pg_fixture_start();
    db_close(w->db);
    assert_int_equal(db_open(&w->db, w->conninfo, &err), 0);
    fake_send(&f, &result);
    const struct msg *ack = NULL;
    while (ack == NULL) {
        fake_send(&f, &result);
        ack = fake_await(&f, MSG_ACK, 500);
    }
    assert_string_equal(ack->u.ack.disposition, "committed");
    assert_int_equal(world_number(w, "SELECT attempt FROM job WHERE id = 1"), 1);
    fake_hang_up(&f);
}

static void
peers_that_do_not_fit_are_told_why(void **state)
{
    struct world *w = *state;
    const struct msg old = {.type = MSG_HELLO,
                            .u.hello = {.name = "old",
                                        .boot = "x",
                                        .host = "h",
                                        .version = "9.1.0",
                                        .catalog = CATALOG,
                                        .slots = 1}};
    struct msg wrong = old;
    struct fake f;

    fake_connect(&f, w->control, "x");
    fake_send(&f, &old);
    const struct msg *reject = fake_need(&f, MSG_REJECT);
    assert_string_equal(reject->u.reject.code, "version");
    assert_non_null(strstr(reject->u.reject.text, "9.1.0"));
    assert_non_null(strstr(reject->u.reject.text, RELUSWEEP_VERSION));
    wrong.u.hello.version = RELUSWEEP_VERSION;
    wrong.u.hello.slots = 0;
    fake_send(&f, &wrong);
    assert_string_equal(fake_need(&f, MSG_REJECT)->u.reject.code, "refused");
    const struct msg put = {.type = MSG_PUT, .u.put = {"aa", 1}};
    fake_send(&f, &put);
    assert_string_equal(fake_need(&f, MSG_REJECT)->u.reject.code, "unknown-type");
    fake_hang_up(&f);
}

static void
an_address_in_use_ends_the_program_with_code_3(void **state)
{
    struct world *w = *state;
    int status;

    waitpid(world_spawn(w, w->control, w->bulk, w->ready), &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_free)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_chain_survives_kill_9_of_the_coordinator),
        TEST(a_silent_workers_job_runs_elsewhere_and_its_late_result_is_fenced),
        TEST(a_grant_that_was_lost_is_asked_for_and_given_again),
        TEST(a_goodbye_hands_the_job_to_the_next_worker_at_once),
        TEST(a_success_without_what_its_stage_declares_ends_by_contract),
        TEST(a_running_job_is_told_to_stop_when_a_person_cancels_it),
        TEST(a_hundred_workers_come_back_at_once),
        TEST(a_second_coordinator_waits_and_takes_over),
        TEST(a_newer_schema_is_left_to_newer_programs),
        TEST(a_crash_of_postgresql_loses_nothing),
        TEST(peers_that_do_not_fit_are_told_why),
        TEST(an_address_in_use_ends_the_program_with_code_3),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
