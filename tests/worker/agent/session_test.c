/* The worker's protocol state with a fake clock and a recorded coordinator. */
#include "worker/agent/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/buf.h"

/* What the session asked for, as one line of words: "hello heartbeat ready(1) ". */
struct fixture {
    struct session *s;
    struct buf said;
    bool deaf; /* sending is not possible */
    int64_t now;
    struct msg_run granted;
};

static const struct msg_run job7 = {7, 1}, job8 = {8, 1};

static int
io_send(void *ctx, const struct msg *m)
{
    struct fixture *f = ctx;

    if (f->deaf)
        return 1;
    switch (m->type) {
    case MSG_HELLO:
        buf_printf(&f->said, "hello(%zu,%zu) ", m->u.hello.n_running,
                   m->u.hello.n_held);
        break;
    case MSG_READY: buf_printf(&f->said, "ready(%d) ", (int)m->u.ready.free); break;
    case MSG_HEARTBEAT:
        buf_printf(&f->said, "heartbeat(%zu) ", m->u.heartbeat.n_progress);
        break;
    case MSG_METRICS:
        buf_printf(&f->said, "metrics(%d,%zu) ", (int)m->u.metrics.seq,
                   m->u.metrics.n_points);
        break;
    case MSG_CHECKPOINT:
        buf_printf(&f->said, "checkpoint(%d) ", (int)m->u.checkpoint.step);
        break;
    case MSG_RESULT: buf_printf(&f->said, "result(%s) ", m->u.result.outcome); break;
    default: buf_printf(&f->said, "%s ", msg_type_name(m->type));
    }
    return 0;
}

static void
io_reconnect(void *ctx)
{
    buf_puts(&((struct fixture *)ctx)->said, "reconnect ");
}

static void
io_welcome(void *ctx, const char *bulk)
{
    buf_printf(&((struct fixture *)ctx)->said, "bulk=%s ", bulk);
}

static void
io_grant(void *ctx, const struct msg_grant *g)
{
    struct fixture *f = ctx;

    f->granted = g->run;
    buf_puts(&f->said, "start ");
}

static void
io_cancel(void *ctx, struct msg_run run, bool hard, const char *reason)
{
    (void)run;
    (void)reason;
    buf_puts(&((struct fixture *)ctx)->said, hard ? "kill " : "stop ");
}

static void
io_drop(void *ctx, struct msg_run run)
{
    buf_printf(&((struct fixture *)ctx)->said, "drop(%d) ", (int)run.job);
}

static void
io_checkpointed(void *ctx, struct msg_run run, int64_t step)
{
    (void)run;
    buf_printf(&((struct fixture *)ctx)->said, "checkpointed(%d) ", (int)step);
}

static void
io_settled(void *ctx, struct msg_run run)
{
    buf_printf(&((struct fixture *)ctx)->said, "settled(%d) ", (int)run.job);
}

static void
io_missing(void *ctx, struct msg_run run, const char *what, const char *sha)
{
    (void)run;
    buf_printf(&((struct fixture *)ctx)->said, "missing(%s,%s) ", what, sha);
}

static void
io_refused(void *ctx, const char *text)
{
    buf_printf(&((struct fixture *)ctx)->said, "refused(%s) ", text);
}

/* Moves the clock, ticks, and compares everything said since the last call. */
static void
after(struct fixture *f, int64_t ms, const char *expected)
{
    f->now += ms;
    session_tick(f->s, f->now);
    assert_string_equal(buf_str(&f->said), expected);
    buf_clear(&f->said);
}

static void
hear(struct fixture *f, struct msg m)
{
    session_message(f->s, &m, f->now);
}

static void
hear_heartbeat(struct fixture *f)
{
    hear(f, (struct msg){MSG_HEARTBEAT, .u.heartbeat = {.session = 5}});
}

static void
hear_ack(struct fixture *f, struct msg_run run, const char *what, int64_t seq,
         const char *disposition)
{
    hear(f, (struct msg){MSG_ACK, .u.ack = {run, what, seq, disposition, "abc"}});
}

static void
hear_welcome(struct fixture *f)
{
    hear(f, (struct msg){MSG_WELCOME, .u.welcome = {5, 1000, 4000, "b", NULL, 0}});
}

static int
set_up_with(void **state, bool has_spare)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct session_identity who = {.name = "w",
                                         .boot = "b",
                                         .host = "h",
                                         .version = "v",
                                         .catalog = "{}",
                                         .slots = 2,
                                         .threads = 1,
                                         .has_spare = has_spare};
    const struct session_io io = {f,          io_send,    io_reconnect, io_welcome,
                                  io_grant,   io_cancel,  io_drop,      io_checkpointed,
                                  io_settled, io_missing, io_refused};

    f->now = 100000;
    f->s = session_new(&who, &io, f->now);
    *state = f;
    return 0;
}

static int
set_up(void **state)
{
    return set_up_with(state, false);
}

/* It knows another coordinator. */
static int
set_up_spare(void **state)
{
    return set_up_with(state, true);
}

/* As set_up, with a session and one granted, started job. */
static int
set_up_running(void **state)
{
    set_up(state);
    struct fixture *f = *state;
    hear_welcome(f);
    session_tick(f->s, f->now);
    hear(f, (struct msg){MSG_GRANT, .u.grant = {.run = job7}});
    buf_clear(&f->said);
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    session_free(f->s);
    buf_release(&f->said);
    free(f);
    return 0;
}

static void
hello_is_repeated_until_it_is_welcome(void **state)
{
    struct fixture *f = *state;

    after(f, 0, "hello(0,0) ");
    after(f, 999, "");
    after(f, 1, "hello(0,0) ");
    hear_welcome(f);
    assert_true(session_is_up(f->s));
    after(f, 0, "bulk=b heartbeat(0) ready(2) ");
    after(f, 999, "");
    after(f, 1, "heartbeat(0) ");
}

static void
an_unanswered_hello_moves_to_the_next_coordinator(void **state)
{
    struct fixture *f = *state;

    after(f, 0, "hello(0,0) ");
    after(f, 3001, "reconnect hello(0,0) ");
    f->deaf = true;
    after(f, 3001, "reconnect ");
    assert_true(session_next_ms(f->s) > f->now); /* no busy loop */
    f->deaf = false;
    after(f, 50, "hello(0,0) ");
}

static void
silence_of_a_lease_ends_the_session_but_not_the_job(void **state)
{
    struct fixture *f = *state;

    after(f, 3900, "heartbeat(0) ready(1) ");
    hear_heartbeat(f);
    after(f, 3900, "heartbeat(0) ready(1) ");
    after(f, 101, "reconnect hello(1,0) ");
    assert_false(session_is_up(f->s));
    hear_welcome(f);
    after(f, 0, "bulk=b heartbeat(0) ready(1) ");
}

static void
a_forgotten_session_says_hello_on_the_same_connection(void **state)
{
    struct fixture *f = *state;

    hear(f, (struct msg){MSG_REJECT, .u.reject = {"who-are-you", ""}});
    after(f, 0, "hello(1,0) ");
    hear(f, (struct msg){MSG_REJECT, .u.reject = {"who-are-you", ""}});
    after(f, 0, ""); /* the rejects of older messages change nothing */
}

static void
a_repeated_grant_starts_nothing(void **state)
{
    struct fixture *f = *state;

    hear(f, (struct msg){MSG_GRANT, .u.grant = {.run = job7}});
    assert_string_equal(buf_str(&f->said), "");
    hear(f, (struct msg){MSG_GRANT, .u.grant = {.run = job8}});
    assert_string_equal(buf_str(&f->said), "start ");
    assert_int_equal(f->granted.job, 8);
}

static void
started_is_repeated_until_it_is_acknowledged(void **state)
{
    struct fixture *f = *state;

    session_run_started(f->s, job7, 4711, "{}");
    after(f, 0, "started ");
    after(f, 2999, "heartbeat(0) ");
    hear_heartbeat(f);
    after(f, 1, "started ready(1) ");
    hear_ack(f, job7, "started", 0, "committed");
    after(f, 3000, "heartbeat(0) ready(1) ");
}

static void
points_travel_in_batches_and_again_until_acknowledged(void **state)
{
    struct fixture *f = *state;
    struct msg_point points[600];

    for (size_t i = 0; i < 600; i++)
        points[i] = (struct msg_point){"loss", (int64_t)i, 1, "", "min"};
    session_run_metrics(f->s, job7, points, 2, f->now);
    after(f, 100, "");
    session_run_metrics(f->s, job7, points, 1, f->now);
    after(f, 150, "metrics(1,3) ");
    session_run_metrics(f->s, job7, points, 600, f->now);
    after(f, 0, "metrics(2,512) "); /* a full one does not wait */
    after(f, 250, "metrics(3,88) ");
    hear_ack(f, job7, "metrics", 2, "duplicate");
    after(f, 0, "");
    after(f, 3000, "heartbeat(0) metrics(1,3) metrics(3,88) ready(1) ");
}

static void
a_result_waits_for_metrics_and_checkpoint(void **state)
{
    struct fixture *f = *state;
    const struct msg_point point = {"loss", 1, 1, "", "min"};
    const struct msg_result result = {.run = job7, .outcome = "error", .text = ""};

    session_run_metrics(f->s, job7, &point, 1, f->now);
    session_run_checkpoint(f->s, job7, 40, "abc", 10);
    session_run_ended(f->s, job7);
    after(f, 0, "metrics(1,1) ready(2) ");
    session_run_metrics(f->s, job7, &point, 1, f->now); /* behind the checkpoint */
    hear_ack(f, job7, "metrics", 1, "committed");
    after(f, 0, "checkpoint(40) ");
    hear_ack(f, job7, "checkpoint", 40, "committed");
    after(f, 0, "checkpointed(40) ");
    session_run_result(f->s, &result);
    after(f, 0, "metrics(2,1) ");
    hear_ack(f, job7, "metrics", 2, "committed");
    after(f, 0, "result(error) ");
    after(f, 3000, "heartbeat(0) result(error) ready(2) ");
    hear_ack(f, job7, "result", 0, "committed");
    after(f, 0, "settled(7) ");
    hear_heartbeat(f);
    after(f, 3000, "ready(2) ");
}

static void
a_missing_blob_holds_the_result_until_it_is_given_again(void **state)
{
    struct fixture *f = *state;
    const struct msg_result result = {.run = job7, .outcome = "ok", .text = ""};

    session_run_result(f->s, &result);
    after(f, 0, "result(ok) ready(2) ");
    hear_ack(f, job7, "result", 0, "missing");
    after(f, 0, "missing(result,abc) ");
    hear_heartbeat(f);
    after(f, 3000, "heartbeat(0) ready(2) ");
    session_run_result(f->s, &result);
    after(f, 0, "result(ok) ");
    hear_ack(f, job7, "result", 0, "duplicate");
    after(f, 0, "settled(7) ");
}

static void
a_fenced_run_is_dropped_whatever_was_refused(void **state)
{
    struct fixture *f = *state;
    const struct msg_point point = {"loss", 1, 1, "", "min"};

    session_run_metrics(f->s, job7, &point, 1, f->now);
    after(f, 250, "metrics(1,1) ");
    hear_ack(f, job7, "metrics", 1, "fenced");
    after(f, 0, "drop(7) ready(2) ");
    hear_ack(f, job7, "result", 0, "committed"); /* of the past */
    after(f, 0, "");
}

static void
everything_is_said_again_in_a_new_session(void **state)
{
    struct fixture *f = *state;
    const struct msg_point point = {"loss", 1, 1, "", "min"};

    session_run_started(f->s, job7, 1, "{}");
    session_run_metrics(f->s, job7, &point, 1, f->now);
    session_run_checkpoint(f->s, job7, 40, "abc", 10);
    after(f, 250, "started metrics(1,1) ");
    hear_ack(f, job7, "metrics", 1, "committed");
    session_run_metrics(f->s, job7, &point, 1, f->now);
    after(f, 0, "checkpoint(40) ");
    after(f, 250, "metrics(2,1) ");
    hear(f, (struct msg){MSG_REJECT, .u.reject = {"who-are-you", ""}});
    after(f, 0, "hello(1,0) ");
    hear_welcome(f);
    after(f, 0, "bulk=b heartbeat(0) started metrics(2,1) checkpoint(40) ready(1) ");
}

static void
welcome_kills_what_is_not_current(void **state)
{
    struct fixture *f = *state;
    struct msg_run kill[] = {job7, {99, 9}};

    hear(f, (struct msg){MSG_WELCOME, .u.welcome = {6, 1000, 4000, "b", kill, 2}});
    after(f, 0, "bulk=b drop(7) heartbeat(0) ready(2) ");
}

/* A GRANT may be lost with everything else working. */
static void
a_run_that_is_asked_for_and_not_known_leads_to_a_hello(void **state)
{
    struct fixture *f = *state;
    struct msg_progress asked = {.run = job7};
    const struct msg m = {MSG_HEARTBEAT, .u.heartbeat = {5, &asked, 1}};

    hear(f, m);
    after(f, 0, "");
    asked.run = job8;
    hear(f, m);
    after(f, 0, "hello(1,0) ");
}

static void
an_idle_worker_repeats_that_it_is_ready(void **state)
{
    struct fixture *f = *state;

    hear_welcome(f);
    after(f, 0, "bulk=b heartbeat(0) ready(2) ");
    after(f, 2000, "heartbeat(0) ");
    hear_heartbeat(f);
    after(f, 1000, "ready(2) "); /* is a sign of life too */
    hear_heartbeat(f);
    after(f, 1000, "heartbeat(0) ");
}

/* In a large fleet the coordinator speaks less often than its workers. */
static void
a_coordinator_may_be_silent_for_as_long_as_it_said(void **state)
{
    struct fixture *f = *state;

    hear(f, (struct msg){MSG_WELCOME,
                         .u.welcome = {5, 5000, 15000, "b", .word_ms = 50000}});
    after(f, 0, "bulk=b heartbeat(0) ready(2) ");
    for (int s = 5; s <= 150; s += 5)
        after(f, 5000, "ready(2) ");
    after(f, 5000, "reconnect hello(0,0) ");
}

static void
the_pace_changes_with_the_fleet(void **state)
{
    struct fixture *f = *state;

    hear_welcome(f);
    after(f, 0, "bulk=b heartbeat(0) ready(2) ");
    hear(f, (struct msg){MSG_HEARTBEAT,
                         .u.heartbeat = {.heartbeat_ms = 4000, .word_ms = 9000}});
    after(f, 1000, "heartbeat(0) "); /* as it was told before */
    for (int s = 5; s < 27; s += 4)
        after(f, 4000, "ready(2) ");
    after(f, 4000, "reconnect hello(0,0) ");
}

/* Of a process that ended its machine tells; nobody waits for its silence. */
static void
a_connection_that_takes_nothing_is_left_where_there_is_another(void **state)
{
    struct fixture *f = *state;

    hear(f, (struct msg){MSG_WELCOME,
                         .u.welcome = {5, 5000, 15000, "b", .word_ms = 50000}});
    after(f, 0, "bulk=b heartbeat(0) ready(2) ");
    f->deaf = true;
    after(f, 5000, "");
    after(f, 1000, "");
    f->deaf = false;
    after(f, 1, "reconnect hello(0,0) ");
}

static void
points_of_an_earlier_life_come_before_its_result(void **state)
{
    struct fixture *f = *state;
    struct msg_point points[] = {{"loss", 1, 0.5, "", "min"},
                                 {"loss", 2, 0.4, "", "min"}};
    const struct msg_metrics batch = {
        .run = job8, .seq = 3, .points = points, .n_points = 2};
    const struct msg_result result = {.run = job8, .outcome = "ok", .text = ""};

    session_run_add_held(f->s, job8);
    session_run_restore(f->s, job8, &batch);
    session_run_restore(f->s, job8, &batch); /* no second time */
    session_run_result(f->s, &result);
    hear_welcome(f);
    after(f, 0, "bulk=b heartbeat(0) metrics(3,2) ready(2) ");
    hear_ack(f, job8, "metrics", 3, "duplicate");
    after(f, 0, "result(ok) ");
}

static void
points_that_are_not_acknowledged_are_shown_when_the_process_is_over(void **state)
{
    struct fixture *f = *state;
    const struct msg_point point = {"loss", 1, 1, "", "min"};

    session_run_metrics(f->s, job7, &point, 1, f->now);
    after(f, 250, "metrics(1,1) ");
    session_run_metrics(f->s, job7, &point, 1, f->now);
    session_run_ended(f->s, job7);
    assert_int_equal(session_run_batch(f->s, job7, 0)->seq, 1);
    assert_int_equal(session_run_batch(f->s, job7, 1)->seq, 2);
    assert_null(session_run_batch(f->s, job7, 2));
    hear_ack(f, job7, "metrics", 1, "committed");
    assert_int_equal(session_run_batch(f->s, job7, 0)->seq, 2);
}

static void
results_of_an_earlier_life_are_announced(void **state)
{
    struct fixture *f = *state;
    const struct msg_result result = {.run = job8, .outcome = "ok", .text = ""};

    session_run_add_held(f->s, job8);
    after(f, 0, "hello(0,1) ");
    session_run_result(f->s, &result);
    after(f, 0, "");
    hear_welcome(f);
    after(f, 0, "bulk=b heartbeat(0) result(ok) ready(2) ");
}

static void
heartbeats_carry_progress_while_the_process_lives(void **state)
{
    struct fixture *f = *state;
    const struct msg_progress p = {.run = job7, .step = 3};

    session_run_progress(f->s, &p);
    after(f, 1000, "heartbeat(1) ");
    session_run_ended(f->s, job7);
    after(f, 1000, "heartbeat(0) ready(2) ");
}

static void
a_draining_worker_takes_nothing_and_says_goodbye(void **state)
{
    struct fixture *f = *state;
    struct msg_run back[] = {job7};

    session_drain(f->s);
    after(f, 0, "ready(0) ");
    assert_int_equal(session_bye(f->s, "SIGTERM", back, 1), 0);
    assert_string_equal(buf_str(&f->said), "bye ");
}

static void
a_limit_changes_what_is_offered(void **state)
{
    struct fixture *f = *state;

    session_limit(f->s, 1);
    after(f, 0, "ready(0) "); /* job 7 is there */
    session_limit(f->s, 99);  /* it has two slots */
    after(f, 0, "ready(1) ");
}

static void
cancels_of_strangers_are_ignored(void **state)
{
    struct fixture *f = *state;

    hear(f, (struct msg){MSG_CANCEL, .u.cancel = {{7, 2}, true, ""}});
    assert_string_equal(buf_str(&f->said), "");
    hear(f, (struct msg){MSG_CANCEL, .u.cancel = {job7, false, ""}});
    assert_string_equal(buf_str(&f->said), "stop ");
}

static void
another_version_is_the_end(void **state)
{
    struct fixture *f = *state;

    hear(f, (struct msg){MSG_REJECT, .u.reject = {"unknown-type", ""}});
    assert_string_equal(buf_str(&f->said), "");
    hear(f, (struct msg){MSG_REJECT, .u.reject = {"version", "install 2"}});
    assert_string_equal(buf_str(&f->said), "refused(install 2) ");
}

static void
a_full_queue_is_tried_again_in_order(void **state)
{
    struct fixture *f = *state;

    session_run_started(f->s, job7, 1, "{}");
    f->deaf = true;
    after(f, 0, "");
    assert_true(session_next_ms(f->s) > f->now);
    f->deaf = false;
    after(f, 50, "started ");
}

#define FRESH(name)   cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define RUNNING(name) cmocka_unit_test_setup_teardown(name, set_up_running, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(hello_is_repeated_until_it_is_welcome),
        FRESH(an_unanswered_hello_moves_to_the_next_coordinator),
        RUNNING(silence_of_a_lease_ends_the_session_but_not_the_job),
        RUNNING(a_forgotten_session_says_hello_on_the_same_connection),
        RUNNING(a_repeated_grant_starts_nothing),
        RUNNING(started_is_repeated_until_it_is_acknowledged),
        RUNNING(points_travel_in_batches_and_again_until_acknowledged),
        RUNNING(a_result_waits_for_metrics_and_checkpoint),
        RUNNING(a_missing_blob_holds_the_result_until_it_is_given_again),
        RUNNING(a_fenced_run_is_dropped_whatever_was_refused),
        RUNNING(everything_is_said_again_in_a_new_session),
        RUNNING(welcome_kills_what_is_not_current),
        RUNNING(a_run_that_is_asked_for_and_not_known_leads_to_a_hello),
        FRESH(an_idle_worker_repeats_that_it_is_ready),
        FRESH(the_pace_changes_with_the_fleet),
        FRESH(a_coordinator_may_be_silent_for_as_long_as_it_said),
        cmocka_unit_test_setup_teardown(
            a_connection_that_takes_nothing_is_left_where_there_is_another,
            set_up_spare, tear_down),
        FRESH(points_of_an_earlier_life_come_before_its_result),
        RUNNING(points_that_are_not_acknowledged_are_shown_when_the_process_is_over),
        FRESH(results_of_an_earlier_life_are_announced),
        RUNNING(heartbeats_carry_progress_while_the_process_lives),
        RUNNING(a_draining_worker_takes_nothing_and_says_goodbye),
        RUNNING(a_limit_changes_what_is_offered),
        RUNNING(cancels_of_strangers_are_ignored),
        FRESH(another_version_is_the_end),
        RUNNING(a_full_queue_is_tried_again_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
