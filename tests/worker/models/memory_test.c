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

/* Floats of one image: kept until the backward pass, and in turn for gradients. */
static const struct row {
    const char *model;
    int64_t size, kept, transient;
} rows[] = {
    {"resnet18", 32, 629360, 131072},    {"resnet18", 64, 2515568, 524288},
    {"resnet34", 32, 1153648, 131072},   {"resnet10-w8", 32, 53424, 16384},
    {"resnet10-w16", 32, 100592, 32768}, {"wrn-22-8", 32, 1432176, 393216},
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

        if (p.kept > rows[i].kept || p.transient > rows[i].transient)
            fail_msg("%s, %d pixels: %lld kept, %lld transient", rows[i].model,
                     (int)rows[i].size, (long long)p.kept, (long long)p.transient);
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
