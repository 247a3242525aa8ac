/* Supervision of processes: shell scripts play the stage. */
#include "worker/agent/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

struct place {
    char dir[64];
    char *log;
    struct child *c;
};

static int
set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    strcpy(p->dir, "/tmp/relusweep-child-XXXXXX");
    if (mkdtemp(p->dir) == NULL)
        return -1;
    p->log = file_join(p->dir, "log");
    *state = p;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *p = *state;
    struct err err;

    child_free(p->c);
    free(p->log);
    const int rc = file_remove_tree(p->dir, &err);
    free(p);
    return rc;
}

static void
start(struct place *p, const char *script)
{
    char shell[] = "sh", option[] = "-c", only[] = "ONLY=this";
    char *copy = xstrdup(script);
    char *argv[] = {shell, option, copy, NULL}, *env[] = {only, NULL};
    struct err err;

    assert_int_equal(child_start(&p->c, "/bin/sh", argv, env, p->log, &err), 0);
    free(copy);
}

static struct child_end
join(struct place *p)
{
    const int64_t stop = clock_mono_ms() + 5000;
    struct child_end end;

    while (!child_ended(p->c, &end)) {
        assert_true(clock_mono_ms() < stop);
        child_tick(p->c, clock_mono_ms());
        usleep(2000);
    }
    return end;
}

/* The next event within 5 s. */
static json_t *
next_event(struct place *p)
{
    const int64_t stop = clock_mono_ms() + 5000;
    json_t *event;

    while ((event = child_next_event(p->c)) == NULL) {
        assert_true(clock_mono_ms() < stop);
        usleep(2000);
    }
    return event;
}

static char *
log_text(struct place *p)
{
    struct buf text = {0};
    struct err err;

    assert_int_equal(file_read(&text, p->log, &err), 0);
    return buf_take(&text);
}

static void
events_come_through_the_pipe_whole_and_in_order(void **state)
{
    struct place *p = *state;

    start(p, "printf '{\"a\":1}\\nnonsense\\n[1]\\n{\"b\"' >&3; sleep 0.05; "
             "printf ':2}\\n{\"cut' >&3");
    json_t *event = next_event(p);
    assert_int_equal(json_int(event, "a", 0), 1);
    json_decref(event);
    event = next_event(p);
    assert_int_equal(json_int(event, "b", 0), 2);
    json_decref(event);
    (void)join(p);
    assert_null(child_next_event(p->c));
    assert_int_equal(child_fd(p->c), -1);
}

static void
output_goes_to_the_log_and_only_the_given_environment_is_there(void **state)
{
    struct place *p = *state;

    setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    start(p, "echo out; echo err >&2; env | grep -v -e PWD -e SHLVL -e ^_=");
    const struct child_end end = join(p);
    assert_int_equal(end.exit_code, 0);
    assert_true(end.peak_rss_bytes > 0);
    char *text = log_text(p);
    assert_string_equal(text, "out\nerr\nONLY=this\n");
    free(text);
}

static void
nothing_but_four_descriptors_is_open(void **state)
{
    struct place *p = *state;

    start(p, "exec ls /proc/self/fd");
    (void)join(p);
    char *text = log_text(p);
    assert_string_equal(text, "0\n1\n2\n3\n4\n"); /* 4 is ls reading the folder */
    free(text);
}

static void
exit_codes_and_signals_are_told_apart(void **state)
{
    struct place *p = *state;

    start(p, "exit 12");
    struct child_end end = join(p);
    assert_int_equal(end.exit_code, 12);
    assert_int_equal(end.signal, 0);
    child_free(p->c);
    start(p, "kill -9 $$");
    end = join(p);
    assert_int_equal(end.signal, SIGKILL);
    end = join(p); /* and stays so */
    assert_int_equal(end.signal, SIGKILL);
}

static void
a_stage_that_ignores_sigterm_is_killed_after_its_grace(void **state)
{
    struct place *p = *state;

    start(p, "trap '' TERM; printf '{\"up\":1}\\n' >&3; while :; do sleep 0.01; done");
    json_decref(next_event(p));
    child_stop(p->c, clock_mono_ms(), 60);
    const struct child_end end = join(p);
    assert_int_equal(end.signal, SIGKILL);
    assert_true(end.seconds >= 0.05);
}

static void
a_stage_may_end_in_its_own_way_on_sigterm(void **state)
{
    struct place *p = *state;

    start(p, "trap 'printf \"{\\\"saved\\\":1}\\n\" >&3; exit 15' TERM; "
             "printf '{\"up\":1}\\n' >&3; while :; do sleep 0.01; done");
    json_decref(next_event(p));
    child_stop(p->c, clock_mono_ms(), 4000);
    assert_int_equal(join(p).exit_code, 15);
    json_t *event = next_event(p);
    assert_int_equal(json_int(event, "saved", 0), 1);
    json_decref(event);
}

static void
helpers_of_a_stage_die_with_it(void **state)
{
    struct place *p = *state;

    start(p, "sleep 60 & printf '{\"helper\":%d}\\n' $! >&3; exit 0");
    json_t *event = next_event(p);
    const pid_t helper = (pid_t)json_int(event, "helper", 0);
    json_decref(event);
    assert_true(helper > 0);
    (void)join(p);
    for (int i = 0; i < 500 && kill(helper, 0) == 0; i++) {
        char *path = xasprintf("/proc/%d/stat", (int)helper), *at;
        struct buf stat = {0};
        struct err err;
        const int rc = file_read(&stat, path, &err);
        const bool zombie = rc == 0 && (at = strrchr(stat.data, ')')) && at[2] == 'Z';
        buf_release(&stat);
        free(path);
        if (rc != 0 || zombie)
            return;
        usleep(2000);
    }
    assert_int_equal(kill(helper, 0), -1);
}

static void
a_program_that_is_not_there_is_an_ended_child(void **state)
{
    struct place *p = *state;
    char name[] = "none", *argv[] = {name, NULL}, *env[] = {NULL};
    struct err err;

    assert_int_equal(child_start(&p->c, "/nonexistent", argv, env, p->log, &err), 0);
    assert_int_equal(join(p).exit_code, err_kind_exit(ERR_SYS));
    char *text = log_text(p);
    assert_non_null(strstr(text, "cannot be executed"));
    free(text);
}

static void
a_log_that_cannot_be_made_is_an_error(void **state)
{
    struct place *p = *state;
    char name[] = "true", *argv[] = {name, NULL}, *env[] = {NULL};
    struct err err;

    assert_int_equal(
        child_start(&p->c, "/bin/true", argv, env, "/nonexistent/log", &err), -1);
    assert_int_equal(err.kind, ERR_SYS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_come_through_the_pipe_whole_and_in_order),
        TEST(output_goes_to_the_log_and_only_the_given_environment_is_there),
        TEST(nothing_but_four_descriptors_is_open),
        TEST(exit_codes_and_signals_are_told_apart),
        TEST(a_stage_that_ignores_sigterm_is_killed_after_its_grace),
        TEST(a_stage_may_end_in_its_own_way_on_sigterm),
        TEST(helpers_of_a_stage_die_with_it),
        TEST(a_program_that_is_not_there_is_an_ended_child),
        TEST(a_log_that_cannot_be_made_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
