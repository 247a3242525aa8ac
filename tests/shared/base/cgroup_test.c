/* cgroup_test.c - limits of control groups, read from trees as the kernel shows them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/cgroup.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

struct scene {
    char dir[64];
    char *self;
    struct cgroup_view view;
};

static int
setup(void **state)
{
    struct scene *s = xcalloc(1, sizeof *s);

    strcpy(s->dir, "/tmp/cgroup_test.XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->self = file_join(s->dir, "self");
    s->view = (struct cgroup_view){s->self, s->dir};
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;
    struct err err;

    assert_int_equal(file_remove_tree(s->dir, &err), 0);
    free(s->self);
    free(s);
    return 0;
}

/* The file `path` of the scene says `text`. */
static void
says(const struct scene *s, const char *path, const char *text)
{
    char *whole = file_join(s->dir, path);
    char *end = strrchr(whole, '/');
    struct err err;

    *end = '\0';
    assert_int_equal(file_make_dirs(whole, &err), 0);
    *end = '/';
    assert_int_equal(file_write(whole, text, strlen(text), &err), 0);
    free(whole);
}

static void
where_nothing_is_known_everything_is_allowed(void **state)
{
    const struct scene *s = *state;

    assert_true(isinf(cgroup_processors(&s->view)));
    assert_int_equal(cgroup_memory(&s->view), INT64_MAX);
    assert_int_equal(cgroup_oom_kills(&s->view), -1);
    says(s, "self", "0::/\n");
    assert_true(isinf(cgroup_processors(&s->view)));
    says(s, "self", "1:cpu\nnonsense\n\n:::");
    assert_true(isinf(cgroup_processors(&s->view)));
}

static void
of_version_2_the_least_of_a_group_and_those_around_it_counts(void **state)
{
    const struct scene *s = *state;

    says(s, "self", "0::/user/job/step\n");
    says(s, "user/job/step/cpu.max", "max 100000\n");
    says(s, "user/job/cpu.max", "150000 100000\n");
    says(s, "user/cpu.max", "800000 100000\n");
    says(s, "user/job/step/memory.max", "4096000\n");
    says(s, "user/job/memory.max", "max\n");
    says(s, "user/memory.max", "2048000\n");
    says(s, "user/job/step/memory.events", "low 0\noom 3\noom_kill 2\n");
    assert_true(cgroup_processors(&s->view) == 1.5);
    assert_int_equal(cgroup_memory(&s->view), 2048000);
    assert_int_equal(cgroup_oom_kills(&s->view), 2);
}

static void
version_1_has_a_tree_for_each_controller(void **state)
{
    const struct scene *s = *state;

    says(
        s, "self",
        "9:name=systemd:/\n4:memory:/job/one\n3:cpuset:/cpu\n2:cpu,cpuacct:/job\n0::/\n");
    says(s, "cpu/job/cpu.cfs_quota_us", "50000\n");
    says(s, "cpu/job/cpu.cfs_period_us", "100000\n");
    says(s, "cpu/cpu.cfs_quota_us", "-1\n");
    says(s, "cpu/cpu.cfs_period_us", "100000\n");
    says(s, "memory/job/one/memory.limit_in_bytes", "9223372036854771712\n");
    says(s, "memory/job/memory.limit_in_bytes", "1073741824\n");
    says(s, "memory/job/one/memory.oom_control",
         "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n");
    assert_true(cgroup_processors(&s->view) == 0.5);
    assert_int_equal(cgroup_memory(&s->view), 1073741824);
    assert_int_equal(cgroup_oom_kills(&s->view), 7);
}

static void
a_containers_limit_is_found_at_the_mount(void **state)
{
    const struct scene *s = *state;

    says(s, "self", "2:memory:/docker/4f1d\n1:cpu:/docker/4f1d\n");
    says(s, "cpu/cpu.cfs_quota_us", "250000\n");
    says(s, "cpu/cpu.cfs_period_us", "100000\n");
    says(s, "memory/memory.limit_in_bytes", "65536\n");
    assert_true(cgroup_processors(&s->view) == 2.5);
    assert_int_equal(cgroup_memory(&s->view), 65536);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(where_nothing_is_known_everything_is_allowed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            of_version_2_the_least_of_a_group_and_those_around_it_counts, setup,
            teardown),
        cmocka_unit_test_setup_teardown(version_1_has_a_tree_for_each_controller, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_containers_limit_is_found_at_the_mount, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
