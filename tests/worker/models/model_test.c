/* model_test.c - the networks have the sizes and names that the papers state. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/worker/models/small_net.h"

static struct graph *
build(const char *name, int64_t classes, int64_t size, int paths, enum model_role role)
{
    const struct model_config config = {.classes = classes,
                                        .c = 3,
                                        .h = size,
                                        .w = size,
                                        .std = {1, 1, 1},
                                        .bn_paths = paths,
                                        .role = role,
                                        .shared_shortcut_bn = true};

    assert_non_null(model_find(name));
    return model_find(name)->build(&config);
}

static void
check_counts(const char *name, int64_t classes, int64_t size, int64_t relus,
             int64_t weights, int64_t macs)
{
    struct graph *g = build(name, classes, size, 1, MODEL_STUDENT);

    assert_int_equal(graph_relus(g), relus);
    assert_int_equal(graph_n_weights(g), weights);
    assert_int_equal(graph_macs(g), macs);
    graph_free(g);
}

static void
relus_weights_and_macs_are_those_of_the_papers(void **state)
{
    (void)state;
    check_counts("resnet18", 100, 32, 557056, 11220132, 555468800);
    check_counts("resnet18", 200, 64, 2228224, 11271432, 2221772800);
    check_counts("resnet34", 100, 32, 966656, 21328292, 1159448576);
    check_counts("resnet34", 200, 64, 3866624, 21379592, 4637691904);
    check_counts("wrn-22-8", 100, 32, 1392640, 17204276, 2454161408);
    check_counts("wrn-22-8", 200, 64, 5570560, 17255576, 9816543232);
    check_counts("resnet18-snl", 100, 32, 491520, 11220132, 555468800);
    check_counts("resnet18-snl", 200, 64, 1966080, 11271432, 2221772800);
    check_counts("wrn-22-8-snl", 100, 32, 1359872, 17204276, 2454161408);
    check_counts("wrn-22-8-snl", 200, 64, 5439488, 17255576, 9816543232);
}

static void
ten_classes_change_the_classifier_only(void **state)
{
    struct graph *r18 = build("resnet18", 10, 32, 1, MODEL_TEACHER);
    struct graph *r34 = build("resnet34", 10, 32, 1, MODEL_TEACHER);
    struct graph *wrn = build("wrn-22-8", 10, 32, 1, MODEL_TEACHER);

    (void)state;
    assert_int_equal(graph_n_weights(r18), 11173962);
    assert_int_equal(graph_n_weights(r34), 21282122);
    assert_int_equal(graph_n_weights(wrn), 17158106);
    graph_free(r18);
    graph_free(r34);
    graph_free(wrn);
}

/* runs: pairs of number of layers and units of each, ending with 0. */
static void
check_layers(const char *name, const int64_t *runs)
{
    struct graph *g = build(name, 10, 32, 2, MODEL_STUDENT);
    int layer = 0;

    for (; runs[0] != 0; runs += 2) {
        for (int64_t i = 0; i < runs[0]; i++, layer++) {
            const struct graph_shape s = graph_mask_shape(g, layer);
            assert_int_equal(s.c * s.h * s.w, runs[1]);
        }
    }
    assert_int_equal(graph_n_masks(g), layer);
    graph_free(g);
}

static void
activations_are_numbered_in_execution_order(void **state)
{
    (void)state;
    check_layers("resnet18", (int64_t[]){5, 65536, 4, 32768, 4, 16384, 4, 8192, 0, 0});
    check_layers("resnet34", (int64_t[]){7, 65536, 8, 32768, 12, 16384, 6, 8192, 0, 0});
    check_layers("wrn-22-8",
                 (int64_t[]){1, 16384, 6, 131072, 6, 65536, 6, 32768, 0, 0});
    check_layers("resnet18-snl",
                 (int64_t[]){4, 65536, 4, 32768, 4, 16384, 4, 8192, 0, 0});
    check_layers("wrn-22-8-snl",
                 (int64_t[]){1, 16384, 6, 131072, 6, 65536, 5, 32768, 0, 0});
    check_layers("resnet10-w16",
                 (int64_t[]){3, 16384, 2, 8192, 2, 4096, 2, 2048, 0, 0});
}

static void
a_second_path_adds_two_numbers_for_each_normalised_channel(void **state)
{
    struct graph *one = build("resnet18", 10, 32, 1, MODEL_STUDENT);
    struct graph *student = build("resnet18", 10, 32, 2, MODEL_STUDENT);
    struct graph *teacher = build("resnet18", 10, 32, 2, MODEL_TEACHER);
    struct graph *triple = build("resnet18", 10, 32, 3, MODEL_TEACHER);

    (void)state;
    assert_int_equal(graph_n_weights(triple) - graph_n_weights(one), 2 * 9600);
    graph_free(triple);
    assert_int_equal(graph_n_weights(student) - graph_n_weights(one), 9600);
    /* the teacher's 896 shortcut channels are shared by the paths */
    assert_int_equal(graph_n_weights(teacher) - graph_n_weights(one), 2 * (4800 - 896));
    graph_free(one);
    graph_free(student);
    graph_free(teacher);
}

static void
group_outputs_are_the_ends_of_the_groups(void **state)
{
    const char *const names[] = {"resnet18", "wrn-22-8"};
    const int groups[] = {4, 3};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct graph *g = build(names[i], 10, 32, 2, MODEL_STUDENT);
        assert_int_equal(graph_n_groups(g), groups[i]);
        graph_free(g);
    }
}

/* ---- names ----------------------------------------------------------------------- */

static struct net *
named_net(enum model_role role, int paths, bool shared, struct team *team)
{
    return small_net_new(&(struct small_net){.role = role,
                                             .bn_paths = paths,
                                             .classes = 10,
                                             .size = 8,
                                             .max_batch = 1,
                                             .shared_shortcut_bn = shared,
                                             .seed = 1},
                         team);
}

static void
expect_names(enum model_role role, int paths, bool shared, const char *const *names)
{
    struct team *team = team_new(1);
    struct net *n = named_net(role, paths, shared, team);

    for (; *names != NULL; names++) {
        const bool absent = (*names)[0] == '!';
        const bool found = net_find_param(n, *names + absent) != NULL;
        if (found == absent)
            fail_msg("parameter %s", *names);
    }
    net_free(n);
    team_free(team);
}

static void
teacher_and_student_have_the_released_names(void **state)
{
    static const char *const teacher[] = {"conv1.weight",
                                          "bn1.BN_c.weight",
                                          "bn1.BN_a.num_batches_tracked",
                                          "layer1.0.conv1.weight",
                                          "layer1.0.bn1.BN_c.bias",
                                          "layer4.0.conv2.weight",
                                          "layer4.0.bn2.BN_a.running_var",
                                          "layer2.0.shortcut.0.weight",
                                          "layer2.0.shortcut.1.weight",
                                          "layer2.0.shortcut.1.running_mean",
                                          "linear.weight",
                                          "linear.bias",
                                          "!layer1.0.shortcut.0.weight",
                                          "!layer2.0.conv_sc.weight",
                                          "!layer2.0.shortcut.1.BN_c.weight",
                                          "!conv1.bias",
                                          NULL};
    static const char *const student[] = {
        "layer2.0.conv_sc.weight",         "layer2.0.bn_sc.BN_c.weight",
        "layer3.0.bn_sc.BN_a.running_var", "!layer2.0.shortcut.0.weight",
        "!layer2.0.bn_sc.weight",          NULL};
    static const char *const dual[] = {"layer2.0.shortcut.1.BN_a.weight",
                                       "!layer2.0.shortcut.1.weight", NULL};
    static const char *const single[] = {"bn1.weight", "layer2.0.shortcut.1.weight",
                                         "!bn1.BN_c.weight", NULL};
    static const char *const triple[] = {"bn1.BN_r.weight",
                                         "layer2.0.shortcut.1.BN_r.weight", NULL};

    (void)state;
    expect_names(MODEL_TEACHER, 2, true, teacher);
    expect_names(MODEL_STUDENT, 2, true, student);
    expect_names(MODEL_TEACHER, 2, false, dual);
    expect_names(MODEL_TEACHER, 1, true, single);
    expect_names(MODEL_TEACHER, 3, true, triple);
}

static double
deviation(const struct net_param *p)
{
    double sum = 0, square = 0;

    for (int64_t i = 0; i < p->size; i++) {
        sum += (double)p->value[i];
        square += (double)p->value[i] * (double)p->value[i];
    }
    sum /= (double)p->size;
    return sqrt(square / (double)p->size - sum * sum);
}

static void
the_networks_of_snl_have_one_spelling_and_their_own_start(void **state)
{
    struct team *team = team_new(1);
    struct small_net want = {.model = "resnet18-snl",
                             .role = MODEL_STUDENT,
                             .bn_paths = 1,
                             .classes = 10,
                             .size = 8,
                             .max_batch = 1,
                             .seed = 1};
    struct net *n = small_net_new(&want, team);
    const struct net_param *conv = net_find_param(n, "layer2.0.conv1.weight");
    const struct net_param *linear = net_find_param(n, "linear.weight");

    (void)state;
    assert_non_null(net_find_param(n, "layer2.0.shortcut.0.weight"));
    assert_null(net_find_param(n, "layer2.0.conv_sc.weight"));
    /* fan-in: 64 inputs of this convolution, 128 outputs */
    assert_true(fabs(deviation(conv) / sqrt(2 / (9.0 * 64)) - 1) < 0.02);
    assert_true(fabs(deviation(linear) / sqrt(2 / 512.0) - 1) < 0.05);
    assert_true(net_find_param(n, "linear.bias")->value[3] != 0);
    net_free(n);
    team_free(team);
}

static void
wide_resnet_has_the_released_names(void **state)
{
    struct team *team = team_new(1);
    struct net *n = small_net_new(&(struct small_net){.model = "wrn-22-8",
                                                      .role = MODEL_TEACHER,
                                                      .bn_paths = 2,
                                                      .classes = 10,
                                                      .size = 8,
                                                      .max_batch = 1,
                                                      .seed = 1},
                                  team);

    (void)state;
    assert_non_null(net_find_param(n, "block1.layer.0.convShortcut.weight"));
    assert_non_null(net_find_param(n, "block3.layer.2.bn2.BN_a.weight"));
    assert_non_null(net_find_param(n, "block2.layer.1.conv1.weight"));
    assert_null(net_find_param(n, "block1.layer.1.convShortcut.weight"));
    assert_non_null(net_find_param(n, "bn1.BN_c.running_mean"));
    for (int64_t k = 0; k < 10; k++)
        assert_true(net_find_param(n, "fc.bias")->value[k] == 0);
    net_free(n);
    team_free(team);
}

/* ---- start ----------------------------------------------------------------------- */

static void
the_start_is_fan_out_normal_and_depends_on_seed_and_name_only(void **state)
{
    struct team *team = team_new(1);
    struct net *a = named_net(MODEL_TEACHER, 2, true, team);
    struct net *b = named_net(MODEL_STUDENT, 1, true, team);
    const struct net_param *conv = net_find_param(a, "layer4.0.conv2.weight");
    const struct net_param *same = net_find_param(b, "layer4.0.conv2.weight");
    const struct net_param *linear = net_find_param(a, "linear.weight");
    const double bound = 1 / sqrt(64.0);

    (void)state;
    assert_true(fabs(deviation(conv) / sqrt(2 / (9.0 * 64)) - 1) < 0.02);
    assert_memory_equal(conv->value, same->value, (size_t)conv->size * sizeof(float));
    assert_true(fabs(deviation(linear) / (bound / sqrt(3.0)) - 1) < 0.05);
    for (int64_t i = 0; i < linear->size; i++)
        assert_true(fabs((double)linear->value[i]) <= bound);
    assert_true(net_find_param(a, "bn1.BN_a.weight")->value[0] == 1);
    assert_true(net_find_param(a, "bn1.BN_a.bias")->value[0] == 0);
    assert_true(net_find_param(a, "layer4.0.bn2.BN_c.weight")->value[5] == 1);
    assert_true(net_find_param(a, "bn1.BN_c.running_var")->value[0] == 1);
    model_find("resnet10-w8")->init(a, 2);
    assert_memory_not_equal(conv->value, same->value,
                            (size_t)conv->size * sizeof(float));
    net_free(a);
    net_free(b);
    team_free(team);
}

static void
names_lead_to_their_rows(void **state)
{
    (void)state;
    for (int i = 0; models[i] != NULL; i++) {
        assert_string_equal(models[i]->name, model_names[i]);
        assert_ptr_equal(model_find(model_names[i]), models[i]);
        assert_true(models[i]->doc[0] != '\0' && models[i]->source[0] != '\0');
    }
    assert_null(model_find("resnet19"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relus_weights_and_macs_are_those_of_the_papers),
        cmocka_unit_test(ten_classes_change_the_classifier_only),
        cmocka_unit_test(activations_are_numbered_in_execution_order),
        cmocka_unit_test(a_second_path_adds_two_numbers_for_each_normalised_channel),
        cmocka_unit_test(group_outputs_are_the_ends_of_the_groups),
        cmocka_unit_test(teacher_and_student_have_the_released_names),
        cmocka_unit_test(wide_resnet_has_the_released_names),
        cmocka_unit_test(the_networks_of_snl_have_one_spelling_and_their_own_start),
        cmocka_unit_test(the_start_is_fan_out_normal_and_depends_on_seed_and_name_only),
        cmocka_unit_test(names_lead_to_their_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
