/* network_test.c - what a network's net keeps of its maps, by their size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/engine/backend.h"
#include "worker/pipeline/network.h"

/* Bytes of maps that a training of ResNet10-w8 on this many images keeps. */
static int64_t
kept_bytes(int64_t batch, bool frozen, enum net_keep keep)
{
    const struct dataset data = {
        .c = 3, .h = 32, .w = 32, .classes = 10, .std = {1, 1, 1}};
    struct network_config config = {.model = "resnet10-w8",
                                    .data = &data,
                                    .role = MODEL_STUDENT,
                                    .bn_paths = 2,
                                    .max_batch = batch,
                                    .gradients = true,
                                    .frozen = frozen,
                                    .keep = keep};
    struct team *team = config.team = team_new(1);
    struct net *n = NULL;
    struct err err;

    assert_int_equal(backend_find(&config.backend, "auto", &err), 0);
    assert_int_equal(network_new(&n, &config, &err), 0);
    const int64_t maps = net_memory(n).maps;
    net_free(n);
    team_free(team);
    return maps;
}

static void
small_maps_are_kept_in_training_and_large_ones_made_anew(void **state)
{
    (void)state;
    assert_int_equal(kept_bytes(32, false, NET_KEEP_LOGITS),
                     kept_bytes(32, false, NET_KEEP_MAPS));
    assert_true(kept_bytes(256, false, NET_KEEP_LOGITS)
                < kept_bytes(256, false, NET_KEEP_MAPS) * 3 / 4);
}

static void
a_net_for_attacks_keeps_what_it_is_told_to(void **state)
{
    (void)state;
    assert_true(kept_bytes(32, true, NET_KEEP_LOGITS)
                < kept_bytes(32, true, NET_KEEP_MAPS) * 3 / 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_maps_are_kept_in_training_and_large_ones_made_anew),
        cmocka_unit_test(a_net_for_attacks_keeps_what_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
