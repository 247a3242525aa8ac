/* proc_test.c - cores that a process may use: by affinity and by SLURM; what its control
 * groups allow is the matter of cgroup_test.c. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shared/base/proc.h"

static int
cores_with_slurm(const char *text)
{
    setenv("SLURM_CPUS_PER_TASK", text, 1);
    const int cores = proc_cores();
    unsetenv("SLURM_CPUS_PER_TASK");
    return cores;
}

static void
slurm_can_only_take_cores_away(void **state)
{
    unsetenv("SLURM_CPUS_PER_TASK");
    const int all = proc_cores();

    (void)state;
    assert_true(all >= 1);
    assert_int_equal(cores_with_slurm("1"), 1);
    assert_int_equal(cores_with_slurm("100000"), all);
    assert_int_equal(cores_with_slurm("0"), all);
    assert_int_equal(cores_with_slurm("many"), all);
}

static void
a_process_bound_to_one_core_has_one(void **state)
{
    cpu_set_t all, one;
    int first = 0;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(proc_cores(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    assert_true(proc_cores() <= CPU_COUNT(&all));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slurm_can_only_take_cores_away),
        cmocka_unit_test(a_process_bound_to_one_core_has_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
