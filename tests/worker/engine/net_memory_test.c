/* net_memory_test.c - nets that keep less, or borrow memory, give the same bits as those
 * that keep everything, and are smaller. */
#include "tests/worker/engine/small_resnet.h"

#include <string.h>

enum { BATCH = 9, PATH = 1 };

/* A net that keeps everything, and what is given to it. */
struct fixture {
    struct team *team;
    struct net *net;
    float *x, *dlogits;
};

static float *
random_floats(int64_t n, uint32_t seed)
{
    double *values = probe_array(n, 1.0, seed);
    float *out = probe_float_array(values, n);

    free(values);
    return out;
}

static void
setup(struct fixture *f, const struct backend *backend)
{
    struct graph *g = small_resnet();

    f->team = team_new(2);
    f->net = probe_net_keep(g, backend, f->team, BATCH + 3, NET_KEEP_MAPS);
    graph_free(g);
    probe_fill(f->net);
    small_set_masks(f->net);
    f->x = random_floats(BATCH * SMALL_IMAGE, 1);
    f->dlogits = random_floats(BATCH * SMALL_CLASSES, 2);
}

static void
teardown(struct fixture *f)
{
    free(f->x);
    free(f->dlogits);
    net_free(f->net);
    team_free(f->team);
}

static const float *
forward(struct fixture *f)
{
    return net_forward(f->net, f->x, BATCH, NET_EVAL, PATH);
}

static void
a_net_without_gradients_gives_the_same_logits_in_less_memory(void **state)
{
    (void)state;
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct fixture f;
        setup(&f, *b);
        struct net *light = probe_net(net_graph(f.net), *b, f.team, BATCH + 3, false);
        probe_fill(light);
        small_set_masks(light);
        const float *want = forward(&f);
        const float *got = net_forward(light, f.x, BATCH, NET_EVAL, PATH);
        assert_memory_equal(got, want, sizeof(float) * BATCH * SMALL_CLASSES);
        const struct net_map m = net_act_map(f.net, 1), same = net_act_map(light, 1);
        assert_memory_equal(m.data, same.data,
                            (size_t)(BATCH * m.per_image) * sizeof(float));
        assert_true(net_bytes(light) < net_bytes(f.net));
        assert_null(net_find_param(light, "fc.weight")->grad);
        net_free(light);
        teardown(&f);
    }
}

static void
a_frozen_net_gives_the_same_input_gradient_in_less_memory(void **state)
{
    (void)state;
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct fixture f;
        setup(&f, *b);
        const struct net_config config = {.backend = *b,
                                          .team = f.team,
                                          .max_batch = BATCH + 3,
                                          .gradients = true,
                                          .frozen = true};
        struct net *frozen = probe_net_of(net_graph(f.net), &config);
        probe_fill(frozen);
        small_set_masks(frozen);
        forward(&f);
        net_backward(f.net, f.dlogits, NET_GRAD_INPUT);
        net_forward(frozen, f.x, BATCH, NET_EVAL, PATH);
        net_backward(frozen, f.dlogits, NET_GRAD_INPUT);
        assert_memory_equal(net_input_grad(frozen), net_input_grad(f.net),
                            sizeof(float) * BATCH * SMALL_IMAGE);
        assert_true(net_bytes(frozen) < net_bytes(f.net));
        assert_null(net_find_param(frozen, "fc.weight")->momentum);
        net_free(frozen);
        teardown(&f);
    }
}

static void
a_net_for_logits_alone_gives_the_same_in_less_memory_still(void **state)
{
    (void)state;
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct fixture f;
        struct err err;
        struct net *lightest;
        setup(&f, *b);
        struct net *light = probe_net(net_graph(f.net), *b, f.team, BATCH, false);
        const struct net_config config = {
            .backend = *b, .team = f.team, .max_batch = BATCH, .keep = NET_KEEP_LOGITS};
        assert_int_equal(net_new(&lightest, net_graph(f.net), &config, &err), 0);
        probe_fill(lightest);
        small_set_masks(lightest);
        const float *want = forward(&f);
        const float *got = net_forward(lightest, f.x, BATCH, NET_EVAL, PATH);
        assert_memory_equal(got, want, sizeof(float) * BATCH * SMALL_CLASSES);
        assert_true(net_bytes(lightest) < net_bytes(light));
        net_free(light);
        net_free(lightest);
        teardown(&f);
    }
}

/* More images than without gradients go through a net at once. */
static void
a_large_batch_gives_the_same_as_its_images_in_two_passes(void **state)
{
    enum { MANY = 150, SOME = 41 };
    float *x = random_floats(MANY * SMALL_IMAGE, 1), logits[MANY * SMALL_CLASSES];
    (void)state;

    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct fixture f;
        setup(&f, *b);
        struct net *all = probe_net(net_graph(f.net), *b, f.team, MANY, false);
        struct net *two = probe_net(net_graph(f.net), *b, f.team, MANY, false);
        probe_fill(all);
        probe_fill(two);
        const float *want = net_forward(all, x, MANY, NET_EVAL, PATH);
        const float *got = net_forward(two, x, SOME, NET_EVAL, PATH);
        memcpy(logits, got, sizeof(float) * SOME * SMALL_CLASSES);
        got = net_forward(two, x + SOME * SMALL_IMAGE, MANY - SOME, NET_EVAL, PATH);
        memcpy(logits + SOME * SMALL_CLASSES, got,
               sizeof(float) * (MANY - SOME) * SMALL_CLASSES);
        assert_memory_equal(logits, want, sizeof(logits));
        for (int i = SOME; i < MANY; i++)
            assert_memory_equal(net_act_image(all, 1, i, 0),
                                net_act_image(two, 1, i - SOME, 0),
                                (size_t)net_act_map(all, 1).per_image * sizeof(float));
        net_free(all);
        net_free(two);
        teardown(&f);
    }
    free(x);
}

/* What a watched net shows, and what it must be. */
struct shown {
    const struct net *watched, *keeps;
    int64_t per_image;
    int next;
};

static void
compare_shown(void *ctx, int index)
{
    struct shown *s = ctx;

    assert_int_equal(index, s->next++);
    if (index != 1)
        return;
    for (int i = 0; i < BATCH; i++)
        assert_memory_equal(net_act_image(s->watched, index, i, 0),
                            net_act_image(s->keeps, index, i, 0),
                            (size_t)s->per_image * sizeof(float));
}

static void
a_net_that_is_watched_shows_its_maps_and_keeps_none(void **state)
{
    (void)state;
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct fixture f;
        setup(&f, *b);
        const struct net_config config = {.backend = *b,
                                          .team = f.team,
                                          .max_batch = BATCH,
                                          .keep = NET_KEEP_WATCHED,
                                          .lender = f.net};
        struct net *keeps = probe_net(net_graph(f.net), *b, f.team, BATCH, false);
        struct net *watched = probe_net_of(net_graph(f.net), &config);
        struct shown shown = {.watched = watched, .keeps = keeps};
        probe_fill(keeps);
        small_set_masks(keeps);
        probe_fill(watched);
        small_set_masks(watched);
        const float *want = net_forward(keeps, f.x, BATCH, NET_EVAL, PATH);
        shown.per_image = net_act_map(keeps, 1).per_image;
        net_watch(watched, compare_shown, &shown);
        const float *got = net_forward(watched, f.x, BATCH, NET_EVAL, PATH);
        assert_memory_equal(got, want, sizeof(float) * BATCH * SMALL_CLASSES);
        assert_int_equal(shown.next, graph_n_masks(net_graph(keeps)));
        net_watch(watched, NULL, NULL);
        net_forward(watched, f.x, BATCH, NET_EVAL, PATH);
        assert_int_equal(shown.next, graph_n_masks(net_graph(keeps)));
        assert_true(net_bytes(watched) < net_bytes(keeps));
        net_free(keeps);
        net_free(watched);
        teardown(&f);
    }
}

static void
a_net_in_the_memory_of_another_gives_the_same_in_less_of_its_own(void **state)
{
    (void)state;
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct fixture f;
        setup(&f, *b);
        struct net_config config = {
            .backend = *b, .team = f.team, .max_batch = BATCH, .keep = NET_KEEP_GROUPS};
        struct net *own = probe_net_of(net_graph(f.net), &config);
        config.lender = f.net;
        struct net *guest = probe_net_of(net_graph(f.net), &config);
        probe_fill(own);
        probe_fill(guest);
        const float *got = net_forward(guest, f.x, BATCH, NET_EVAL, PATH);
        forward(&f); /* takes its memory back; what the guest keeps stays */
        const float *want = net_forward(own, f.x, BATCH, NET_EVAL, PATH);
        assert_memory_equal(got, want, sizeof(float) * BATCH * SMALL_CLASSES);
        const struct net_map m = net_group_map(guest, 0), same = net_group_map(own, 0);
        assert_memory_equal(m.data, same.data,
                            (size_t)(BATCH * m.per_image) * sizeof(float));
        assert_true(net_bytes(guest) < net_bytes(own));
        net_free(own);
        net_free(guest);
        teardown(&f);
    }
}

/* Two convolutions side by side whose packed weights are large enough to be made late. */
static struct graph *
two_wide_convolutions(void)
{
    struct graph *g = graph_new(3, 4, 4);
    const int stem =
        graph_conv(g, graph_input(g), &(struct graph_conv){"conv1", 64, 3, 1, 1});
    const int x = graph_norm(g, stem, &(struct graph_norm){"bn1", 1, -1, GRAPH_RELU});
    const int a = graph_conv(g, x, &(struct graph_conv){"conv2", 128, 3, 1, 1});
    const int b = graph_conv(g, x, &(struct graph_conv){"conv3", 128, 3, 1, 1});
    const int y = graph_norm(g, b, &(struct graph_norm){"bn3", 1, -1, GRAPH_LINEAR});
    const int z = graph_norm(g, a, &(struct graph_norm){"bn2", 1, y, GRAPH_RELU});

    graph_linear(g, graph_pool(g, z), "fc", SMALL_CLASSES);
    return g;
}

enum { WIDE_BATCH = 256, WIDE_IMAGE = 3 * 4 * 4 };

/* What passes of both modes leave behind: logits, input and all parameter gradients. */
static void
wide_passes(float *out, struct net *n, const float *x, const float *d)
{
    size_t count;
    const struct net_param *params = net_params(n, &count);

    net_zero_grads(n);
    for (int mode = NET_TRAIN; mode <= NET_EVAL; mode++) {
        const float *logits = net_forward(n, x, WIDE_BATCH, (enum net_mode)mode, 0);
        memcpy(out, logits, sizeof(float) * WIDE_BATCH * SMALL_CLASSES);
        net_backward(n, d, NET_GRAD_PARAMS | NET_GRAD_INPUT);
        out += WIDE_BATCH * SMALL_CLASSES;
        memcpy(out, net_input_grad(n), sizeof(float) * WIDE_BATCH * WIDE_IMAGE);
        out += WIDE_BATCH * WIDE_IMAGE;
    }
    for (size_t i = 0; i < count; i++)
        if (params[i].grad != NULL) {
            memcpy(out, params[i].grad, (size_t)params[i].size * sizeof(float));
            out += params[i].size;
        }
}

static void
weights_packed_late_give_the_same_bits_in_less_memory(void **state)
{
    enum { MOST = 1 << 19 };
    struct graph *g = two_wide_convolutions();
    double *xd = probe_array(WIDE_BATCH * WIDE_IMAGE, 1.0, 1);
    double *dd = probe_array(WIDE_BATCH * SMALL_CLASSES, 0.1, 2);
    float *x = probe_float_array(xd, WIDE_BATCH * WIDE_IMAGE);
    float *d = probe_float_array(dd, WIDE_BATCH * SMALL_CLASSES);
    float *got[NET_PACK_LATE + 1];
    int64_t bytes[NET_PACK_LATE + 1];
    (void)state;

    for (const struct backend *const *b = backends; *b != NULL; b++) {
        for (int packing = NET_PACK_KEPT; packing <= NET_PACK_LATE; packing++) {
            struct team *team = team_new(packing + 1);
            struct net *n;
            struct err err;
            const struct net_config config = {.backend = *b,
                                              .team = team,
                                              .max_batch = WIDE_BATCH,
                                              .gradients = true,
                                              .packing = (enum net_packing)packing};
            assert_int_equal(net_new(&n, g, &config, &err), 0);
            probe_fill(n);
            got[packing] = probe_float_array(NULL, MOST);
            wide_passes(got[packing], n, x, d);
            assert_memory_equal(got[packing], got[0], MOST * sizeof(float));
            bytes[packing] = net_bytes(n);
            net_free(n);
            team_free(team);
        }
        if (strcmp(backend_name(*b), "dnnl") == 0) /* the other one packs nothing */
            assert_true(bytes[NET_PACK_LATE] < bytes[NET_PACK_KEPT]);
        for (int packing = NET_PACK_KEPT; packing <= NET_PACK_LATE; packing++)
            free(got[packing]);
    }
    free(xd);
    free(dd);
    free(x);
    free(d);
    graph_free(g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_net_without_gradients_gives_the_same_logits_in_less_memory),
        cmocka_unit_test(a_frozen_net_gives_the_same_input_gradient_in_less_memory),
        cmocka_unit_test(a_net_for_logits_alone_gives_the_same_in_less_memory_still),
        cmocka_unit_test(a_large_batch_gives_the_same_as_its_images_in_two_passes),
        cmocka_unit_test(
            a_net_in_the_memory_of_another_gives_the_same_in_less_of_its_own),
        cmocka_unit_test(a_net_that_is_watched_shows_its_maps_and_keeps_none),
        cmocka_unit_test(weights_packed_late_give_the_same_bits_in_less_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
