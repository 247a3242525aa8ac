/* The small parts of the agent: spool, log forwarding, environment, folder, checkpoints. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/args.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "worker/agent/joblog.h"
#include "worker/agent/options.h"
#include "worker/agent/profile.h"
#include "worker/agent/saver.h"
#include "worker/agent/spool.h"
#include "worker/agent/workdir.h"

struct place {
    char dir[64];
    struct buf said; /* log pieces that were sent */
    bool deaf;
    struct session *session;
};

static const struct msg_run run = {7, 2};

static int
io_send(void *ctx, const struct msg *m)
{
    struct place *p = ctx;

    if (p->deaf)
        return 1;
    if (m->type == MSG_LOG)
        buf_printf(&p->said, "%" PRId64 ":%s|", m->u.log.offset, m->u.log.text);
    return 0;
}

static void
io_welcome(void *ctx, const char *bulk)
{
    (void)ctx;
    (void)bulk;
}

static int
set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    const struct session_identity who = {.name = "w",
                                         .boot = "b",
                                         .host = "h",
                                         .version = "v",
                                         .catalog = "{}",
                                         .slots = 1,
                                         .threads = 1};
    const struct session_io io = {.ctx = p, .send = io_send, .welcome = io_welcome};
    const struct msg welcome = {MSG_WELCOME, .u.welcome = {5, 500, 3000, "b", NULL, 0}};

    strcpy(p->dir, "/tmp/relusweep-parts-XXXXXX");
    if (mkdtemp(p->dir) == NULL)
        return -1;
    p->session = session_new(&who, &io, 0);
    session_message(p->session, &welcome, 0);
    *state = p;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *p = *state;
    struct err err;

    session_free(p->session);
    buf_release(&p->said);
    const int rc = file_remove_tree(p->dir, &err);
    free(p);
    return rc;
}

static void
put(const struct place *p, const char *name, const char *text)
{
    char *path = file_join(p->dir, name);
    struct err err;

    assert_int_equal(file_write(path, text, strlen(text), &err), 0);
    free(path);
}

/* ---- spool ------------------------------------------------------------------------ */

static void
a_metric_without_a_value_is_not_zero(void **state)
{
    json_t *rows = json_pack("[{s:s, s:f}, {s:s, s:n}, {s:s}]", "name", "CA", "value",
                             91.5, "name", "NPA", "value", "name", "AdvA");
    struct msg_point points[3];

    (void)state;
    assert_int_equal(spool_points(rows, points, 3), 3);
    assert_true(points[0].value == 91.5);
    assert_true(isnan(points[1].value));
    assert_true(isnan(points[2].value));
    json_decref(rows);
}

static void
a_result_survives_in_the_spool(void **state)
{
    struct place *p = *state;
    json_error_t je;
    json_t *entry = json_loads(
        "{\"job\":7,\"attempt\":2,\"outcome\":\"ok\",\"text\":\"\",\"exit_code\":0,"
        "\"signal\":0,\"seconds\":1.5,\"peak_rss_bytes\":10,\"finals\":[{\"name\":\"CA\","
        "\"step\":-1,\"value\":91.5,\"unit\":\"%\",\"goal\":\"max\"},{\"value\":1}],"
        "\"artifacts\":[{\"name\":\"model\",\"sha\":\"ab\",\"size\":3,\"file\":\"f\"}]}",
        0, &je);
    struct arena mem = {0};
    struct msg_result r;
    struct err err;

    assert_int_equal(spool_write(p->dir, entry, &err), 0);
    json_decref(entry);
    put(p, "8-1.json", "{broken");
    put(p, "9-1.json", "[]");
    put(p, "notes.txt", "x");
    json_t *all = spool_load(p->dir);
    assert_int_equal(json_array_size(all), 1);
    spool_message(json_array_get(all, 0), &r, &mem);
    assert_int_equal(r.run.attempt, 2);
    assert_true(r.seconds == 1.5);
    assert_int_equal(r.n_finals, 1); /* the row without a name is left out */
    assert_string_equal(r.finals[0].unit, "%");
    assert_string_equal(r.artifacts[0].sha, "ab");
    spool_remove(p->dir, run);
    json_t *none = spool_load(p->dir);
    assert_int_equal(json_array_size(none), 0);
    json_decref(all);
    json_decref(none);
    arena_release(&mem);
}

static void
points_survive_in_the_spool(void **state)
{
    struct place *p = *state;
    struct msg_point points[] = {{"loss", 5, 0.25, "nats", "min"},
                                 {"loss", 6, (double)NAN, "nats", "min"}};
    const struct msg_metrics batch = {.seq = 4, .points = points, .n_points = 2};
    json_t *entry = json_pack("{s:i, s:i}", "job", 7, "attempt", 2);
    struct msg_metrics out;
    struct arena mem = {0};
    struct err err;

    spool_add_batch(entry, &batch);
    assert_int_equal(spool_write(p->dir, entry, &err), 0);
    json_decref(entry);
    json_t *all = spool_load(p->dir);
    entry = json_array_get(all, 0);
    assert_true(spool_batch(entry, 0, &out, &mem));
    assert_int_equal(out.run.attempt, 2);
    assert_int_equal(out.seq, 4);
    assert_int_equal(out.n_points, 2);
    assert_string_equal(out.points[0].unit, "nats");
    assert_true(out.points[0].value == 0.25 && isnan(out.points[1].value));
    assert_false(spool_batch(entry, 1, &out, &mem));
    json_decref(all);
    arena_release(&mem);
}

/* ---- log -------------------------------------------------------------------------- */

static void
the_log_travels_in_pieces_with_offsets(void **state)
{
    struct place *p = *state;
    struct joblog l;

    joblog_init(&l, p->dir);
    assert_true(joblog_step(&l, p->session, run, 1000)); /* no file yet */
    put(p, "log", "one\n");
    assert_true(joblog_step(&l, p->session, run, 1000));
    put(p, "log", "one\ntwo\n");
    assert_false(joblog_step(&l, p->session, run, 1100)); /* too early */
    p->deaf = true;
    assert_false(joblog_step(&l, p->session, run, 1300));
    p->deaf = false;
    assert_true(joblog_step(&l, p->session, run, 1600));
    assert_string_equal(buf_str(&p->said), "0:one\n|4:two\n|");
    joblog_rewind(&l);
    assert_true(joblog_step(&l, p->session, run, 2000));
    assert_string_equal(buf_str(&p->said), "0:one\n|4:two\n|0:one\ntwo\n|");
    joblog_release(&l);
}

static void
a_noisy_log_loses_its_middle_and_keeps_its_end(void **state)
{
    struct place *p = *state;
    const size_t n = 3 << 20;
    char *text = malloc(n + 1);
    struct joblog l;
    int rounds = 0;

    memset(text, '.', n);
    memcpy(text + n - 8, "the end\n", 9);
    put(p, "log", text);
    joblog_init(&l, p->dir);
    while (!joblog_step(&l, p->session, run, 1000 * (rounds + 1)))
        rounds++;
    assert_true(rounds < 10);
    assert_non_null(strstr(buf_str(&p->said), "the end\n|"));
    char *tail = joblog_tail(&l);
    assert_true(strlen(tail) <= 1024);
    assert_string_equal(tail + strlen(tail) - 7, "the end");
    free(tail);
    joblog_release(&l);
    free(text);
}

/* ---- environment ------------------------------------------------------------------ */

static const char *
value_in(char *const *env, const char *name)
{
    const size_t n = strlen(name);

    for (; *env != NULL; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
            return *env + n + 1;
    return NULL;
}

static char **
environment(const char *profile, const char *data)
{
    char *argv[] = {(char *)"agent",     (char *)"--connect",  (char *)"ipc:///x",
                    (char *)"--profile", (char *)profile,      (char *)"--data-dir",
                    (char *)data,        (char *)"--threads=3"};
    struct agent_options o;
    struct args args;
    struct err err;

    assert_int_equal(
        args_parse(&args, agent_params, agent_n_params, &o, 8, argv, NULL, &err), 0);
    char **env = options_env(&o);
    args_release(&args);
    return env;
}

static void
a_stage_sees_its_profile_and_no_stranger(void **state)
{
    (void)state;
    setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    setenv("PGPASSWORD", "secret", 1);
    setenv("LC_ALL", "C", 1);
    setenv("RELUSWEEP_DATA", "/inherited", 1);
    char **fast = environment("fast", "");
    assert_null(value_in(fast, "OPENBLAS_CORETYPE"));
    assert_null(value_in(fast, "PGPASSWORD"));
    assert_string_equal(value_in(fast, "LC_ALL"), "C");
    assert_string_equal(value_in(fast, "OMP_NUM_THREADS"), "1");
    assert_string_equal(value_in(fast, "RELUSWEEP_THREADS"), "3");
    assert_string_equal(value_in(fast, "RELUSWEEP_DATA"), "/inherited");
    char **portable = environment("portable", "/given");
    assert_string_equal(value_in(portable, "OPENBLAS_CORETYPE"), "Haswell");
    assert_string_equal(value_in(portable, "DNNL_MAX_CPU_ISA"), "AVX2");
    assert_string_equal(value_in(portable, "RELUSWEEP_DATA"), "/given");
    options_env_free(fast);
    options_env_free(portable);
}

static void
every_named_profile_exists(void **state)
{
    (void)state;
    for (const char *const *n = profile_names; *n != NULL; n++)
        assert_string_equal(profile_find(*n)->name, *n);
    assert_null(profile_find("quick"));
}

/* ---- folder ----------------------------------------------------------------------- */

static void
two_agents_do_not_share_a_folder(void **state)
{
    struct place *p = *state;
    struct workdir first, second;
    struct err err;

    assert_int_equal(workdir_open(&first, p->dir, "w", &err), 0);
    assert_int_equal(workdir_open(&second, p->dir, "w", &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_non_null(strstr(err.text, "--work-dir"));
    workdir_release(&first);
    assert_int_equal(workdir_open(&second, p->dir, "w", &err), 0);
    workdir_release(&second);
}

static void
leftovers_of_a_dead_agent_are_removed_but_for_the_spools(void **state)
{
    struct place *p = *state;
    json_t *entries = json_pack("[{s:i, s:i}]", "job", 7, "attempt", 2);
    char *kept = xasprintf("%s/jobs/7-2/inputs", p->dir);
    char *dead = xasprintf("%s/jobs/7-1/inputs", p->dir);
    struct workdir w;
    struct err err;

    assert_int_equal(workdir_open(&w, p->dir, "w", &err), 0);
    assert_int_equal(file_make_dirs(kept, &err), 0);
    assert_int_equal(file_make_dirs(dead, &err), 0);
    workdir_sweep(&w, entries);
    assert_true(file_exists(kept));
    assert_false(file_exists(dead));
    workdir_release(&w);
    json_decref(entries);
    free(kept);
    free(dead);
}

/* ---- checkpoints ------------------------------------------------------------------ */

static void
a_newer_checkpoint_replaces_the_one_that_waits(void **state)
{
    struct place *p = *state;
    char *cache = file_join(p->dir, "cache");
    char *files[3];
    struct saver v = {0};
    struct blobs *b;
    struct err err;

    assert_int_equal(blobs_new(&b, cache, 1 << 20, &err), 0);
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        put(p, name, name);
        files[i] = file_join(p->dir, name);
    }
    saver_add(&v, 1, files[0]);
    saver_step(&v, b, p->session, run, 0);
    assert_int_equal(v.now.step, 1); /* on its way */
    saver_add(&v, 2, files[1]);
    saver_add(&v, 3, files[2]);
    assert_false(file_exists(files[1]));
    assert_int_equal(v.next.step, 3);
    saver_committed(&v, 2); /* not the one that is on its way */
    assert_int_equal(v.now.step, 1);
    saver_committed(&v, 1);
    assert_false(file_exists(files[0]));
    assert_false(saver_is_idle(&v));
    saver_release(&v, b);
    assert_true(saver_is_idle(&v));
    blobs_free(b);
    for (int i = 0; i < 3; i++)
        free(files[i]);
    free(cache);
}

static void
a_checkpoint_that_cannot_be_read_is_given_up(void **state)
{
    struct place *p = *state;
    char *cache = file_join(p->dir, "cache");
    struct saver v = {0};
    struct blobs *b;
    struct err err;

    assert_int_equal(blobs_new(&b, cache, 1 << 20, &err), 0);
    saver_add(&v, 1, "/nonexistent/checkpoint");
    saver_step(&v, b, p->session, run, 0);
    assert_true(saver_is_idle(&v));
    saver_release(&v, b);
    blobs_free(b);
    free(cache);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_metric_without_a_value_is_not_zero),
        TEST(a_result_survives_in_the_spool),
        TEST(points_survive_in_the_spool),
        TEST(the_log_travels_in_pieces_with_offsets),
        TEST(a_noisy_log_loses_its_middle_and_keeps_its_end),
        cmocka_unit_test(a_stage_sees_its_profile_and_no_stranger),
        cmocka_unit_test(every_named_profile_exists),
        TEST(two_agents_do_not_share_a_folder),
        TEST(leftovers_of_a_dead_agent_are_removed_but_for_the_spools),
        TEST(a_newer_checkpoint_replaces_the_one_that_waits),
        TEST(a_checkpoint_that_cannot_be_read_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
