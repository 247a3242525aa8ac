#ifndef TESTS_COORDINATOR_DISPATCH_CORE_FIXTURE_H
#define TESTS_COORDINATOR_DISPATCH_CORE_FIXTURE_H

#include "coordinator/dispatch/core.h"

enum { LEASE_MS = 3000 };

/* Set-up and tear-down of cmocka: *state is a struct core whose first session is 1001. */
int new_core(void **state);
int free_core(void **state);
#define CORE_TEST(name) cmocka_unit_test_setup_teardown(name, new_core, free_core)

/* A worker called as its process says HELLO, at most 8 runs, and offers its other slots. */
struct session *hello_from(struct core *core, const char *host, const char *boot,
                           int64_t slots, const struct msg_run *running,
                           size_t n_running, int64_t now);

/* The same from the machine "h". */
struct session *hello(struct core *core, const char *boot, int64_t slots,
                      const struct msg_run *running, size_t n_running, int64_t now);

/* All actions as text: "lease 1/1>1001 lost 2/1! return 3/1 ask 4/1>1001 gone a". Until
 * the next call. */
const char *actions(struct core *core);

#endif
