/* The life of a job: all pairs of state and event, none forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/dispatch/job_state.h"

/* One row per state, one letter per event in the order of JOB_EVENTS: the state that
 * follows, '-' where the event is not allowed. */
/* clang-format off */
static const char *const expected[JOB_STATE_COUNT] = {
    /*                        events: parents-done, parent-failed, lease, success,
     *                        try-again, hand-back, give-up, quarantine, cancel, hold,
     *                        reset */
    [JOB_BLOCKED]         = "ru------ch-",
    [JOB_READY]           = "--l-----ch-",
    [JOB_LEASED]          = "---srrfqch-",
    [JOB_SUCCEEDED]       = "-----------",
    [JOB_FAILED]          = "----------b",
    [JOB_QUARANTINED]     = "----------b",
    [JOB_CANCELLED]       = "----------b",
    [JOB_UPSTREAM_FAILED] = "----------b",
    [JOB_HELD]            = "-u------c-b",
};
/* clang-format on */
static const char letters[] = "brlsfqcuh"; /* of the states, in their order */

static void
every_pair_of_state_and_event_is_as_written(void **state)
{
    (void)state;
    assert_int_equal(strlen(letters), JOB_STATE_COUNT);
    for (int s = 0; s < JOB_STATE_COUNT; s++) {
        assert_int_equal(strlen(expected[s]), JOB_EVENT_COUNT);
        for (int e = 0; e < JOB_EVENT_COUNT; e++) {
            const int next = job_state_next((enum job_state)s, (enum job_event)e);
            const char got = next < 0 ? '-' : letters[next];
            if (got != expected[s][e])
                fail_msg("%s on %s: %c, not %c", job_state_name((enum job_state)s),
                         job_event_name((enum job_event)e), got, expected[s][e]);
        }
    }
}

static void
success_is_for_ever(void **state)
{
    (void)state;
    for (int e = 0; e < JOB_EVENT_COUNT; e++)
        assert_int_equal(job_state_next(JOB_SUCCEEDED, (enum job_event)e), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_state_and_event_is_as_written),
        cmocka_unit_test(success_is_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
