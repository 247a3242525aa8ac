/* memory_test.c - what the engine plans to keep for an image of each model in training
 * does not grow: the numbers below may only become smaller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/engine/plan.h"
#include "worker/models/model.h"

enum { BLOCK = 8 };

/* Floats of one image: those that the backward pass reads, and all with gradients. */
static const struct row {
    const char *model;
    int64_t size, for_backward, all;
} rows[] = {
    {"resnet18", 32, 626176, 645232},    {"resnet18", 64, 2503168, 2580592},
    {"resnet34", 32, 1035776, 1054832},  {"resnet10-w8", 32, 50240, 55408},
    {"resnet10-w16", 32, 97408, 104560}, {"wrn-22-8", 32, 1428992, 1497200},
};

static struct graph *
graph_of(const struct row *row)
{
    const struct model_config config = {.classes = 100,
                                        .c = 3,
                                        .h = row->size,
                                        .w = row->size,
                                        .std = {1, 1, 1},
                                        .bn_paths = 2,
                                        .role = MODEL_STUDENT};

    return model_find(row->model)->build(&config);
}

static void
training_keeps_no_more_than_it_did(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct graph *g = graph_of(&rows[i]);
        const struct plan_config config = {
            .block = BLOCK, .gradients = true, .keep = NET_KEEP_LOGITS};
        struct plan p = plan_make(g, &config);
        const int64_t all = p.kept + p.transient;

        if (p.for_backward > rows[i].for_backward || all > rows[i].all)
            fail_msg("%s, %d pixels: %lld of %lld for the backward pass", rows[i].model,
                     (int)rows[i].size, (long long)p.for_backward, (long long)all);
        plan_release(&p);
        graph_free(g);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_keeps_no_more_than_it_did),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
