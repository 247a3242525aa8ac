/*
 * The whole agent against a coordinator that this test plays, over real sockets. The
 * program plays three parts: the test, the agent (`agent ...`, started by the test) and
 * the stage (`stage DIR`, started by the agent from /proc/self/exe).
 */
#include "worker/agent/agent.h"
#include "worker/agent/cores.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "shared/spec/job.h"
#include "shared/wire/sock.h"
#include "tests/worker/agent/fake_stage.h"

enum { PATIENCE_MS = 8000, MAX_BLOBS = 16 };

struct stored {
    char sha[SHA256_HEX + 1];
    struct buf data;
};

/* A coordinator with one worker, and its bulk store. */
struct world {
    char dir[64];
    struct sock *control, *bulk;
    struct sock_peer peer;
    pid_t agent;
    struct stored blobs[MAX_BLOBS];
    size_t n_blobs;
    struct arena mem;
    struct msg last; /* last message taken by take_message */
    struct buf log;
    int64_t points;
    double last_value;
    int64_t checkpoint_step;
    char checkpoint_sha[SHA256_HEX + 1];
    int64_t progress_step;
    bool mute; /* do not acknowledge points and results */
};

/* ---- the coordinator's part ------------------------------------------------------- */

static void
bind_all(struct world *w)
{
    char *control = xasprintf("ipc://%s/control", w->dir);
    char *bulk = xasprintf("ipc://%s/bulk", w->dir);
    struct err err;

    assert_int_equal(sock_bind(&w->control, control, &err), 0);
    assert_int_equal(sock_bind(&w->bulk, bulk, &err), 0);
    free(control);
    free(bulk);
}

static struct stored *
find_stored(struct world *w, const char *sha)
{
    for (size_t i = 0; i < w->n_blobs; i++)
        if (strcmp(w->blobs[i].sha, sha) == 0)
            return &w->blobs[i];
    assert_true(w->n_blobs < MAX_BLOBS);
    struct stored *s = &w->blobs[w->n_blobs++];
    snprintf(s->sha, sizeof s->sha, "%s", sha);
    return s;
}

static const char *
store(struct world *w, const char *text)
{
    struct stored *s = find_stored(w, sha256_bytes(text, strlen(text)).hex);

    buf_clear(&s->data);
    buf_puts(&s->data, text);
    return s->sha;
}

static void
serve_bulk(struct world *w)
{
    struct sock_peer peer;
    struct arena mem = {0};
    struct msg m;
    struct err err;

    while (sock_recv(w->bulk, &peer, &m, &mem, &err) == 1) {
        struct msg reply = {.type = MSG_PUT_STATE};
        if (m.type == MSG_GET) {
            struct stored *s = find_stored(w, m.u.get.sha);
            reply = (struct msg){MSG_CHUNK,
                                 .u.chunk = {m.u.get.sha, 0, (int64_t)s->data.len,
                                             s->data.data, s->data.len}};
        } else if (m.type == MSG_PUT) {
            struct stored *s = find_stored(w, m.u.put.sha);
            reply.u.put_state =
                (struct msg_put_state){m.u.put.sha, (int64_t)s->data.len, ""};
        } else {
            struct stored *s = find_stored(w, m.u.chunk.sha);
            if (m.u.chunk.offset == (int64_t)s->data.len)
                buf_add(&s->data, m.u.chunk.data, m.u.chunk.data_size);
            reply.u.put_state =
                (struct msg_put_state){m.u.chunk.sha, (int64_t)s->data.len, ""};
        }
        (void)sock_send(w->bulk, &peer, &reply); /* an agent that was killed */
    }
    arena_release(&mem);
}

static void
answer(struct world *w, struct msg m)
{
    assert_int_equal(sock_send(w->control, &w->peer, &m), 0);
}

static void
acknowledge(struct world *w, struct msg_run run, const char *what, int64_t seq,
            const char *disposition)
{
    answer(w, (struct msg){MSG_ACK, .u.ack = {run, what, seq, disposition, ""}});
}

static void
react(struct world *w, const struct msg *m)
{
    switch (m->type) {
    case MSG_STARTED:
        acknowledge(w, m->u.started.run, "started", 0, "committed");
        break;
    case MSG_METRICS:
        w->points += (int64_t)m->u.metrics.n_points;
        w->last_value = m->u.metrics.points[m->u.metrics.n_points - 1].value;
        if (!w->mute)
            acknowledge(w, m->u.metrics.run, "metrics", m->u.metrics.seq, "committed");
        break;
    case MSG_CHECKPOINT:
        w->checkpoint_step = m->u.checkpoint.step;
        snprintf(w->checkpoint_sha, sizeof w->checkpoint_sha, "%s",
                 m->u.checkpoint.sha);
        acknowledge(w, m->u.checkpoint.run, "checkpoint", m->u.checkpoint.step,
                    "committed");
        break;
    case MSG_LOG:
        if (m->u.log.offset == (int64_t)w->log.len)
            buf_puts(&w->log, m->u.log.text);
        break;
    case MSG_HEARTBEAT:
        if (m->u.heartbeat.n_progress > 0)
            w->progress_step = m->u.heartbeat.progress[0].step;
        /* it may be the last one of an agent that was killed */
        (void)sock_send(w->control, &w->peer,
                        &(struct msg){MSG_HEARTBEAT, .u.heartbeat = {.session = 1}});
        break;
    case MSG_RESULT:
        if (!w->mute)
            acknowledge(w, m->u.result.run, "result", 0, "committed");
        break;
    default: break;
    }
}

/* Serves until a message of this type arrives; it is in w->last. */
static void
await(struct world *w, enum msg_type type)
{
    const int64_t end = clock_mono_ms() + PATIENCE_MS;
    struct sock *socks[2] = {w->control, w->bulk};
    unsigned char ready[2];
    struct err err;

    for (;;) {
        if (clock_mono_ms() > end)
            fail_msg("no %s came", msg_type_name(type));
        (void)sock_wait(socks, 2, NULL, 0, ready, 50);
        serve_bulk(w);
        const int rc = sock_recv(w->control, &w->peer, &w->last, &w->mem, &err);
        if (rc < 0)
            fail_msg("%s", err.text);
        if (rc == 0)
            continue;
        react(w, &w->last);
        if (w->last.type == type)
            return;
    }
}

static void
welcome(struct world *w)
{
    char *bulk = xasprintf("ipc://%s/bulk", w->dir);

    await(w, MSG_HELLO);
    answer(w, (struct msg){MSG_WELCOME, .u.welcome = {.session = 1,
                                                      .heartbeat_ms = 50,
                                                      .lease_ms = 3000,
                                                      .bulk = bulk}});
    free(bulk);
}

/* Grants a job whose stage does these things. */
static void
grant(struct world *w, int64_t job, const char *todo, const char *input,
      const char *resume)
{
    json_t *spec = json_pack("{s:i, s:s, s:s, s:i, s:{s:s}, s:{}}", "version",
                             JOB_SPEC_VERSION, "method", "test", "stage", "teacher",
                             "revision", 1, "params", "do", todo, "inputs");
    char *text = json_canonical(spec);
    const struct sha256 digest = job_spec_digest(spec);
    struct msg_input in = {"teacher", "model", input ? store(w, input) : "",
                           input ? (int64_t)strlen(input) : 0};

    answer(w,
           (struct msg){MSG_GRANT,
                        .u.grant = {.run = {job, 1},
                                    .spec = text,
                                    .digest = digest.hex,
                                    .inputs = &in,
                                    .n_inputs = input != NULL,
                                    .resume_sha = resume ? store(w, resume) : "",
                                    .resume_size = resume ? (int64_t)strlen(resume) : 0,
                                    .resume_step = resume ? 40 : 0}});
    free(text);
    json_decref(spec);
}

/* ---- the agent's process ---------------------------------------------------------- */

static void
start_agent(struct world *w)
{
    char *connect = xasprintf("ipc://%s/control", w->dir);
    char *work = xasprintf("%s/agent", w->dir);
    char *cores = xasprintf("%s/cores", w->dir);

    w->agent = fork();
    if (w->agent == 0) {
        setenv("RELUSWEEP_LOG", "error", 0);
        execl("/proc/self/exe", "agent_test", "agent", "--connect", connect,
              "--work-dir", work, "--name", "w", "--slots", "1", "--threads", "0",
              "--cores-dir", cores, (char *)NULL);
        _exit(127);
    }
    assert_true(w->agent > 0);
    free(connect);
    free(work);
    free(cores);
}

static int
join_agent(struct world *w)
{
    int status;

    assert_int_equal(waitpid(w->agent, &status, 0), w->agent);
    w->agent = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    strcpy(w->dir, "/tmp/relusweep-agent-XXXXXX");
    if (mkdtemp(w->dir) == NULL)
        return -1;
    *state = w;
    bind_all(w);
    start_agent(w);
    welcome(w);
    await(w, MSG_READY);
    assert_int_equal(w->last.u.ready.free, 1);
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;
    struct err err;

    if (w->agent > 0) {
        kill(w->agent, SIGKILL);
        (void)join_agent(w);
    }
    sock_close(w->control);
    sock_close(w->bulk);
    for (size_t i = 0; i < w->n_blobs; i++)
        buf_release(&w->blobs[i].data);
    buf_release(&w->log);
    arena_release(&w->mem);
    const int rc = file_remove_tree(w->dir, &err);
    free(w);
    return rc;
}

static bool
is_empty(const struct world *w, const char *folder)
{
    char *command = xasprintf("test -z \"$(ls %s/agent/%s)\"", w->dir, folder);
    const bool empty = system(command) == 0;

    free(command);
    return empty;
}

/* ---- tests ------------------------------------------------------------------------ */

static void
a_job_runs_from_grant_to_result(void **state)
{
    struct world *w = *state;

    grant(w, 7, "start log metrics model result", NULL, NULL);
    await(w, MSG_STARTED);
    assert_non_null(strstr(w->last.u.started.provenance, "\"engine\":\"none\""));
    assert_true(w->last.u.started.pid > 0);
    await(w, MSG_RESULT);
    const struct msg_result *r = &w->last.u.result;
    assert_string_equal(r->outcome, "ok");
    assert_int_equal(r->run.job, 7);
    assert_int_equal(r->n_finals, 1);
    assert_true(r->finals[0].value == 91.5);
    assert_int_equal(r->n_artifacts, 1);
    assert_string_equal(r->artifacts[0].name, "model");
    assert_string_equal(buf_str(&find_stored(w, r->artifacts[0].sha)->data), "weights");
    assert_true(r->peak_rss_bytes > 0);
    assert_int_equal(w->points, 2); /* before the result */
    assert_string_equal(buf_str(&w->log), "epoch 1 of 2\n");
    await(w, MSG_HEARTBEAT);
    await(w, MSG_HEARTBEAT);
    assert_true(is_empty(w, "jobs"));
    assert_true(is_empty(w, "spool"));
}

static void
a_job_that_runs_alone_is_granted_all_cores(void **state)
{
    struct world *w = *state;

    grant(w, 7, "start all-cores model result", NULL, NULL);
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "ok");
}

/* The test is the other worker. A result that came while its job runs would be missed. */
static void
cores_of_another_worker_are_granted_when_its_job_ends(void **state)
{
    struct world *w = *state;
    char *dir = xasprintf("%s/cores", w->dir);
    struct cores *other = NULL;
    struct err err;

    if (proc_cores() == 1)
        skip();
    assert_int_equal(cores_open(&other, dir, &err), 0);
    (void)cores_claim(other, 1, clock_mono_ms());
    grant(w, 7, "start all-cores model result", NULL, NULL);
    await(w, MSG_STARTED);
    for (int i = 0; i < 12; i++)
        await(w, MSG_HEARTBEAT);
    cores_close(other);
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "ok");
    free(dir);
}

static void
inputs_and_the_checkpoint_are_fetched(void **state)
{
    struct world *w = *state;

    grant(w, 7, "start resume copy-input result", "teacher weights", "checkpoint data");
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "ok");
    assert_true(w->last_value == (double)strlen("checkpoint data"));
    assert_string_equal(
        buf_str(&find_stored(w, w->last.u.result.artifacts[0].sha)->data),
        "teacher weights");
}

static void
a_failing_stage_is_a_recorded_failure(void **state)
{
    struct world *w = *state;

    grant(w, 7, "start garbage error", NULL, NULL);
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "numeric");
    assert_string_equal(w->last.u.result.text, "loss is NaN at step 3");
    assert_int_equal(w->last.u.result.exit_code, err_kind_exit(ERR_NUMERIC));
    grant(w, 8, "log exit-7", NULL, NULL);
    await(w, MSG_RESULT);
    assert_int_equal(w->last.u.result.run.job, 8);
    assert_string_equal(w->last.u.result.outcome, "bug");
    assert_non_null(strstr(w->last.u.result.text, "epoch 1 of 2"));
    grant(w, 9, "start", NULL, NULL);
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "bug"); /* no result was said */
}

static void
a_crash_is_told_with_its_signal_and_last_lines(void **state)
{
    struct world *w = *state;

    grant(w, 7, "start log checkpoint crash", NULL, NULL);
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "signal");
    assert_int_equal(w->last.u.result.signal, SIGKILL);
    assert_non_null(strstr(w->last.u.result.text, "epoch 1 of 2"));
    /* the checkpoint came first, so the next attempt can use it */
    assert_int_equal(w->checkpoint_step, 40);
    assert_string_equal(buf_str(&find_stored(w, w->checkpoint_sha)->data),
                        "state after forty steps");
}

/* Of the same length, so that only the digest tells. */
static void
a_damaged_checkpoint_is_told_apart_from_damaged_inputs(void **state)
{
    struct world *w = *state;

    grant(w, 7, "start", NULL, "state after forty steps");
    buf_clear(&w->blobs[w->n_blobs - 1].data);
    buf_puts(&w->blobs[w->n_blobs - 1].data, "state after forty stops");
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "checkpoint");
    assert_non_null(strstr(w->last.u.result.text, "damaged"));
    grant(w, 8, "start", "teacher weights", NULL);
    buf_clear(&w->blobs[w->n_blobs - 1].data);
    buf_puts(&w->blobs[w->n_blobs - 1].data, "teacher wights!");
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "data");
}

static void
a_damaged_spec_is_refused(void **state)
{
    struct world *w = *state;

    answer(w, (struct msg){MSG_GRANT,
                           .u.grant = {.run = {7, 1}, .spec = "{}", .digest = "00"}});
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "data");
}

static void
a_folder_that_cannot_be_used_fails_the_attempt_not_the_agent(void **state)
{
    struct world *w = *state;
    char *jobs = xasprintf("%s/agent/jobs", w->dir);
    struct err err;

    assert_int_equal(file_remove_tree(jobs, &err), 0);
    assert_int_equal(file_write(jobs, "", 0, &err), 0);
    grant(w, 7, "start", NULL, NULL);
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "sys");
    assert_non_null(strstr(w->last.u.result.text, jobs));
    assert_int_equal(unlink(jobs), 0);
    grant(w, 8, "start model result", NULL, NULL);
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "ok");
    free(jobs);
}

static void
a_soft_cancel_lets_the_stage_write_its_checkpoint(void **state)
{
    struct world *w = *state;

    grant(w, 7, "start hang", NULL, NULL);
    await(w, MSG_STARTED);
    while (w->progress_step != 40)
        await(w, MSG_HEARTBEAT);
    answer(w, (struct msg){MSG_CANCEL, .u.cancel = {{7, 1}, false, "by hand"}});
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "stopped");
    assert_string_equal(w->last.u.result.text, "by hand");
    assert_int_equal(w->checkpoint_step, 40);
}

static void
a_hard_cancel_kills(void **state)
{
    struct world *w = *state;

    grant(w, 7, "deaf", NULL, NULL);
    await(w, MSG_STARTED);
    answer(w, (struct msg){MSG_CANCEL, .u.cancel = {{7, 1}, true, "by hand"}});
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "stopped");
    assert_int_equal(w->last.u.result.signal, SIGKILL);
}

static void
a_fenced_run_is_killed_without_a_result(void **state)
{
    struct world *w = *state;

    grant(w, 7, "deaf", NULL, NULL);
    await(w, MSG_STARTED);
    const pid_t stage = (pid_t)w->last.u.started.pid;
    acknowledge(w, (struct msg_run){7, 1}, "started", 0, "fenced");
    await(w, MSG_READY);
    assert_int_equal(w->last.u.ready.free, 1);
    assert_int_equal(kill(stage, 0), -1);
    assert_true(is_empty(w, "jobs"));
}

static void
sigterm_hands_running_jobs_back_with_their_checkpoint(void **state)
{
    struct world *w = *state;

    grant(w, 7, "start hang", NULL, NULL);
    while (w->progress_step != 40)
        await(w, MSG_HEARTBEAT);
    kill(w->agent, SIGTERM);
    await(w, MSG_BYE);
    assert_int_equal(w->last.u.bye.n_returned, 1);
    assert_int_equal(w->last.u.bye.returned[0].job, 7);
    assert_int_equal(w->checkpoint_step, 40);
    assert_int_equal(join_agent(w), 0);
    assert_true(is_empty(w, "jobs"));
    assert_true(is_empty(w, "spool"));
}

static void
a_second_sigterm_ends_at_once(void **state)
{
    struct world *w = *state;

    grant(w, 7, "deaf", NULL, NULL);
    await(w, MSG_STARTED);
    kill(w->agent, SIGTERM);
    for (int i = 0; i < 4; i++)
        await(w, MSG_HEARTBEAT); /* it waits for the stage */
    kill(w->agent, SIGTERM);
    await(w, MSG_BYE);
    assert_int_equal(w->last.u.bye.n_returned, 1);
    assert_int_equal(join_agent(w), 0);
}

static void
a_result_outlives_the_agent(void **state)
{
    struct world *w = *state;

    w->mute = true;
    grant(w, 7, "start model result", NULL, NULL);
    await(w, MSG_RESULT);
    kill(w->agent, SIGKILL);
    assert_int_equal(join_agent(w), 128 + SIGKILL);
    w->mute = false;
    start_agent(w);
    welcome(w);
    assert_int_equal(w->last.u.hello.n_running, 0);
    assert_int_equal(w->last.u.hello.n_held, 1);
    assert_int_equal(w->last.u.hello.held[0].job, 7);
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "ok");
    assert_true(w->last.u.result.finals[0].value == 91.5);
    await(w, MSG_HEARTBEAT);
    await(w, MSG_HEARTBEAT);
    assert_true(is_empty(w, "spool"));
}

static void
points_outlive_the_agent_with_their_result(void **state)
{
    struct world *w = *state;

    w->mute = true;
    grant(w, 7, "start metrics model result", NULL, NULL);
    await(w, MSG_METRICS);
    while (is_empty(w, "spool")) /* its result waits for the points */
        await(w, MSG_HEARTBEAT);
    kill(w->agent, SIGKILL);
    assert_int_equal(join_agent(w), 128 + SIGKILL);
    w->mute = false;
    start_agent(w);
    welcome(w);
    assert_int_equal(w->last.u.hello.n_held, 1);
    await(w, MSG_METRICS);
    assert_int_equal(w->last.u.metrics.seq, 1);
    assert_int_equal(w->last.u.metrics.n_points, 2);
    assert_string_equal(w->last.u.metrics.points[1].name, "train/loss");
    assert_true(w->last.u.metrics.points[1].value == 0.25);
    await(w, MSG_RESULT);
    assert_string_equal(w->last.u.result.outcome, "ok");
}

static void
a_new_coordinator_adopts_the_running_job(void **state)
{
    struct world *w = *state;

    grant(w, 7, "start hang", NULL, NULL);
    await(w, MSG_STARTED);
    sock_close(w->control);
    sock_close(w->bulk);
    usleep(300 * 1000); /* libzmq releases the address a moment later */
    bind_all(w);
    await(w, MSG_HEARTBEAT);
    answer(w, (struct msg){MSG_REJECT, .u.reject = {"who-are-you", "say HELLO"}});
    await(w, MSG_HELLO);
    assert_int_equal(w->last.u.hello.n_running, 1);
    assert_int_equal(w->last.u.hello.running[0].job, 7);
    char *bulk = xasprintf("ipc://%s/bulk", w->dir);
    answer(w, (struct msg){MSG_WELCOME, .u.welcome = {2, 50, 3000, bulk, NULL, 0}});
    free(bulk);
    answer(w, (struct msg){MSG_CANCEL, .u.cancel = {{7, 1}, false, "enough"}});
    await(w, MSG_RESULT);
    assert_int_equal(w->last.u.result.session, 2);
    assert_string_equal(w->last.u.result.outcome, "stopped");
}

static void
the_coordinator_may_refuse_the_worker(void **state)
{
    struct world *w = *state;

    answer(w, (struct msg){MSG_REJECT, .u.reject = {"version", "install 0.2.0"}});
    assert_int_equal(join_agent(w), err_kind_exit(ERR_REFUSED));
}

/* ---- the three parts -------------------------------------------------------------- */

static int
play_agent(int argc, char **argv)
{
    struct err err;

    if (agent_main(argc, argv, "{\"version\":1}", "blas", &err) == 0)
        return 0;
    return err_kind_exit(err.kind);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "stage") == 0)
        return fake_stage(argv[2]);
    if (argc > 2 && strcmp(argv[1], "agent") == 0)
        return play_agent(argc - 1, argv + 1);
    const struct CMUnitTest tests[] = {
        TEST(a_job_runs_from_grant_to_result),
        TEST(a_job_that_runs_alone_is_granted_all_cores),
        TEST(cores_of_another_worker_are_granted_when_its_job_ends),
        TEST(inputs_and_the_checkpoint_are_fetched),
        TEST(a_failing_stage_is_a_recorded_failure),
        TEST(a_crash_is_told_with_its_signal_and_last_lines),
        TEST(a_damaged_checkpoint_is_told_apart_from_damaged_inputs),
        TEST(a_damaged_spec_is_refused),
        TEST(a_folder_that_cannot_be_used_fails_the_attempt_not_the_agent),
        TEST(a_soft_cancel_lets_the_stage_write_its_checkpoint),
        TEST(a_hard_cancel_kills),
        TEST(a_fenced_run_is_killed_without_a_result),
        TEST(sigterm_hands_running_jobs_back_with_their_checkpoint),
        TEST(a_second_sigterm_ends_at_once),
        TEST(a_result_outlives_the_agent),
        TEST(points_outlive_the_agent_with_their_result),
        TEST(a_new_coordinator_adopts_the_running_job),
        TEST(the_coordinator_may_refuse_the_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
