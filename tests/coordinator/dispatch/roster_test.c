/* Sessions by number, process and connection, and the order of their turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/dispatch/roster.h"
#include "shared/base/mem.h"

static struct session *
add(struct roster *r, int64_t id, const char *boot)
{
    struct session *s = xcalloc(1, sizeof *s);
    struct sock_peer peer = {.n = 8};

    s->id = id;
    s->slots = s->offered = s->worker = 1;
    snprintf(s->boot, sizeof s->boot, "%s", boot);
    roster_add(r, s);
    memcpy(peer.id, &id, sizeof id);
    roster_set_peer(r, s, &peer);
    return s;
}

static void
a_session_is_found_by_what_is_known_of_it(void **state)
{
    struct roster r = {0};
    char boot[32];

    (void)state;
    for (int i = 1; i <= 3000; i++) {
        snprintf(boot, sizeof boot, "boot-%d", i);
        add(&r, i, boot);
    }
    for (int i = 3; i <= 3000; i += 3)
        roster_drop(&r, roster_find(&r, i));
    for (int i = 1; i <= 3000; i++) {
        struct session *s = roster_find(&r, i);
        struct sock_peer peer = {.n = 8};
        const int64_t id = i;
        memcpy(peer.id, &id, sizeof id);
        snprintf(boot, sizeof boot, "boot-%d", i);
        assert_int_equal(s == NULL, i % 3 == 0);
        assert_ptr_equal(roster_find_boot(&r, boot), s);
        assert_ptr_equal(roster_find_peer(&r, &peer), s);
    }
    roster_release(&r);
}

/* Two processes of one name is what a HELLO of a reconnected one makes for a moment. */
static void
the_newest_session_of_a_process_is_found_until_it_is_gone(void **state)
{
    struct roster r = {0};
    struct session *a = add(&r, 1, "x"), *b = add(&r, 2, "x");

    (void)state;
    assert_ptr_equal(roster_find_boot(&r, "x"), b);
    roster_drop(&r, b);
    assert_ptr_equal(roster_find_boot(&r, "x"), a);
    roster_drop(&r, a);
    assert_null(roster_find_boot(&r, "x"));
    roster_release(&r);
}

static void
turns_go_to_the_one_served_least_lately_with_credit(void **state)
{
    struct roster r = {0};
    struct session *a = add(&r, 1, "a"), *b = add(&r, 2, "b"), *c = add(&r, 3, "c");

    (void)state;
    a->served = 9;
    b->served = c->served = 4;
    roster_offer(&r, a);
    roster_offer(&r, c);
    roster_offer(&r, b);
    roster_offer(&r, b); /* told twice */
    assert_ptr_equal(roster_next_turn(&r), b);
    c->offered = 0;
    assert_ptr_equal(roster_next_turn(&r), a);
    assert_null(roster_next_turn(&r));
    c->offered = 1;
    roster_offer(&r, c);
    assert_ptr_equal(roster_next_turn(&r), c);
    roster_release(&r);
}

static void
who_was_put_aside_has_no_turn_until_all_are_recalled(void **state)
{
    struct roster r = {0};
    struct session *a = add(&r, 1, "a"), *b = add(&r, 2, "b");

    (void)state;
    roster_put_aside(&r, a);
    roster_put_aside(&r, b);
    roster_offer(&r, a);
    assert_null(roster_next_turn(&r));
    roster_drop(&r, a);
    roster_recall(&r);
    assert_ptr_equal(roster_next_turn(&r), b);
    assert_null(roster_next_turn(&r));
    roster_release(&r);
}

static void
sessions_that_come_and_go_leave_nothing_behind(void **state)
{
    struct roster r = {0};

    (void)state;
    for (int i = 1; i <= 100000; i++) {
        struct session *s = add(&r, i, "again");
        roster_offer(&r, s);
        roster_drop(&r, s);
    }
    assert_true(r.turns.n < 100);
    assert_int_equal(r.by_boot.n + r.by_peer.n + r.by_id.n, 0);
    roster_release(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_found_by_what_is_known_of_it),
        cmocka_unit_test(the_newest_session_of_a_process_is_found_until_it_is_gone),
        cmocka_unit_test(turns_go_to_the_one_served_least_lately_with_credit),
        cmocka_unit_test(who_was_put_aside_has_no_turn_until_all_are_recalled),
        cmocka_unit_test(sessions_that_come_and_go_leave_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
