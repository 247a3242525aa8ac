/*
 * The real coordinator, driven by workers that this test plays over its sockets: a chain
 * of jobs with the coordinator killed in the middle, silence, take-over, a crash of
 * PostgreSQL, and peers that do not fit.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "shared/base/sha256.h"
#include "shared/wire/sock.h"
#include "tests/support/dag_fixture.h"
#include "tests/support/pg_fixture.h"

enum { WAIT_MS = 10000 };

#define CATALOG "{\"version\": 1, \"program\": \"0\", \"methods\": [], \"limits\": []}"

struct world {
    char *name, *conninfo, *control, *bulk, *ready, *log;
    struct db *db;
    pid_t pid;
};

/* ---- the program -------------------------------------------------------------------- */

static void
nap(void)
{
    usleep(10000);
}

static pid_t
spawn(struct world *w, const char *control, const char *bulk, const char *ready)
{
    const char *program = getenv("COORDINATOR");
    const pid_t pid = fork();

    assert_non_null(program);
    if (pid != 0)
        return pid;
    if (freopen(w->log, "a", stderr) == NULL)
        _exit(99);
    execl(program, program, "--database", w->conninfo, "--listen", control,
          "--listen-bulk", bulk, "--ready-file", ready, "--lease-ms", "600",
          "--heartbeat-ms", "100", NULL);
    _exit(98);
}

static void
start(struct world *w)
{
    unlink(w->ready);
    w->pid = spawn(w, w->control, w->bulk, w->ready);
    for (int64_t end = clock_mono_ms() + WAIT_MS; !file_exists(w->ready); nap())
        if (clock_mono_ms() > end)
            fail_msg("the coordinator did not come up, see %s", w->log);
}

static int
stop(struct world *w, int sig)
{
    int status;

    kill(w->pid, sig);
    waitpid(w->pid, &status, 0);
    w->pid = 0;
    return status;
}

static int
make_world(void **state)
{
    static int count;
    struct world *w = xcalloc(1, sizeof *w);
    struct dag_fixture *f = dag_fixture_new("a", "text");
    struct db_submitted out;
    struct err err;

    w->name = xasprintf("coordinator%d", ++count);
    w->conninfo = pg_fixture_database(w->name);
    w->control = xasprintf("ipc://%s/%s.c", pg_fixture_dir(), w->name);
    w->bulk = xasprintf("ipc://%s/%s.b", pg_fixture_dir(), w->name);
    w->ready = xasprintf("%s/%s.ready", pg_fixture_dir(), w->name);
    w->log = xasprintf("%s/%s.log", pg_fixture_dir(), w->name);
    assert_int_equal(db_open(&w->db, w->conninfo, &err), 0);
    start(w); /* makes the schema */
    dag_fixture_add(f, 0, 10);
    assert_int_equal(db_submit(w->db, &f->sweep, &f->dag, &out, &err), 0);
    dag_fixture_free(f);
    *state = w;
    return 0;
}

static int
free_world(void **state)
{
    struct world *w = *state;

    if (w->pid != 0)
        stop(w, SIGKILL);
    db_close(w->db);
    free(w->name);
    free(w->conninfo);
    free(w->control);
    free(w->bulk);
    free(w->ready);
    free(w->log);
    free(w);
    return 0;
}

static int64_t
number(struct world *w, const char *sql)
{
    struct err err = {0};
    int64_t n;

    if (pg_number(w->db->pg, &n, NULL, sql, PG_NONE, &err) != 0)
        fail_msg("%s", err.text);
    return n;
}

/* ---- a worker that the test plays ---------------------------------------------------- */

struct fake {
    struct sock *sock;
    struct arena mem;
    const char *boot;
    int64_t session;
    bool mute; /* sends no heartbeats by itself */
};

static void
connect_to(struct fake *f, const char *endpoint, const char *boot)
{
    struct err err;

    *f = (struct fake){.boot = boot};
    assert_int_equal(sock_connect(&f->sock, endpoint, &err), 0);
}

static void
hang_up(struct fake *f)
{
    sock_close(f->sock);
    arena_release(&f->mem);
    *f = (struct fake){0};
}

static void
send(struct fake *f, const struct msg *m)
{
    for (int64_t end = clock_mono_ms() + WAIT_MS; sock_send(f->sock, NULL, m) != 0;
         nap())
        if (clock_mono_ms() > end)
            fail_msg("cannot send %s", msg_type_name(m->type));
}

static void
beat(struct fake *f)
{
    const struct msg m = {.type = MSG_HEARTBEAT,
                          .u.heartbeat = {.session = f->session}};

    if (f->session != 0 && !f->mute)
        send(f, &m);
}

/* The next message of this type; others are skipped. NULL after wait_ms. */
static struct msg *
await(struct fake *f, enum msg_type type, int64_t wait_ms)
{
    struct msg *m = arena_alloc(&f->mem, sizeof *m);
    const int64_t end = clock_mono_ms() + wait_ms;
    struct err err;

    while (clock_mono_ms() < end) {
        unsigned char ready;
        sock_wait(&f->sock, 1, NULL, 0, &ready, 50);
        while (sock_recv(f->sock, NULL, m, &f->mem, &err) == 1)
            if (m->type == type)
                return m;
        beat(f);
    }
    return NULL;
}

static struct msg *
need(struct fake *f, enum msg_type type)
{
    struct msg *m = await(f, type, WAIT_MS);

    if (m == NULL)
        fail_msg("no %s came", msg_type_name(type));
    return m;
}

static const struct msg_welcome *
hello(struct fake *f, struct msg_run *running, size_t n_running)
{
    const struct msg m = {.type = MSG_HELLO,
                          .u.hello = {.name = f->boot,
                                      .boot = f->boot,
                                      .host = "here",
                                      .version = RELUSWEEP_VERSION,
                                      .catalog = CATALOG,
                                      .slots = 1,
                                      .threads = 1,
                                      .running = running,
                                      .n_running = n_running}};

    send(f, &m);
    const struct msg *welcome = need(f, MSG_WELCOME);
    f->session = welcome->u.welcome.session;
    return &welcome->u.welcome;
}

static void
offer(struct fake *f)
{
    const struct msg m = {.type = MSG_READY,
                          .u.ready = {.session = f->session, .free = 1}};

    send(f, &m);
}

static const struct msg_grant *
get_grant(struct fake *f, int64_t job, int64_t attempt)
{
    offer(f);
    const struct msg *m = need(f, MSG_GRANT);
    assert_int_equal(m->u.grant.run.job, job);
    assert_int_equal(m->u.grant.run.attempt, attempt);
    return &m->u.grant;
}

static const char *
report(struct fake *f, struct msg_run run, const char *outcome, const char *sha,
       int64_t size)
{
    struct msg_artifact model = {.name = "model", .sha = sha, .size = size};
    const struct msg m = {.type = MSG_RESULT,
                          .u.result = {.session = f->session,
                                       .run = run,
                                       .outcome = outcome,
                                       .text = "",
                                       .seconds = 1,
                                       .artifacts = &model,
                                       .n_artifacts = sha != NULL}};

    send(f, &m);
    const struct msg *ack = need(f, MSG_ACK);
    assert_string_equal(ack->u.ack.what, "result");
    return ack->u.ack.disposition;
}

static struct sha256
upload(struct world *w, const char *bytes)
{
    const int64_t size = (int64_t)strlen(bytes);
    const struct sha256 digest = sha256_bytes(bytes, strlen(bytes));
    const struct msg put = {.type = MSG_PUT, .u.put = {digest.hex, size}};
    const struct msg chunk = {.type = MSG_CHUNK,
                              .u.chunk = {digest.hex, 0, size, bytes, strlen(bytes)}};
    struct fake f;

    connect_to(&f, w->bulk, "bulk");
    send(&f, &put);
    assert_int_equal(need(&f, MSG_PUT_STATE)->u.put_state.offset, 0);
    send(&f, &chunk);
    assert_int_equal(need(&f, MSG_PUT_STATE)->u.put_state.offset, size);
    hang_up(&f);
    return digest;
}

/* ---- tests --------------------------------------------------------------------------- */

static void
a_chain_survives_kill_9_of_the_coordinator(void **state)
{
    struct world *w = *state;
    struct msg_run teacher = {1, 1};
    struct fake f;

    connect_to(&f, w->control, "alice");
    assert_int_equal(hello(&f, NULL, 0)->n_kill, 0);
    assert_non_null(strstr(get_grant(&f, 1, 1)->spec, "\"teacher\""));
    const struct msg started = {
        .type = MSG_STARTED,
        .u.started = {f.session, teacher, 77, "{\"host\": \"here\"}"}};
    send(&f, &started);
    assert_string_equal(need(&f, MSG_ACK)->u.ack.disposition, "committed");
    struct msg_point p = {"train/loss", 1, 2.5, "", "min"};
    const struct msg metrics = {.type = MSG_METRICS,
                                .u.metrics = {f.session, teacher, 1, &p, 1}};
    send(&f, &metrics);
    assert_int_equal(need(&f, MSG_ACK)->u.ack.seq, 1);

    stop(w, SIGKILL);
    start(w);

    assert_string_equal(need(&f, MSG_REJECT)->u.reject.code, "who-are-you");
    assert_int_equal(hello(&f, &teacher, 1)->n_kill, 0); /* adopted */
    assert_string_equal(report(&f, teacher, "ok", sha256_bytes("weights", 7).hex, 7),
                        "missing");
    const struct sha256 model = upload(w, "weights");
    assert_string_equal(report(&f, teacher, "ok", model.hex, 7), "committed");
    assert_string_equal(report(&f, teacher, "ok", model.hex, 7), "duplicate");

    const struct msg_grant *mask = get_grant(&f, 2, 1);
    assert_int_equal(mask->n_inputs, 1);
    assert_string_equal(mask->inputs[0].stage, "teacher");
    assert_string_equal(mask->inputs[0].sha, model.hex);
    assert_string_equal(report(&f, (struct msg_run){2, 1}, "ok", NULL, 0), "committed");
    get_grant(&f, 3, 1);
    assert_string_equal(report(&f, (struct msg_run){3, 1}, "ok", NULL, 0), "committed");
    assert_int_equal(number(w, "SELECT count(*) FROM job WHERE state = 'succeeded'"),
                     3);
    assert_int_equal(number(w, "SELECT count(*) FROM attempt"), 3);
    assert_int_equal(number(w, "SELECT count(*) FROM metric"), 1);
    hang_up(&f);
    assert_int_equal(stop(w, SIGTERM), 0);
}

static void
a_silent_workers_job_runs_elsewhere_and_its_late_result_is_fenced(void **state)
{
    struct world *w = *state;
    struct fake a, b;

    connect_to(&a, w->control, "alice");
    connect_to(&b, w->control, "bob");
    hello(&a, NULL, 0);
    get_grant(&a, 1, 1);
    a.mute = true;
    const int64_t silent = clock_mono_ms();
    hello(&b, NULL, 0);
    get_grant(&b, 1, 2);
    print_message("granted again after %lld ms of silence (lease 600 ms)\n",
                  (long long)(clock_mono_ms() - silent));
    assert_in_range(clock_mono_ms() - silent, 500, 3000);

    struct msg_run old = {1, 1};
    const struct msg_welcome *back = hello(&a, &old, 1);
    assert_int_equal(back->n_kill, 1);
    assert_string_equal(report(&a, old, "ok", NULL, 0), "fenced");
    assert_string_equal(report(&b, (struct msg_run){1, 2}, "ok", NULL, 0), "committed");
    assert_int_equal(number(w, "SELECT count(*) FROM job WHERE state = 'succeeded'"),
                     1);
    hang_up(&a);
    hang_up(&b);
}

static void
a_goodbye_hands_the_job_to_the_next_worker_at_once(void **state)
{
    struct world *w = *state;
    struct msg_run run = {1, 1};
    struct fake a, b;

    connect_to(&a, w->control, "alice");
    connect_to(&b, w->control, "bob");
    hello(&a, NULL, 0);
    get_grant(&a, 1, 1);
    const struct msg bye = {.type = MSG_BYE, .u.bye = {a.session, "shutdown", &run, 1}};
    send(&a, &bye);
    hello(&b, NULL, 0);
    get_grant(&b, 1, 2);
    assert_int_equal(number(w, "SELECT n_lost + n_error FROM job WHERE id = 1"), 0);
    hang_up(&a);
    hang_up(&b);
}

static void
a_running_job_is_told_to_stop_when_a_person_cancels_it(void **state)
{
    struct world *w = *state;
    const struct db_selection sel = {.job = "1"};
    struct err err;
    struct fake f;
    int64_t count;

    connect_to(&f, w->control, "alice");
    hello(&f, NULL, 0);
    get_grant(&f, 1, 1);
    assert_int_equal(db_cancel(w->db, &sel, true, &count, &err), 0);
    const struct msg *cancel = need(&f, MSG_CANCEL);
    assert_int_equal(cancel->u.cancel.run.attempt, 1);
    assert_true(cancel->u.cancel.hard);
    assert_string_equal(report(&f, (struct msg_run){1, 1}, "stopped", NULL, 0),
                        "committed");
    assert_int_equal(number(w, "SELECT count(*) FROM job WHERE state = 'cancelled'"),
                     1);
    hang_up(&f);
}

static void
a_second_coordinator_waits_and_takes_over(void **state)
{
    struct world *w = *state;
    char *control = xasprintf("%s2", w->control), *bulk = xasprintf("%s2", w->bulk);
    char *ready = xasprintf("%s2", w->ready);
    const pid_t first = w->pid, second = spawn(w, control, bulk, ready);
    struct fake f;

    usleep(700 * 1000);
    assert_false(file_exists(ready));
    w->pid = first;
    stop(w, SIGKILL);
    w->pid = second;
    connect_to(&f, control, "alice");
    const int64_t killed = clock_mono_ms();
    for (int64_t end = killed + WAIT_MS; !file_exists(ready); nap())
        assert_true(clock_mono_ms() < end);
    assert_true(clock_mono_ms() - killed < 2000);
    hello(&f, NULL, 0);
    get_grant(&f, 1, 1);
    assert_int_equal(number(w, "SELECT epoch FROM leader"), 2);
    hang_up(&f);
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

    connect_to(&f, w->control, "alice");
    hello(&f, NULL, 0);
    get_grant(&f, 1, 1);
    pg_fixture_crash();
    struct msg_run run = {1, 1};
    const struct msg result = {
        .type = MSG_RESULT,
        .u.result = {.session = f.session, .run = run, .outcome = "ok", .text = ""}};
    send(&f, &result);
    assert_null(await(&f, MSG_ACK, 500)); /* not acknowledged: not committed */
    assert_non_null(await(&f, MSG_HEARTBEAT, 1000));
    pg_fixture_start();
    db_close(w->db);
    assert_int_equal(db_open(&w->db, w->conninfo, &err), 0);
    send(&f, &result);
    const struct msg *ack = NULL;
    while (ack == NULL) {
        send(&f, &result);
        ack = await(&f, MSG_ACK, 500);
    }
    assert_string_equal(ack->u.ack.disposition, "committed");
    assert_int_equal(number(w, "SELECT attempt FROM job WHERE id = 1"), 1);
    hang_up(&f);
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

    connect_to(&f, w->control, "x");
    send(&f, &old);
    const struct msg *reject = need(&f, MSG_REJECT);
    assert_string_equal(reject->u.reject.code, "version");
    assert_non_null(strstr(reject->u.reject.text, "9.1.0"));
    assert_non_null(strstr(reject->u.reject.text, RELUSWEEP_VERSION));
    wrong.u.hello.version = RELUSWEEP_VERSION;
    wrong.u.hello.slots = 0;
    send(&f, &wrong);
    assert_string_equal(need(&f, MSG_REJECT)->u.reject.code, "refused");
    const struct msg put = {.type = MSG_PUT, .u.put = {"aa", 1}};
    send(&f, &put);
    assert_string_equal(need(&f, MSG_REJECT)->u.reject.code, "unknown-type");
    hang_up(&f);
}

static void
an_address_in_use_ends_the_program_with_code_3(void **state)
{
    struct world *w = *state;
    int status;

    waitpid(spawn(w, w->control, w->bulk, w->ready), &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_chain_survives_kill_9_of_the_coordinator),
        TEST(a_silent_workers_job_runs_elsewhere_and_its_late_result_is_fenced),
        TEST(a_goodbye_hands_the_job_to_the_next_worker_at_once),
        TEST(a_running_job_is_told_to_stop_when_a_person_cancels_it),
        TEST(a_second_coordinator_waits_and_takes_over),
        TEST(a_crash_of_postgresql_loses_nothing),
        TEST(peers_that_do_not_fit_are_told_why),
        TEST(an_address_in_use_ends_the_program_with_code_3),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
