/* sparse_test.c - sparse momentum training keeps its density, moves weights to where the
 * momentum is, and is all in its one array of floats. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "tests/worker/models/small_net.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/sparse.h"

struct scene {
    struct team *team;
    struct net *net;
    struct sparse *sparse;
};

static const struct sparse_config config = {.density = 0.2,
                                            .prune = 0.5,
                                            .interval = 3,
                                            .steps = 30};

static struct scene
new_scene(void)
{
    struct scene s = {.team = team_new(1)};
    struct err err;

    s.net = small_net_new(&(struct small_net){.role = MODEL_TEACHER,
                                              .bn_paths = 1,
                                              .classes = 4,
                                              .size = 8,
                                              .max_batch = 1,
                                              .gradients = true,
                                              .seed = 1},
                          s.team);
    if (sparse_new(&s.sparse, s.net, &config, 7, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

static void
free_scene(struct scene *s)
{
    sparse_free(s->sparse);
    net_free(s->net);
    team_free(s->team);
}

/* As an optimiser would leave them: weights of every place, momentum that is largest in
 * the layer called `busy`. */
static void
pretend_step(struct scene *s, int64_t step, const char *busy)
{
    size_t count;
    struct net_param *params = net_params(s->net, &count);

    for (size_t i = 0; i < count; i++) {
        struct net_param *p = &params[i];
        const double scale = strcmp(p->name, busy) == 0 ? 10 : 1;
        float *noise = small_floats(p->size, -1, 1, (uint64_t)step * 1000 + i);
        for (int64_t k = 0; p->role == NET_CONV_WEIGHT && k < p->size; k++) {
            p->value[k] += 0.01f * noise[k];
            p->momentum[k] = (float)scale * noise[k];
        }
        free(noise);
    }
    sparse_after_step(s->sparse, step);
}

static double
density_of_all(struct scene *s)
{
    size_t count;
    const struct net_param *params = net_params(s->net, &count);
    double kept = 0, all = 0;

    for (size_t i = 0; i < count; i++) {
        if (params[i].role != NET_CONV_WEIGHT)
            continue;
        kept += sparse_density(&params[i]) * (double)params[i].size;
        all += (double)params[i].size;
    }
    return kept / all;
}

static void
the_density_is_kept_and_goes_where_the_momentum_is(void **state)
{
    struct scene s = new_scene();
    const struct net_param *busy = net_find_param(s.net, "layer3.0.conv2.weight");
    const double before = sparse_density(busy);

    (void)state;
    assert_true(fabs(before - 0.2) < 0.03);
    for (int64_t step = 1; step <= config.steps; step++)
        pretend_step(&s, step, busy->name);
    assert_true(fabs(density_of_all(&s) - 0.2) < 0.02);
    assert_true(sparse_density(busy) > 2 * before);
    free_scene(&s);
}

static void
between_moves_the_places_stay(void **state)
{
    struct scene s = new_scene();
    const struct net_param *p = net_find_param(s.net, "layer1.0.conv1.weight");
    uint8_t *kept = xmalloc((size_t)p->size);

    (void)state;
    for (int64_t k = 0; k < p->size; k++)
        kept[k] = p->value[k] != 0;
    pretend_step(&s, 1, "");
    pretend_step(&s, 2, "");
    for (int64_t k = 0; k < p->size; k++)
        assert_int_equal(kept[k], p->value[k] != 0);
    pretend_step(&s, 3, ""); /* the smallest go, others come */
    int64_t moved = 0;
    for (int64_t k = 0; k < p->size; k++)
        moved += kept[k] != (p->value[k] != 0);
    assert_true(moved > 0);
    free(kept);
    free_scene(&s);
}

static void
its_data_are_all_that_later_steps_depend_on(void **state)
{
    struct scene a = new_scene(), b = new_scene();
    int64_t n, size;

    (void)state;
    for (int64_t step = 1; step <= 6; step++)
        pretend_step(&a, step, "conv1.weight");
    small_net_copy(b.net, a.net);
    const float *data = sparse_data(a.sparse, &n);
    memcpy(sparse_data(b.sparse, &size), data, (size_t)n * sizeof *data);
    assert_int_equal(n, size);
    for (int64_t step = 7; step <= 12; step++) {
        pretend_step(&a, step, "conv1.weight");
        pretend_step(&b, step, "conv1.weight");
    }
    float *x = small_net_values(a.net, &n), *y = small_net_values(b.net, &size);
    assert_memory_equal(x, y, (size_t)n * sizeof *x);
    free(x);
    free(y);
    free_scene(&a);
    free_scene(&b);
}

static void
expect_conv(const char *model, int mask, const char *name)
{
    struct team *team = team_new(1);
    struct net *n = small_net_new(&(struct small_net){.model = model,
                                                      .role = MODEL_TEACHER,
                                                      .bn_paths = 1,
                                                      .classes = 4,
                                                      .size = 8,
                                                      .max_batch = 1},
                                  team);

    assert_string_equal(network_conv_before(n, model, mask)->name, name);
    net_free(n);
    team_free(team);
}

static void
every_activation_has_its_convolution(void **state)
{
    (void)state;
    expect_conv("resnet18", 0, "conv1.weight");
    expect_conv("resnet18", 5, "layer2.0.conv1.weight");
    expect_conv("resnet18", 6, "layer2.0.conv2.weight"); /* not the shortcut's */
    expect_conv("resnet18", 16, "layer4.1.conv2.weight");
    expect_conv("resnet18-snl", 0, "layer1.0.conv1.weight");
    expect_conv("resnet18-snl", 15, "layer4.1.conv2.weight");
    expect_conv("wrn-22-8", 0, "conv1.weight");
    expect_conv("wrn-22-8", 2, "block1.layer.0.conv2.weight");
    expect_conv("wrn-22-8", 18, "block3.layer.2.conv2.weight");
    expect_conv("wrn-22-8-snl", 17, "block3.layer.2.conv1.weight");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_density_is_kept_and_goes_where_the_momentum_is),
        cmocka_unit_test(between_moves_the_places_stay),
        cmocka_unit_test(its_data_are_all_that_later_steps_depend_on),
        cmocka_unit_test(every_activation_has_its_convolution),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
