/* cores_test.c - workers of one machine, as processes, count each other's jobs. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "worker/agent/cores.h"

enum { LATER_MS = 10000 };

static char dir[] = "/tmp/relusweep-cores-test-XXXXXX";
static int64_t clock_ms; /* moves on at each count, so that none is a remembered one */

static int
make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
drop_dir(void **state)
{
    struct err err;

    (void)state;
    return file_remove_tree(dir, &err);
}

static struct cores *
opened(void)
{
    struct cores *c = NULL;
    struct err err;

    if (cores_open(&c, dir, &err) != 0)
        fail_msg("%s", err.text);
    return c;
}

static int64_t
claim(struct cores *c, int64_t n)
{
    clock_ms += LATER_MS;
    return cores_claim(c, n, clock_ms);
}

/* Another worker's process with n jobs; it lives until it is killed. `mine`: claims of
 * this process, which a fork has too. */
static pid_t
start_worker(int64_t n, struct cores *mine)
{
    int ends[2];
    char byte = 0;

    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        cores_close(mine);
        claim(opened(), n);
        if (write(ends[1], &byte, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void
end_worker(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
jobs_of_other_processes_are_counted_until_they_are_killed(void **state)
{
    struct cores *c = opened();

    (void)state;
    assert_int_equal(claim(c, 2), 0);
    const pid_t one = start_worker(3, c), other = start_worker(1, c);
    assert_int_equal(claim(c, 2), 4);
    assert_int_equal(claim(c, 0), 4);
    end_worker(one);
    assert_int_equal(claim(c, 1), 1);
    end_worker(other);
    assert_int_equal(claim(c, 5), 0);
    cores_close(c);
}

static void
a_count_is_remembered_for_a_moment(void **state)
{
    struct cores *c = opened();

    (void)state;
    assert_int_equal(claim(c, 1), 0);
    const pid_t other = start_worker(2, c);
    assert_int_equal(cores_claim(c, 1, clock_ms + 10), 0);
    assert_int_equal(cores_claim(c, 2, clock_ms + 20), 2); /* its own changed */
    end_worker(other);
    cores_close(c);
}

static void
a_claim_is_given_up_and_taken_again(void **state)
{
    struct cores *a = opened(), *b = opened();

    (void)state;
    for (int64_t n = 0; n < 5; n++) {
        claim(a, n);
        assert_int_equal(claim(b, 4 - n), n);
        assert_int_equal(claim(a, n), 4 - n);
    }
    cores_close(b);
    assert_int_equal(claim(a, 4), 0);
    cores_close(a);
}

static void
threads_of_all_jobs_are_the_cores(void **state)
{
    (void)state;
    assert_int_equal(cores_threads(8, 0, 1, 0), 8); /* a teacher alone */
    for (int64_t n = 1; n <= 8; n++) {
        int64_t sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += cores_threads(8, i, n, 0);
        assert_int_equal(sum, 8);
    }
    assert_int_equal(cores_threads(8, 0, 1, 1), 4); /* two workers, a job each */
    assert_int_equal(cores_threads(8, 2, 3, 5), 1);
    assert_int_equal(cores_threads(8, 2, 9, 5), 1); /* never none */
}

static void
a_worker_asks_for_no_more_jobs_than_there_are_cores(void **state)
{
    (void)state;
    assert_int_equal(cores_slots(4, 4, 0), 4);
    assert_int_equal(cores_slots(4, 9, 0), 9); /* asked for by a person */
    assert_int_equal(cores_slots(4, 4, 1), 3);
    assert_int_equal(cores_slots(4, 2, 1), 2);
    assert_int_equal(cores_slots(4, 4, 7), 1);
}

static void
a_folder_that_cannot_be_made_is_refused(void **state)
{
    struct cores *c = NULL;
    struct err err;

    (void)state;
    assert_int_equal(cores_open(&c, "/proc/relusweep", &err), -1);
    assert_null(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_of_other_processes_are_counted_until_they_are_killed),
        cmocka_unit_test(a_count_is_remembered_for_a_moment),
        cmocka_unit_test(a_claim_is_given_up_and_taken_again),
        cmocka_unit_test(threads_of_all_jobs_are_the_cores),
        cmocka_unit_test(a_worker_asks_for_no_more_jobs_than_there_are_cores),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_refused),
    };

    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
