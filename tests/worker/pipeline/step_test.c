/* step_test.c - the order and the side effects of one step: running statistics, scores,
 * refusals, threads. The numbers themselves are compared with PyTorch by trace_torch.py. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "tests/worker/models/small_net.h"
#include "worker/attacks/attack.h"
#include "worker/pipeline/step.h"

enum { B = 9, H = B / 2, K = 5, SIZE = 16, IMAGE = 3 * SIZE * SIZE };

struct scene {
    struct team *team;
    struct net *student, *teacher;
    struct step *step;
    float *x, *x_aug, *start;
    int64_t y[B];
    struct step_batch batch;
};

static struct step_config
config_of(enum step_stage stage)
{
    return (struct step_config){.stage = stage,
                                .temperature = 4,
                                .attack = "auto",
                                .eps = 8.0 / 255,
                                .attack_step = 2.0 / 255,
                                .attack_steps = 7,
                                .momentum = 0.9,
                                .weight_decay = 5e-4};
}

static struct net *
make_net_of(int paths, enum model_role role, bool gradients, const char *backend,
            struct team *team)
{
    return small_net_new(&(struct small_net){.backend = backend,
                                             .role = role,
                                             .bn_paths = paths,
                                             .classes = K,
                                             .size = SIZE,
                                             .max_batch = B,
                                             .shared_shortcut_bn = true,
                                             .gradients = gradients,
                                             .seed = role == MODEL_TEACHER ? 2 : 1},
                         team);
}

static struct net *
make_net(enum model_role role, bool gradients, const char *backend, struct team *team)
{
    return make_net_of(2, role, gradients, backend, team);
}

static void
make_batch(struct scene *s)
{
    s->x = small_floats(B * IMAGE, 0, 1, 10);
    s->x_aug = small_floats(B * IMAGE, 0, 1, 11);
    s->start = small_floats(B * IMAGE, -1, 1, 12);
    for (int i = 0; i < B; i++)
        s->y[i] = (2 * i + 1) % K;
    s->batch = (struct step_batch){
        .n = B, .x = s->x, .x_aug = s->x_aug, .y = s->y, .start = s->start};
}

static struct scene
new_scene_of(int paths, struct step_config config, const char *backend, int threads)
{
    const bool alone = config.stage == STEP_TEACHER;
    struct scene s = {.team = team_new(threads)};
    struct err err;

    s.student = make_net_of(paths, alone ? MODEL_TEACHER : MODEL_STUDENT, true, backend,
                            s.team);
    if (!alone)
        s.teacher = make_net_of(paths, MODEL_TEACHER, false, backend, s.team);
    make_batch(&s);
    if (step_new(&s.step, &config, s.student, s.teacher, B, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

static struct scene
new_scene(struct step_config config, const char *backend, int threads)
{
    return new_scene_of(2, config, backend, threads);
}

static void
free_scene(struct scene *s)
{
    step_free(s->step);
    net_free(s->student);
    net_free(s->teacher);
    team_free(s->team);
    free(s->x);
    free(s->x_aug);
    free(s->start);
}

static struct step_result
run(struct scene *s, double lr)
{
    struct step_result result;
    struct err err;

    /* the batch is copied: pointers of a scene that was moved stay right */
    s->batch.y = s->y;
    if (step_run(s->step, &s->batch, lr, &result, &err) != 0)
        fail_msg("%s", err.text);
    return result;
}

static double
term(const struct step_result *r, const char *name)
{
    int row = 0;

    while (strcmp(losses[row]->name, name) != 0)
        row++;
    return r->terms[row];
}

static void
a_step_that_is_repeated_lowers_its_loss(void **state)
{
    const enum step_stage stages[] = {STEP_TEACHER, STEP_MASK, STEP_FINETUNE};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct scene s = new_scene(config_of(stages[i]), "blas", 1);
        const double first = run(&s, 0.05).total;
        double last = first;
        for (int k = 0; k < 12; k++)
            last = run(&s, 0.05).total;
        assert_true(isfinite(last) && last < 0.8 * first);
        free_scene(&s);
    }
}

static void
the_defaults_are_the_released_losses(void **state)
{
    struct scene s = new_scene(config_of(STEP_FINETUNE), "blas", 1);
    struct scene t = new_scene(config_of(STEP_TEACHER), "blas", 1);
    const struct step_result r = run(&s, 0), alone = run(&t, 0);
    const double ce = term(&r, "ce"), kl = term(&r, "kl"), pram = term(&r, "pram");

    (void)state;
    assert_true(ce > 0 && kl > 0 && pram > 0);
    assert_true(fabs(r.total - (0.5 * ce + 0.5 * kl + 1000 * pram)) < 1e-9);
    assert_true(alone.total == term(&alone, "ce"));
    assert_true(term(&alone, "kl") == 0 && term(&alone, "pram") == 0);
    for (int row = 0; losses[row] != NULL; row++)
        assert_true(step_has_term(t.step, row)
                    == (strcmp(losses[row]->name, "ce") == 0));
    assert_int_equal(r.n_clean, H);
    assert_int_equal(r.n_adv, B - H);
    free_scene(&s);
    free_scene(&t);
}

static float
batches(struct net *n, const char *name)
{
    const struct net_param *p = net_find_param(n, name);

    assert_non_null(p);
    return p->value[0];
}

static void
path_0_is_updated_twice_and_path_1_once(void **state)
{
    struct scene t = new_scene(config_of(STEP_TEACHER), "blas", 1);
    struct scene s = new_scene(config_of(STEP_FINETUNE), "blas", 1);

    (void)state;
    run(&t, 0.01);
    run(&s, 0.01);
    assert_true(batches(t.student, "bn1.BN_c.num_batches_tracked") == 2);
    assert_true(batches(t.student, "bn1.BN_a.num_batches_tracked") == 1);
    /* the teacher's shortcut is shared by both */
    assert_true(batches(t.student, "layer2.0.shortcut.1.num_batches_tracked") == 3);
    assert_true(batches(s.student, "layer2.0.bn_sc.BN_c.num_batches_tracked") == 2);
    assert_true(batches(s.student, "layer2.0.bn_sc.BN_a.num_batches_tracked") == 1);
    assert_true(batches(s.teacher, "bn1.BN_c.num_batches_tracked") == 0);
    free_scene(&t);
    free_scene(&s);
}

/* What the student's path 0 becomes: clean first, augmented second. */
static void
running_statistics_are_those_of_clean_then_augmented(void **state)
{
    struct scene s = new_scene(config_of(STEP_TEACHER), "blas", 1);
    struct net *copy = make_net(MODEL_TEACHER, true, "blas", s.team);

    (void)state;
    net_forward(copy, s.x, H, NET_TRAIN, 0);
    net_forward(copy, s.x_aug, H, NET_TRAIN, 0);
    run(&s, 0.01);
    const struct net_param *got =
        net_find_param(s.student, "layer3.0.bn2.BN_c.running_var");
    const struct net_param *want =
        net_find_param(copy, "layer3.0.bn2.BN_c.running_var");
    assert_memory_equal(got->value, want->value, (size_t)got->size * sizeof(float));
    net_free(copy);
    free_scene(&s);
}

/* The attack sees the weights and path 1 statistics of before the step, and what the two
 * forwards on path 0 left in the shared shortcut. */
static void
the_attack_comes_after_the_clean_views_and_before_its_own(void **state)
{
    struct scene s = new_scene(config_of(STEP_TEACHER), "blas", 1);
    struct net *copy = make_net(MODEL_TEACHER, true, "blas", s.team);
    const struct attack *pgd = attack_find("pgd-7");
    float *x_adv = xmalloc((B - H) * IMAGE * sizeof *x_adv);
    const struct attack_target target = {
        .net = copy, .path = 1, .y = s.y + H, .classes = K};
    struct err err;

    (void)state;
    net_forward(copy, s.x, H, NET_TRAIN, 0);
    net_forward(copy, s.x_aug, H, NET_TRAIN, 0);
    assert_int_equal(pgd->run(x_adv, s.x + H * IMAGE, s.start + H * IMAGE, B - H,
                              &target, &pgd->config, &err),
                     0);
    const struct step_result r = run(&s, 0.01);
    assert_memory_equal(r.x_adv, x_adv, (B - H) * IMAGE * sizeof *x_adv);
    free(x_adv);
    net_free(copy);
    free_scene(&s);
}

static void
scores_are_the_distances_of_the_clean_maps_before_the_step(void **state)
{
    (void)state;
    for (int b = 0; backends[b] != NULL; b++) {
        const char *backend = backend_name(backends[b]);
        struct scene s = new_scene(config_of(STEP_MASK), backend, 1);
        struct net *copy = make_net(MODEL_STUDENT, true, backend, s.team);
        const int mask = 4;
        net_forward(copy, s.x, H, NET_TRAIN, 0);
        net_forward(s.teacher, s.x, H, NET_EVAL, 0);
        const struct net_map a_s = net_act_map(copy, mask);
        const struct net_map a_t = net_act_map(s.teacher, mask);
        const int64_t n = a_s.c * a_s.h * a_s.w;
        float *plain_s = xmalloc((size_t)n * sizeof(float));
        float *plain_t = xmalloc((size_t)n * sizeof(float));
        double *want = xcalloc((size_t)n, sizeof *want);
        for (int64_t i = 0; i < H; i++) {
            net_map_to_plain(&a_s, a_s.data + i * a_s.per_image, plain_s);
            net_map_to_plain(&a_t, a_t.data + i * a_t.per_image, plain_t);
            for (int64_t j = 0; j < n; j++)
                want[j] += fabs((double)plain_t[j] - (double)plain_s[j]);
        }
        run(&s, 0.05);
        step_scores(s.step, mask, plain_s);
        for (int64_t j = 0; j < n; j++)
            assert_true(fabs((double)plain_s[j] - want[j]) <= 1e-5 * (1 + want[j]));
        step_scores_clear(s.step);
        step_scores(s.step, mask, plain_s);
        assert_true(plain_s[0] == 0 && plain_s[n - 1] == 0);
        assert_int_equal(step_scores_size(s.step), graph_relus(net_graph(s.student)));
        free(plain_s);
        free(plain_t);
        free(want);
        net_free(copy);
        free_scene(&s);
    }
}

static struct scene
new_watched_scene(const char *backend, int threads)
{
    const struct step_config config = config_of(STEP_MASK);
    const struct small_net teacher = {.backend = backend,
                                      .role = MODEL_TEACHER,
                                      .bn_paths = 2,
                                      .classes = K,
                                      .size = SIZE,
                                      .max_batch = B,
                                      .shared_shortcut_bn = true,
                                      .keep = step_keep_of_teacher(&config),
                                      .seed = 2};
    struct scene s = new_scene(config, backend, threads);
    struct err err;

    step_free(s.step);
    net_free(s.teacher);
    s.teacher = small_net_new(&teacher, s.team);
    assert_int_equal(net_keep(s.teacher), NET_KEEP_WATCHED);
    if (step_new(&s.step, &config, s.student, s.teacher, B, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

static void
a_teacher_that_keeps_no_maps_gives_the_same_scores_and_weights(void **state)
{
    (void)state;
    for (int b = 0; backends[b] != NULL; b++) {
        struct scene kept =
            new_scene(config_of(STEP_MASK), backend_name(backends[b]), 1);
        struct scene watched = new_watched_scene(backend_name(backends[b]), 2);
        int64_t count;

        for (int i = 0; i < 2; i++) {
            run(&kept, 0.05);
            run(&watched, 0.05);
        }
        float *want = small_net_values(kept.student, &count);
        float *got = small_net_values(watched.student, &count);
        assert_memory_equal(got, want, (size_t)count * sizeof(float));
        assert_memory_equal(step_scores_data(watched.step), step_scores_data(kept.step),
                            (size_t)step_scores_size(kept.step) * sizeof(float));
        free(want);
        free(got);
        free_scene(&kept);
        free_scene(&watched);
    }
}

static void
a_teacher_keeps_what_the_losses_read(void **state)
{
    struct step_config config = config_of(STEP_FINETUNE);

    (void)state;
    assert_int_equal(step_keep_of_teacher(&config), NET_KEEP_GROUPS);
    config.pram_form = "paper";
    assert_int_equal(step_keep_of_teacher(&config), NET_KEEP_MAPS);
    config = config_of(STEP_MASK);
    config.loss = "ce+kl+pram";
    assert_int_equal(step_keep_of_teacher(&config), NET_KEEP_MAPS);
    config.loss = "ce+nonsense";
    assert_int_equal(step_keep_of_teacher(&config), NET_KEEP_MAPS);
}

/* NaN at `place` (in x, x_aug or start): the error names `says`, nothing changes. */
static void
expect_refused(enum step_stage stage, float *(*place)(struct scene *), const char *says)
{
    struct scene s = new_scene(config_of(stage), "blas", 1);
    struct step_result result;
    struct err err;
    int64_t count;

    run(&s, 0.01);
    float *before = small_net_values(s.student, &count);
    *place(&s) = NAN;
    s.batch.y = s.y;
    assert_int_equal(step_run(s.step, &s.batch, 0.01, &result, &err), -1);
    assert_int_equal(err.kind, ERR_NUMERIC);
    if (strstr(err.text, says) == NULL)
        fail_msg("`%s` does not say `%s`", err.text, says);
    float *after = small_net_values(s.student, &count);
    assert_memory_equal(before, after, (size_t)count * sizeof(float));
    free(before);
    free(after);
    free_scene(&s);
}

static float *
in_clean(struct scene *s)
{
    return &s->x[3];
}

static float *
in_augmented(struct scene *s)
{
    return &s->x_aug[3];
}

static float *
in_adversarial(struct scene *s)
{
    return &s->x[B * IMAGE - 1];
}

static float *
in_teacher(struct scene *s)
{
    struct net_param *p = net_find_param(s->teacher, "linear.bias");

    net_params_changed(s->teacher);
    return &p->value[1];
}

static void
a_loss_that_is_not_finite_is_refused_and_nothing_changes(void **state)
{
    (void)state;
    expect_refused(STEP_TEACHER, in_clean, "`ce` of the clean view");
    expect_refused(STEP_TEACHER, in_augmented, "`ce` of the aug view");
    expect_refused(STEP_TEACHER, in_adversarial, "attack");
    expect_refused(STEP_FINETUNE, in_teacher, "`kl` of the clean view");
}

static void
expect_same_on_two_threads(enum step_stage stage, const char *backend)
{
    struct scene one = new_scene(config_of(stage), backend, 1);
    struct scene two = new_scene(config_of(stage), backend, 2);
    int64_t count;

    for (int i = 0; i < 2; i++) {
        run(&one, 0.05);
        run(&two, 0.05);
    }
    float *a = small_net_values(one.student, &count);
    float *b = small_net_values(two.student, &count);
    assert_memory_equal(a, b, (size_t)count * sizeof(float));
    if (stage == STEP_MASK)
        assert_memory_equal(step_scores_data(one.step), step_scores_data(two.step),
                            (size_t)step_scores_size(one.step) * sizeof(float));
    free(a);
    free(b);
    free_scene(&one);
    free_scene(&two);
}

static void
one_thread_and_two_give_the_same_bits(void **state)
{
    (void)state;
    for (int b = 0; backends[b] != NULL; b++) {
        expect_same_on_two_threads(STEP_MASK, backend_name(backends[b]));
        expect_same_on_two_threads(STEP_FINETUNE, backend_name(backends[b]));
    }
}

static void
a_last_batch_of_one_image_is_adversarial_only(void **state)
{
    struct scene s = new_scene(config_of(STEP_FINETUNE), "blas", 1);

    (void)state;
    s.batch.n = 1;
    const struct step_result r = run(&s, 0.01);
    assert_int_equal(r.n_clean, 0);
    assert_int_equal(r.n_adv, 1);
    assert_true(isfinite(r.total) && term(&r, "ce") > 0 && term(&r, "pram") == 0);
    free_scene(&s);
}

static void
expect_config_refused(struct step_config config, int paths, const char *says)
{
    const bool alone = config.stage == STEP_TEACHER;
    struct team *team = team_new(1);
    struct small_net want = {.role = MODEL_STUDENT,
                             .bn_paths = paths,
                             .classes = K,
                             .size = SIZE,
                             .max_batch = 2,
                             .gradients = true};
    struct net *student = small_net_new(&want, team);
    struct net *teacher = alone ? NULL : small_net_new(&want, team);
    struct step *step;
    struct err err;

    assert_int_equal(step_new(&step, &config, student, teacher, 4, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    if (strstr(err.text, says) == NULL)
        fail_msg("`%s` does not say `%s`", err.text, says);
    net_free(student);
    net_free(teacher);
    team_free(team);
}

static void
settings_that_contradict_each_other_are_refused(void **state)
{
    struct step_config c = config_of(STEP_FINETUNE);

    (void)state;
    c.attack = "pgd-20";
    expect_config_refused(c, 2, "20 steps, attack_steps says 7");
    c.attack = "pgd-8";
    expect_config_refused(c, 2, "unknown attack");
    c = config_of(STEP_TEACHER);
    c.loss = "ce+kl";
    expect_config_refused(c, 2, "needs a teacher");
    c.loss = "1*ce+6*trades";
    expect_config_refused(c, 2, "one batch norm path");
    c = config_of(STEP_TEACHER);
    c.attack = "kl-pgd-7";
    expect_config_refused(c, 2, "needs a teacher");
}

static void
a_step_costs_what_its_passes_cost(void **state)
{
    struct scene s = new_scene(config_of(STEP_FINETUNE), "blas", 1);
    const double unit = (double)graph_macs(net_graph(s.student));

    (void)state;
    /* of 4 + 4 images: 3+3+3 of the views, 14 of the attack, 3 of the teacher */
    assert_true(step_macs(s.step, 8) == 4 * 26 * unit);
    free_scene(&s);
}

static void
one_batch_norm_sees_every_image_in_every_view(void **state)
{
    struct scene s = new_scene_of(1, config_of(STEP_FINETUNE), "blas", 1);
    const struct step_result r = run(&s, 0.01);

    (void)state;
    assert_int_equal(r.n_clean, B);
    assert_int_equal(r.n_aug, B);
    assert_int_equal(r.n_adv, B);
    assert_true(batches(s.student, "bn1.num_batches_tracked") == 3);
    /* 3+3+3 of the views, 14 of the attack, 1+1 of the teacher */
    assert_true(step_macs(s.step, B)
                == B * 25 * (double)graph_macs(net_graph(s.student)));
    free_scene(&s);
}

static void
three_batch_norms_share_a_batch_out_in_thirds(void **state)
{
    struct scene s = new_scene_of(3, config_of(STEP_FINETUNE), "blas", 1);

    (void)state;
    s.batch.n = 8;
    const struct step_result r = run(&s, 0.01);
    assert_int_equal(r.n_clean, 2);
    assert_int_equal(r.n_aug, 2);
    assert_int_equal(r.n_adv, 4);
    assert_true(batches(s.student, "bn1.BN_c.num_batches_tracked") == 1);
    assert_true(batches(s.student, "bn1.BN_r.num_batches_tracked") == 1);
    assert_true(batches(s.student, "bn1.BN_a.num_batches_tracked") == 1);
    free_scene(&s);
}

static void
a_view_that_no_term_reads_is_left_out(void **state)
{
    struct step_config c = config_of(STEP_TEACHER);

    (void)state;
    c.ce_views = "clean";
    struct scene s = new_scene_of(1, c, "blas", 1);
    s.x_aug[3] = NAN; /* nobody looks */
    s.start[3] = NAN;
    const struct step_result r = run(&s, 0.01);
    assert_int_equal(r.n_clean, B);
    assert_int_equal(r.n_aug, 0);
    assert_int_equal(r.n_adv, 0);
    assert_true(step_takes(s.step, LOSS_CLEAN) && !step_takes(s.step, LOSS_ADV));
    assert_true(step_macs(s.step, B)
                == B * 3 * (double)graph_macs(net_graph(s.student)));
    free_scene(&s);
}

/* The clean view runs twice, but its batch norm counts it once. */
static void
a_loss_on_pairs_updates_each_view_once(void **state)
{
    struct step_config c = config_of(STEP_TEACHER);

    (void)state;
    c.loss = "1*ce+6*trades";
    c.ce_views = "clean";
    struct scene s = new_scene_of(1, c, "blas", 1);
    const struct step_result r = run(&s, 0.01);
    assert_true(batches(s.student, "bn1.num_batches_tracked") == 2);
    assert_true(fabs(r.total - (term(&r, "ce") + 6 * term(&r, "trades"))) < 1e-9);
    assert_true(term(&r, "trades") > 0);
    assert_int_equal(r.n_aug, 0);
    free_scene(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_that_is_repeated_lowers_its_loss),
        cmocka_unit_test(the_defaults_are_the_released_losses),
        cmocka_unit_test(path_0_is_updated_twice_and_path_1_once),
        cmocka_unit_test(running_statistics_are_those_of_clean_then_augmented),
        cmocka_unit_test(the_attack_comes_after_the_clean_views_and_before_its_own),
        cmocka_unit_test(scores_are_the_distances_of_the_clean_maps_before_the_step),
        cmocka_unit_test(
            a_teacher_that_keeps_no_maps_gives_the_same_scores_and_weights),
        cmocka_unit_test(a_teacher_keeps_what_the_losses_read),
        cmocka_unit_test(a_loss_that_is_not_finite_is_refused_and_nothing_changes),
        cmocka_unit_test(one_thread_and_two_give_the_same_bits),
        cmocka_unit_test(a_last_batch_of_one_image_is_adversarial_only),
        cmocka_unit_test(one_batch_norm_sees_every_image_in_every_view),
        cmocka_unit_test(three_batch_norms_share_a_batch_out_in_thirds),
        cmocka_unit_test(a_view_that_no_term_reads_is_left_out),
        cmocka_unit_test(a_loss_on_pairs_updates_each_view_once),
        cmocka_unit_test(settings_that_contradict_each_other_are_refused),
        cmocka_unit_test(a_step_costs_what_its_passes_cost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
