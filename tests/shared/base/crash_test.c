/* Dying at the K-th pass of a named point, and once for all processes. */
#include "shared/base/crash.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* How a process ends that is armed with `text` and passes a, b, a, exiting with 3. */
static int
end_of(const char *text)
{
    int status;
    const pid_t pid = fork();

    if (pid == 0) {
        if (text != NULL)
            setenv("RELUSWEEP_CRASH", text, 1);
        crash_arm();
        crash_point("a");
        crash_point("b");
        crash_point("a");
        _exit(3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void
nobody_dies_who_was_not_asked_to(void **state)
{
    (void)state;
    assert_int_equal(end_of(NULL), 3);
    assert_int_equal(end_of(""), 3);
    assert_int_equal(end_of("a"), 3);
    assert_int_equal(end_of("a:0"), 3);
    assert_int_equal(end_of("a:x"), 3);
    assert_int_equal(end_of("c:1"), 3);
}

static void
the_pass_that_was_named_is_the_last(void **state)
{
    (void)state;
    assert_int_equal(end_of("a:1"), -SIGKILL);
    assert_int_equal(end_of("a:2"), -SIGKILL);
    assert_int_equal(end_of("a:3"), 3);
    assert_int_equal(end_of("b:1"), -SIGKILL);
    assert_int_equal(end_of("b:2"), 3);
}

static void
with_a_file_one_process_dies_and_the_next_lives(void **state)
{
    char text[128], path[] = "/tmp/crash-test-XXXXXX";
    const int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    snprintf(text, sizeof text, "b:1:%s", path);
    assert_int_equal(end_of(text), 3);
    unlink(path);
    assert_int_equal(end_of(text), -SIGKILL);
    assert_int_equal(end_of(text), 3);
    unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_dies_who_was_not_asked_to),
        cmocka_unit_test(the_pass_that_was_named_is_the_last),
        cmocka_unit_test(with_a_file_one_process_dies_and_the_next_lives),
    };

    unsetenv("RELUSWEEP_CRASH");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
