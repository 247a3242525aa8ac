/*
 * Workers that lie, repeat themselves, flood, or never listen, against the real
 * coordinator: no row may come of it that is not true, and honest workers are served all
 * the while.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/proc.h"
#include "tests/coordinator/dispatch/fake_worker.h"

enum { FLOOD = 3000, POINTS = 100000, NESTED = 1 << 20 };

/* The address sanitizer, of which gcc and clang tell in their own ways, keeps freed memory
 * for a while. */
#if defined(__SANITIZE_ADDRESS__)
#define KEEPS_FREED 1
#elif defined(__has_feature)
#define KEEPS_FREED __has_feature(address_sanitizer)
#else
#define KEEPS_FREED 0
#endif
enum { DEAF_MIB = KEEPS_FREED ? 450 : 128 };

#define WRONG_ROWS                                                                \
    "SELECT (SELECT count(*) FROM metric) + (SELECT count(*) FROM metric_final)"  \
    " + (SELECT count(*) FROM artifact) + (SELECT count(*) FROM log_chunk)"       \
    " + (SELECT count(*) FROM checkpoint_head) + (SELECT count(*) FROM progress)" \
    " + (SELECT count(*) FROM attempt WHERE started_at IS NOT NULL"               \
    "    OR outcome IS NOT NULL)"

/* ---- helpers ------------------------------------------------------------------------ */

static int64_t
resident_mib(pid_t pid)
{
    char path[64], line[128] = "", *end;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    (void)strtoll(line, &end, 10); /* the second number is the one */
    return strtoll(end, NULL, 10) * sysconf(_SC_PAGESIZE) >> 20;
}

static int64_t
count_logged(struct world *w, const char *part)
{
    struct buf text = {0};
    struct err err;
    int64_t n = 0;

    assert_int_equal(file_read(&text, w->log, &err), 0);
    for (const char *at = buf_str(&text); (at = strstr(at, part)) != NULL; at++)
        n++;
    buf_release(&text);
    return n;
}

static void
assert_logged(struct world *w, const char *part)
{
    struct buf text = {0};
    struct err err;

    assert_int_equal(file_read(&text, w->log, &err), 0);
    if (strstr(buf_str(&text), part) == NULL)
        fail_msg("the log does not say `%s`", part);
    buf_release(&text);
}

/* A new worker gets through, which also means that all before it was looked at. */
static void
assert_served(struct world *w)
{
    struct fake f;

    fake_connect(&f, w->control, "honest");
    fake_hello(&f, NULL, 0);
    fake_hang_up(&f);
}

/* The disposition of the ACK to m; "" when none comes. */
static const char *
ack_of(struct fake *f, const struct msg *m)
{
    fake_send(f, m);
    const struct msg *ack = fake_await(f, MSG_ACK, 2000);
    return ack != NULL ? ack->u.ack.disposition : "";
}

/* Every message that can be about a run, from a session. */
static size_t
all_about(struct msg *out, int64_t session, struct msg_run run, const char *sha)
{
    static struct msg_point point = {"CA", -1, 99.9, "%", "max"};
    static struct msg_artifact model = {.name = "model", .size = 7};
    size_t n = 0;

    model.sha = sha;
    out[n++] = (struct msg){.type = MSG_STARTED, .u.started = {session, run, 1, "{}"}};
    out[n++] =
        (struct msg){.type = MSG_METRICS, .u.metrics = {session, run, 1, &point, 1}};
    out[n++] =
        (struct msg){.type = MSG_CHECKPOINT, .u.checkpoint = {session, run, 5, sha, 7}};
    out[n++] = (struct msg){.type = MSG_RESULT,
                            .u.result = {.session = session,
                                         .run = run,
                                         .outcome = "ok",
                                         .text = "",
                                         .finals = &point,
                                         .n_finals = 1,
                                         .artifacts = &model,
                                         .n_artifacts = 1}};
    return n;
}

static void
tell_lies(struct fake *f, int64_t session, struct msg_run run, const char *sha)
{
    const struct msg log = {.type = MSG_LOG, .u.log = {session, run, 0, "a lie"}};
    struct msg_progress progress = {.run = run, .epoch = 9, .epochs = 9};
    const struct msg beat = {.type = MSG_HEARTBEAT,
                             .u.heartbeat = {session, &progress, 1}};
    struct msg lies[8];
    const size_t n = all_about(lies, session, run, sha);

    for (size_t i = 0; i < n; i++)
        assert_string_equal(ack_of(f, &lies[i]), "fenced");
    fake_send(f, &log);
    fake_send(f, &beat);
}

/* ---- forgery ------------------------------------------------------------------------ */

static void
lies_about_the_job_of_another_worker_change_nothing(void **state)
{
    struct world *w = *state;
    const struct sha256 sha = world_upload(w, "weights");
    const struct msg_run runs[] = {
        {1, 1}, {1, 2},          {1, 0}, {2, 1},
        {0, 0}, {-1, INT64_MIN}, {1, 7}, {INT64_MAX, INT64_MAX}};
    struct fake a, b;

    fake_connect(&a, w->control, "alice");
    fake_connect(&b, w->control, "mallory");
    fake_hello(&a, NULL, 0);
    fake_get_grant(&a, 1, 1);
    fake_hello(&b, NULL, 0);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        tell_lies(&b, b.session, runs[i], sha.hex);
        assert_null(fake_await(&a, MSG_CANCEL, 20)); /* she is alive */
    }
    assert_null(fake_await(&a, MSG_CANCEL, 1200)); /* progress would be written now */
    assert_int_equal(world_number(w, WRONG_ROWS), 0);
    assert_int_equal(
        world_number(w, "SELECT count(*) FROM event WHERE kind = 'fenced'"), 0);
    assert_logged(w, "result=fenced");
    assert_string_equal(fake_report(&a, runs[0], "ok", sha.hex, 7), "committed");
    fake_hang_up(&a);
    fake_hang_up(&b);
}

static void
nobody_speaks_for_the_session_of_another_connection(void **state)
{
    struct world *w = *state;
    const struct sha256 sha = world_upload(w, "weights");
    struct msg lies[8];
    struct fake a, b;

    fake_connect(&a, w->control, "alice");
    fake_connect(&b, w->control, "mallory");
    fake_hello(&a, NULL, 0);
    fake_get_grant(&a, 1, 1);
    const int64_t sessions[] = {a.session, a.session + 1, 0, -5, INT64_MAX, INT64_MIN};
    for (size_t s = 0; s < sizeof sessions / sizeof *sessions; s++) {
        const size_t n = all_about(lies, sessions[s], (struct msg_run){1, 1}, sha.hex);
        for (size_t i = 0; i < n; i++) {
            fake_send(&b, &lies[i]);
            assert_string_equal(fake_need(&b, MSG_REJECT)->u.reject.code,
                                "who-are-you");
        }
    }
    assert_int_equal(world_number(w, WRONG_ROWS), 0);
    assert_string_equal(fake_report(&a, (struct msg_run){1, 1}, "ok", sha.hex, 7),
                        "committed");
    fake_hang_up(&a);
    fake_hang_up(&b);
}

static void
a_hello_cannot_steal_a_running_job(void **state)
{
    struct world *w = *state;
    struct msg_run run = {1, 1};
    struct fake a, b;

    fake_connect(&a, w->control, "alice");
    fake_connect(&b, w->control, "mallory");
    fake_hello(&a, NULL, 0);
    fake_get_grant(&a, 1, 1);
    assert_int_equal(fake_hello(&b, &run, 1)->n_kill, 1);
    assert_string_equal(fake_report(&b, run, "ok", NULL, 0), "fenced");
    assert_string_equal(fake_report(&a, run, "ok", NULL, 0), "committed");
    fake_hang_up(&a);
    fake_hang_up(&b);
}

/* ---- repetition --------------------------------------------------------------------- */

static void
what_is_said_five_times_is_written_once(void **state)
{
    struct world *w = *state;
    const struct sha256 sha = world_upload(w, "weights");
    const struct msg_run run = {1, 1};
    struct msg all[8];
    struct fake f;

    fake_connect(&f, w->control, "parrot");
    fake_hello(&f, NULL, 0);
    fake_get_grant(&f, 1, 1);
    const size_t n = all_about(all, f.session, run, sha.hex);
    for (size_t i = 0; i < n; i++)
        for (int times = 0; times < 5; times++) {
            const char *how = ack_of(&f, &all[i]);
            if (times == 0)
                assert_string_equal(how, "committed");
            else if (strcmp(how, "committed") != 0)
                assert_string_equal(how, "duplicate");
        }
    assert_string_equal(ack_of(&f, &all[1]), "fenced"); /* it has ended */
    assert_int_equal(world_number(w, "SELECT count(*) FROM metric"), 1);
    assert_int_equal(world_number(w, "SELECT count(*) FROM metric_final"), 1);
    assert_int_equal(world_number(w, "SELECT count(*) FROM artifact"), 1);
    assert_int_equal(world_number(w, "SELECT count(*) FROM attempt"), 1);
    assert_int_equal(world_number(w, "SELECT count(*) FROM checkpoint_head"), 0);
    fake_hang_up(&f);
}

/* ---- values ------------------------------------------------------------------------- */

static void
a_result_that_is_not_a_number_is_a_failure(void **state)
{
    struct world *w = *state;
    struct msg_point nan = {"CA", -1, NAN, "%", "max"};
    struct fake f;

    fake_connect(&f, w->control, "alice");
    fake_hello(&f, NULL, 0);
    fake_get_grant(&f, 1, 1);
    const struct msg curve = {
        .type = MSG_METRICS,
        .u.metrics = {f.session, (struct msg_run){1, 1}, 1, &nan, 1}};
    const struct msg result = {.type = MSG_RESULT,
                               .u.result = {.session = f.session,
                                            .run = {1, 1},
                                            .outcome = "ok",
                                            .text = "",
                                            .finals = &nan,
                                            .n_finals = 1}};
    assert_string_equal(ack_of(&f, &curve), "committed"); /* a curve may end so */
    assert_string_equal(ack_of(&f, &result), "committed");
    assert_int_equal(world_number(w, "SELECT count(*) FROM metric_final"), 0);
    assert_int_equal(world_number(w, "SELECT count(*) FROM job j JOIN attempt a"
                                     " ON a.job = j.id WHERE j.state = 'failed'"
                                     " AND a.outcome = 'numeric'"),
                     1);
    assert_int_equal(
        world_number(w, "SELECT count(*) FROM job WHERE state = 'upstream_failed'"), 2);
    fake_hang_up(&f);
}

static void
names_with_quotes_are_only_names(void **state)
{
    struct world *w = *state;
    const char *evil = "x'); DROP TABLE job; --\"\\{}\n$1\xc3\xa9";
    struct msg_point point = {evil, -1, 1, evil, evil};
    struct fake f;

    fake_connect(&f, w->control, "o'brien\"; --");
    fake_hello(&f, NULL, 0);
    fake_get_grant(&f, 1, 1);
    const struct msg result = {.type = MSG_RESULT,
                               .u.result = {.session = f.session,
                                            .run = {1, 1},
                                            .outcome = "ok",
                                            .text = evil,
                                            .finals = &point,
                                            .n_finals = 1}};
    assert_string_equal(ack_of(&f, &result), "committed");
    assert_int_equal(world_number(w,
                                  "SELECT count(*) FROM metric_final m JOIN metric_key"
                                  " k ON k.id = m.key WHERE k.name LIKE '%DROP TABLE%'"
                                  " AND k.goal = 'none'"),
                     1);
    assert_int_equal(world_number(w, "SELECT count(*) FROM job"), 3);
    fake_hang_up(&f);
}

static void
a_hundred_thousand_points_arrive_in_order(void **state)
{
    struct world *w = *state;
    struct msg_point *points = xcalloc(MSG_MAX_POINTS, sizeof *points);
    int64_t sent = 0, seq = 0;
    struct fake f;

    fake_connect(&f, w->control, "alice");
    fake_hello(&f, NULL, 0);
    fake_get_grant(&f, 1, 1);
    while (sent < POINTS) {
        size_t n = 0;
        for (; n < MSG_MAX_POINTS && sent < POINTS; n++, sent++)
            points[n] = (struct msg_point){"train/loss", sent, 1.0 / (double)(sent + 1),
                                           "", "min"};
        const struct msg m = {
            .type = MSG_METRICS,
            .u.metrics = {f.session, (struct msg_run){1, 1}, ++seq, points, n}};
        fake_send(&f, &m); /* without waiting for the ACK of the one before */
    }
    for (const struct msg *ack = fake_need(&f, MSG_ACK); ack->u.ack.seq < seq;
         ack = fake_need(&f, MSG_ACK))
        continue;
    assert_int_equal(world_number(w, "SELECT count(DISTINCT step) FROM metric"),
                     POINTS);
    assert_int_equal(world_number(w, "SELECT count(*) FROM metric"), POINTS);
    free(points);
    fake_hang_up(&f);
}

/* ---- bytes that are no messages ------------------------------------------------------ */

/* A bare socket, for frames that our own encoder would not make. */
static void
send_raw(const char *endpoint, const void *bytes, size_t size)
{
    void *context = zmq_ctx_new(), *sock = zmq_socket(context, ZMQ_DEALER);
    const int linger = 500;

    zmq_setsockopt(sock, ZMQ_LINGER, &linger, sizeof linger);
    assert_int_equal(zmq_connect(sock, endpoint), 0);
    assert_int_equal(zmq_send(sock, bytes, size, 0), (int)size);
    zmq_close(sock);
    zmq_ctx_term(context);
}

static void
frames_that_are_too_large_or_no_messages_are_dropped(void **state)
{
    struct world *w = *state;
    const size_t huge = (size_t)64 << 20;
    char *bytes = xcalloc(1, huge);
    memset(bytes + huge - NESTED, 0x91, NESTED);
    /* [1, LOG, 1, [1, 1], 0, "\xff\xfe"]; the same with a NUL; an array of 2^32 - 1 */
    static const char utf8[] = "\x96\x01\x08\x01\x92\x01\x01\x00\xa2\xff\xfe";
    static const char nul[] = "\x96\x01\x08\x01\x92\x01\x01\x00\xa3x\0y";
    static const char deep[] = "\xdd\xff\xff\xff\xff\x01\x08";

    for (int i = 0; i < 2; i++) {
        const char *to = i == 0 ? w->control : w->bulk;
        send_raw(to, bytes, huge);
        send_raw(to, bytes, MSG_MAX_BYTES);
        send_raw(to, "", 0);
        send_raw(to, utf8, sizeof utf8 - 1);
        send_raw(to, nul, sizeof nul - 1);
        send_raw(to, deep, sizeof deep - 1);
        send_raw(to, bytes + huge - NESTED, NESTED); /* [[[[... */
    }
    free(bytes);
    assert_served(w);
    assert_logged(w, "action=reject");
    assert_logged(w, "is not UTF-8");
    assert_int_equal(world_number(w, "SELECT count(*) FROM log_chunk"), 0);
    print_message("resident after 64 MiB frames: %lld MiB\n",
                  (long long)resident_mib(w->pid));
    assert_true(resident_mib(w->pid) < 200);
}

/* ---- floods ------------------------------------------------------------------------- */

/* A session that has ended for silence meanwhile makes room for one more: as many as the
 * log tells, each with one row, and all the others are refused. */
static void
a_flood_of_hellos_costs_no_rows_and_serves_the_honest(void **state)
{
    struct world *w = *state;
    int64_t taken, refused;
    struct msg hello = {.type = MSG_HELLO,
                        .u.hello = {.name = "flood",
                                    .host = "here",
                                    .version = RELUSWEEP_VERSION,
                                    .catalog = CATALOG,
                                    .slots = 1}};
    struct fake f;
    char boot[32];

    fake_connect(&f, w->control, "flood");
    const int64_t start = clock_mono_ms();
    for (int i = 0; i < FLOOD; i++) {
        snprintf(boot, sizeof boot, "boot-%d", i);
        hello.u.hello.boot = boot;
        fake_send(&f, &hello);
    }
    assert_served(w);
    print_message("%d HELLOs on one connection: %lld ms\n", FLOOD,
                  (long long)(clock_mono_ms() - start));
    for (const int64_t end = start + WAIT_MS;; usleep(20000)) {
        taken = count_logged(w, "worker=flood host=here session=");
        refused = count_logged(w, "belongs to another process");
        if (taken + refused == FLOOD)
            break;
        assert_true(clock_mono_ms() < end);
    }
    const int64_t ended = count_logged(w, "boot=boot-") - refused;
    assert_true(taken >= 1 && (ended == taken - 1 || ended == taken));
    assert_served(w); /* after its commit those of the flood's are there */
    assert_int_equal(world_number(w, "SELECT count(*) FROM worker"), taken + 1);
    fake_hang_up(&f);
}

static void
who_never_reads_costs_bounded_memory(void **state)
{
    struct world *w = *state;
    char *bytes = xcalloc(1, MSG_CHUNK_BYTES + 1);
    struct fake deaf;

    memset(bytes, 'x', MSG_CHUNK_BYTES);
    const struct sha256 sha = world_upload(w, bytes);
    free(bytes);
    const struct msg get = {.type = MSG_GET, .u.get = {sha.hex, 0}};
    const int64_t before = resident_mib(w->pid);
    fake_connect(&deaf, w->bulk, "deaf");
    for (int i = 0; i < 600; i++)
        fake_send(&deaf, &get);
    assert_string_equal(world_upload(w, "others are served").hex,
                        sha256_bytes("others are served", 17).hex);
    usleep(1500 * 1000); /* it goes on sending */
    const int64_t after = resident_mib(w->pid);
    print_message("600 MiB asked for and not read: %lld -> %lld MiB\n",
                  (long long)before, (long long)after);
    assert_true(after - before < DEAF_MIB);
    fake_hang_up(&deaf);
}

/* Every message is answered, and no answer is read: the queue to it fills up, and then it
 * has no session any more. */
static void
a_worker_that_never_reads_is_dropped(void **state)
{
    struct world *w = *state;
    const struct msg ask = {.type = MSG_PUT, .u.put = {"aa", 1}}; /* not here */
    const struct msg hello = {.type = MSG_HELLO,
                              .u.hello = {.name = "deaf",
                                          .boot = "deaf",
                                          .host = "here",
                                          .version = RELUSWEEP_VERSION,
                                          .catalog = CATALOG,
                                          .slots = 1}};
    const int64_t before = resident_mib(w->pid);
    struct fake deaf;
    int64_t n = 0, ended = 0;

    fake_connect(&deaf, w->control, "deaf");
    fake_hello(&deaf, NULL, 0);
    const struct msg beat = {.type = MSG_HEARTBEAT,
                             .u.heartbeat = {.session = deaf.session}};
    for (const int64_t end = clock_mono_ms() + WAIT_MS; clock_mono_ms() < end; n++) {
        fake_send(&deaf, &ask);
        usleep(100);
        if (n % 20 == 0)
            fake_send(&deaf, &beat);
        if (n % 500 == 0 && count_logged(w, "action=drop-session") > 0)
            break;
        if (n % 500 == 0 && count_logged(w, "boot=deaf action=session-ended") > ended) {
            ended++; /* the machine is slow; another session, and the same queue */
            fake_send(&deaf, &hello);
        }
    }
    assert_logged(w, "action=drop-session");
    const int64_t grown = resident_mib(w->pid) - before;
    print_message("%lld answers that nobody reads: %lld MiB\n", (long long)n,
                  (long long)grown);
    assert_true(grown < DEAF_MIB);
    assert_served(w);
    fake_hang_up(&deaf);
}

/* ---- blobs -------------------------------------------------------------------------- */

static void
wrong_bytes_are_refused_and_unknown_ones_are_not_there(void **state)
{
    struct world *w = *state;
    const struct sha256 right = sha256_bytes("weights", 7);
    const struct msg put = {.type = MSG_PUT, .u.put = {right.hex, 7}};
    const struct msg lie = {.type = MSG_CHUNK,
                            .u.chunk = {right.hex, 0, 7, "WEIGHTS", 7}};
    const struct msg ask = {.type = MSG_GET, .u.get = {right.hex, 0}};
    const char *const names[] = {"", "zz", "' OR true --", right.hex + 1};
    const struct msg sizes[] = {{.type = MSG_PUT, .u.put = {right.hex, -1}},
                                {.type = MSG_PUT, .u.put = {right.hex, INT64_MAX}}};
    struct fake f;

    fake_connect(&f, w->bulk, "liar");
    fake_send(&f, &put);
    assert_int_equal(fake_need(&f, MSG_PUT_STATE)->u.put_state.offset, 0);
    fake_send(&f, &lie);
    const struct msg *no = fake_need(&f, MSG_PUT_STATE);
    assert_int_equal(no->u.put_state.offset, -1);
    assert_non_null(strstr(no->u.put_state.text, "hash"));
    fake_send(&f, &ask);
    assert_int_equal(fake_need(&f, MSG_CHUNK)->u.chunk.size, -1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct msg get = {.type = MSG_GET, .u.get = {names[i], 0}};
        const struct msg p = {.type = MSG_PUT, .u.put = {names[i], 1}};
        fake_send(&f, &get);
        assert_int_equal(fake_need(&f, MSG_CHUNK)->u.chunk.size, -1);
        fake_send(&f, &p);
        assert_int_equal(fake_need(&f, MSG_PUT_STATE)->u.put_state.offset, -1);
    }
    for (size_t i = 0; i < 2; i++) {
        fake_send(&f, &sizes[i]);
        assert_int_equal(fake_need(&f, MSG_PUT_STATE)->u.put_state.offset, -1);
    }
    assert_int_equal(world_number(w, "SELECT count(*) FROM blob"), 0);
    assert_string_equal(world_upload(w, "weights").hex, right.hex);
    fake_hang_up(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_free)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lies_about_the_job_of_another_worker_change_nothing),
        TEST(nobody_speaks_for_the_session_of_another_connection),
        TEST(a_hello_cannot_steal_a_running_job),
        TEST(what_is_said_five_times_is_written_once),
        TEST(a_result_that_is_not_a_number_is_a_failure),
        TEST(names_with_quotes_are_only_names),
        TEST(a_hundred_thousand_points_arrive_in_order),
        TEST(frames_that_are_too_large_or_no_messages_are_dropped),
        TEST(a_flood_of_hellos_costs_no_rows_and_serves_the_honest),
        TEST(who_never_reads_costs_bounded_memory),
        TEST(a_worker_that_never_reads_is_dropped),
        TEST(wrong_bytes_are_refused_and_unknown_ones_are_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
