/* attack_test.c - what must hold for every attack, and for each of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "tests/worker/models/small_net.h"
#include "worker/attacks/ascent.h"
#include "worker/engine/optim/optim.h"

enum { N = 4, K = 10, SIZE = 12, IMAGE = 3 * SIZE * SIZE, ALL = N * IMAGE };

struct scene {
    struct team *team;
    struct net *net;
    float *x, *start, *teacher, out[ALL];
    int64_t y[N];
    struct attack_target target;
};

static int
set_up(void **state)
{
    struct scene *s = xcalloc(1, sizeof *s);

    s->team = team_new(1);
    s->net = small_net_new(&(struct small_net){.role = MODEL_STUDENT,
                                               .bn_paths = 2,
                                               .classes = K,
                                               .size = SIZE,
                                               .max_batch = N,
                                               .gradients = true,
                                               .seed = 1},
                           s->team);
    s->x = small_floats(ALL, -0.02, 1.02, 0); /* some pixels at the borders */
    for (int i = 0; i < ALL; i++)
        s->x[i] = fminf(fmaxf(s->x[i], 0), 1);
    s->start = small_floats(ALL, -1, 1, 1);
    s->teacher = small_floats(N * K, -3, 3, 2);
    /* batch norms that have seen data, differently on each path */
    for (int path = 0; path < 2; path++)
        for (int i = 0; i <= path; i++)
            net_forward(s->net, s->x, N, NET_TRAIN, path);
    s->target = (struct attack_target){.net = s->net,
                                       .path = 1,
                                       .y = s->y,
                                       .teacher = s->teacher,
                                       .temperature = 4,
                                       .classes = K};
    /* labels are what the network says, so that there is something to break */
    const float *z = net_forward(s->net, s->x, N, NET_EVAL, s->target.path);
    for (int i = 0; i < N; i++)
        s->y[i] = ascent_first_largest(z + (int64_t)i * K, K);
    *state = s;
    return 0;
}

static int
tear_down(void **state)
{
    struct scene *s = *state;

    net_free(s->net);
    team_free(s->team);
    free(s->x);
    free(s->start);
    free(s->teacher);
    free(s);
    return 0;
}

static void
run(struct scene *s, const struct attack *a)
{
    struct err err;

    if (a->run(s->out, s->x, s->start, N, &s->target, &a->config, &err) != 0)
        fail_msg("%s: %s", a->name, err.text);
}

/* Sum over samples of CE, or of KL(teacher || student) at T = 4, in eval mode. */
static double
loss_of(struct scene *s, const float *x, bool kl)
{
    const float *logits = net_forward(s->net, x, N, NET_EVAL, s->target.path);
    const double T = kl ? 4 : 1;
    double sum = 0;

    for (int i = 0; i < N; i++) {
        const float *z = logits + (int64_t)i * K;
        const float *t = s->teacher + (int64_t)i * K;
        double norm_z = 0, norm_t = 0;
        for (int k = 0; k < K; k++) {
            norm_z += exp((double)z[k] / T);
            norm_t += exp((double)t[k] / T);
        }
        for (int k = 0; k < K; k++) {
            const double p = kl ? exp((double)t[k] / T) / norm_t : k == s->y[i];
            sum -= p * ((double)z[k] / T - log(norm_z));
            sum += p > 0 ? p * log(p) : 0;
        }
    }
    return sum;
}

static void
every_attack_stays_in_the_ball_and_in_the_image(void **state)
{
    struct scene *s = *state;

    for (int a = 0; attacks[a] != NULL; a++) {
        run(s, attacks[a]);
        for (int i = 0; i < ALL; i++) {
            assert_true(s->out[i] >= 0 && s->out[i] <= 1);
            assert_true(fabs((double)(s->out[i] - s->x[i])) <= 8.0 / 255 + 1e-7);
        }
    }
}

static void
every_attack_makes_its_loss_grow(void **state)
{
    struct scene *s = *state;

    for (int a = 0; attacks[a] != NULL; a++) {
        const bool kl = attacks[a]->needs_teacher;
        const double before = loss_of(s, s->x, kl);
        run(s, attacks[a]);
        assert_true(loss_of(s, s->out, kl) > before + 1e-3);
    }
}

static void
attacks_leave_the_network_as_it_was_and_repeat_exactly(void **state)
{
    struct scene *s = *state;
    static float again[ALL];

    for (int a = 0; attacks[a] != NULL; a++) {
        int64_t count;
        float *before = small_net_values(s->net, &count);
        run(s, attacks[a]);
        memcpy(again, s->out, sizeof again);
        run(s, attacks[a]);
        assert_memory_equal(again, s->out, sizeof again);
        float *after = small_net_values(s->net, &count);
        assert_memory_equal(before, after, (size_t)count * sizeof(float));
        free(before);
        free(after);
    }
}

static void
attacks_do_not_touch_the_gradients_of_parameters(void **state)
{
    struct scene *s = *state;
    struct net_param *p = net_find_param(s->net, "layer1.0.conv1.weight");

    net_zero_grads(s->net);
    p->grad[0] = 3;
    run(s, attack_find("pgd-7"));
    assert_true(p->grad[0] == 3 && p->grad[1] == 0);
}

static void
the_start_is_scaled_by_eps_and_clipped(void **state)
{
    struct scene *s = *state;
    struct attack_config still = attack_find("pgd-7")->config;
    struct err err;

    still.steps = 0;
    assert_int_equal(
        attack_find("pgd-7")->run(s->out, s->x, s->start, N, &s->target, &still, &err),
        0);
    for (int i = 0; i < ALL; i++) {
        const float moved = s->x[i] + (float)(8.0 / 255) * s->start[i];
        assert_true(s->out[i] == fminf(fmaxf(moved, 0), 1));
    }
}

static void
fgsm_moves_by_eps_from_the_image_itself(void **state)
{
    struct scene *s = *state;
    int moved = 0;

    run(s, attack_find("fgsm"));
    for (int i = 0; i < ALL; i++) {
        const double distance = fabs((double)(s->out[i] - s->x[i]));
        const bool inside = s->out[i] > 0 && s->out[i] < 1;
        assert_true(!inside || distance < 1e-9 || fabs(distance - 8.0 / 255) < 1e-6);
        moved += distance > 0.01;
    }
    assert_true(moved > ALL / 2);
}

/* The direction of one small step is that of the loss's own differences. */
static void
one_step_climbs_where_differences_say_so(void **state)
{
    struct scene *s = *state;
    const struct attack_config one = {.eps = 0.1, .step = 0.01, .steps = 1};
    int checked = 0;
    struct err err;

    memset(s->start, 0, ALL * sizeof(float));
    for (int i = 0; i < N; i++) /* labels that give the loss a slope */
        s->y[i] = i;
    assert_int_equal(
        attack_find("pgd-7")->run(s->out, s->x, s->start, N, &s->target, &one, &err),
        0);
    for (int i = 0; i < ALL; i += 37) {
        const float middle = s->x[i];
        s->x[i] = middle + 2e-3f;
        const double up = loss_of(s, s->x, false);
        s->x[i] = middle - 2e-3f;
        const double down = loss_of(s, s->x, false);
        s->x[i] = middle;
        if (fabs(up - down) < 2e-4 || middle < 0.02f || middle > 0.98f)
            continue; /* too flat, or clipped */
        assert_true((s->out[i] > middle) == (up > down));
        checked++;
    }
    assert_true(checked >= 5);
}

static void
the_attacked_path_is_the_one_that_is_asked_for(void **state)
{
    struct scene *s = *state;
    static float other[ALL];

    run(s, attack_find("pgd-7"));
    memcpy(other, s->out, sizeof other);
    s->target.path = 0;
    run(s, attack_find("pgd-7"));
    assert_memory_not_equal(other, s->out, sizeof other);
}

static void
an_output_that_is_not_finite_is_numeric(void **state)
{
    struct scene *s = *state;
    struct err err;

    s->x[5] = NAN;
    for (int a = 0; attacks[a] != NULL; a++) {
        const struct attack *attack = attacks[a];
        assert_int_equal(
            attack->run(s->out, s->x, s->start, N, &s->target, &attack->config, &err),
            -1);
        assert_int_equal(err.kind, ERR_NUMERIC);
    }
}

/* ---- APGD ------------------------------------------------------------------------ */

static void
run_with(struct scene *s, const struct attack *a, double eps, int steps)
{
    const struct attack_config config = {.eps = eps, .step = eps / 4, .steps = steps};
    struct err err;

    if (a->run(s->out, s->x, s->start, N, &s->target, &config, &err) != 0)
        fail_msg("%s: %s", a->name, err.text);
}

static void
apgd_leaves_images_alone_that_are_wrong_already(void **state)
{
    struct scene *s = *state;

    s->y[1] = (s->y[1] + 1) % K;
    run(s, attack_find("apgd-ce"));
    assert_memory_equal(s->out + IMAGE, s->x + IMAGE, IMAGE * sizeof(float));
    assert_memory_not_equal(s->out, s->x, IMAGE * sizeof(float));
}

/* In a ball so small that nothing breaks; without steps the result is the start. */
static void
the_best_loss_of_apgd_is_never_below_its_start(void **state)
{
    struct scene *s = *state;

    run_with(s, attack_find("apgd-ce"), 0.001, 0);
    const double start = loss_of(s, s->out, false);
    for (int steps = 1; steps <= 31; steps += 10) {
        run_with(s, attack_find("apgd-ce"), 0.001, steps);
        assert_true(loss_of(s, s->out, false) >= start);
    }
    assert_true(loss_of(s, s->out, false) > start + 1e-3);
}

static void
apgd_attacks_an_image_alone_as_in_company(void **state)
{
    struct scene *s = *state;
    static float all[ALL];
    struct err err;

    run_with(s, attack_find("apgd-ce"), 0.004, 20);
    memcpy(all, s->out, sizeof all);
    for (int i = 0; i < N; i++) {
        struct attack_target one = s->target;
        const struct attack_config config = {.eps = 0.004, .steps = 20};
        one.y = s->y + i;
        assert_int_equal(attack_find("apgd-ce")->run(s->out, s->x + i * IMAGE,
                                                     s->start + i * IMAGE, 1, &one,
                                                     &config, &err),
                         0);
        assert_memory_equal(s->out, all + i * IMAGE, IMAGE * sizeof(float));
    }
}

/* ---- restarts -------------------------------------------------------------------- */

enum { MANY = 16 };

/* A network that has learned a little, and images of its classes. */
struct trained {
    struct team *team;
    struct net *net;
    float *x, out[MANY * IMAGE];
    int64_t y[MANY], sample[MANY];
    struct attack_target target;
};

/* Class k is a bright pixel column of its own under noise. */
static void
draw_images(struct trained *t)
{
    t->x = small_floats(MANY * IMAGE, 0.3, 0.7, 9);
    for (int i = 0; i < MANY; i++) {
        t->y[i] = t->sample[i] = i;
        t->y[i] %= K;
        for (int row = 0; row < 3 * SIZE; row++)
            t->x[i * IMAGE + row * SIZE + t->y[i]] += 0.08f;
    }
}

static void
train(struct trained *t, int steps)
{
    const struct optim_sgd sgd = {.momentum = 0.9, .weight_decay = 5e-4};
    static float dlogits[MANY * K];
    static double row[2 * K];

    for (int step = 0; step < steps; step++) {
        const float *z = net_forward(t->net, t->x, MANY, NET_TRAIN, 0);
        for (int i = 0; i < MANY; i++) {
            ascent_ce_grad(row, row + K, z + (int64_t)i * K, i, &t->target);
            for (int k = 0; k < K; k++)
                dlogits[i * K + k] = (float)(row[k] / MANY);
        }
        optim_sgd_begin(t->net, &sgd);
        net_backward(t->net, dlogits, NET_GRAD_PARAMS);
        optim_sgd_end(t->net, 0.05);
    }
}

static struct trained *
trained_new(void)
{
    struct trained *t = xcalloc(1, sizeof *t);

    t->team = team_new(1);
    t->net = small_net_new(&(struct small_net){.role = MODEL_TEACHER,
                                               .bn_paths = 1,
                                               .classes = K,
                                               .size = SIZE,
                                               .max_batch = MANY,
                                               .gradients = true,
                                               .seed = 3},
                           t->team);
    t->target = (struct attack_target){
        .net = t->net, .y = t->y, .temperature = 1, .classes = K};
    draw_images(t);
    train(t, 20);
    return t;
}

static void
trained_free(struct trained *t)
{
    net_free(t->net);
    team_free(t->team);
    free(t->x);
    free(t);
}

/* Images that withstand; right: which of them. */
static int
standing(struct trained *t, uint8_t *right, const char *attack, double eps,
         int64_t restarts)
{
    const struct attack *a = attack_find(attack);
    const struct attack_config config = {
        .eps = eps, .step = eps / 4, .steps = a->config.steps};
    const struct attack_batch batch = {
        .x = t->x, .sample = t->sample, .n = MANY, .seed = 5};
    struct err err;
    int left = 0;

    if (attack_restarts(t->out, right, &batch, a, &t->target, &config, restarts, &err)
        != 0)
        fail_msg("%s", err.text);
    for (int i = 0; i < MANY; i++)
        left += right[i];
    return left;
}

static void
stronger_attacks_leave_fewer_images_standing(void **state)
{
    struct trained *t = trained_new();
    uint8_t right[MANY];
    int some = 0;

    (void)state;
    assert_int_equal(standing(t, right, "pgd-20", 0, 1), MANY);
    for (double eps = 0.01; eps < 0.04; eps += 0.01) {
        const int fgsm = standing(t, right, "fgsm", eps, 1);
        const int pgd = standing(t, right, "pgd-20", eps, 1);
        const int apgd = standing(t, right, "apgd-ce", eps, 1);
        assert_true(apgd <= pgd && pgd <= fgsm);
        some += apgd < MANY && pgd > 0;
    }
    assert_true(some > 0);
    trained_free(t);
}

static void
more_restarts_never_spare_an_image(void **state)
{
    struct trained *t = trained_new();
    uint8_t once[MANY], often[MANY];
    int broken_late = 0;

    (void)state;
    for (double eps = 0.01; eps < 0.04; eps += 0.005) {
        standing(t, once, "pgd-7", eps, 1);
        standing(t, often, "pgd-7", eps, 8);
        for (int i = 0; i < MANY; i++) {
            assert_true(often[i] <= once[i]);
            broken_late += once[i] - often[i];
        }
    }
    assert_true(broken_late > 0);
    trained_free(t);
}

static void
answers_of_restarts_are_those_of_the_images_given(void **state)
{
    struct trained *t = trained_new();
    uint8_t right[MANY];

    (void)state;
    standing(t, right, "apgd-ce", 0.03, 2);
    const float *z = net_forward(t->net, t->out, MANY, NET_EVAL, 0);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ascent_first_largest(z + (int64_t)i * K, K) == t->y[i],
                         right[i]);
    trained_free(t);
}

static void
starts_belong_to_samples_not_to_places(void **state)
{
    float a[2 * 100], b[2 * 100], c[100];
    double sum = 0, square = 0;

    (void)state;
    attack_start(a, 2, 100, (int64_t[]){17, 4}, 1, 3);
    attack_start(b, 2, 100, (int64_t[]){4, 17}, 1, 3);
    assert_memory_equal(a, b + 100, sizeof c);
    assert_memory_equal(a + 100, b, sizeof c);
    attack_start(c, 1, 100, (int64_t[]){17}, 1, 4);
    assert_memory_not_equal(a, c, sizeof c);
    attack_start(c, 1, 100, (int64_t[]){17}, 2, 3);
    assert_memory_not_equal(a, c, sizeof c);
    for (int i = 0; i < 200; i++) {
        assert_true(a[i] >= -1 && a[i] < 1);
        sum += (double)a[i];
        square += (double)(a[i] * a[i]);
    }
    assert_true(fabs(sum / 200) < 0.15 && fabs(square / 200 - 1.0 / 3) < 0.08);
}

static void
names_lead_to_their_rows(void **state)
{
    (void)state;
    for (int i = 0; attacks[i] != NULL; i++) {
        assert_string_equal(attacks[i]->name, attack_names[i]);
        assert_ptr_equal(attack_find(attack_names[i]), attacks[i]);
        assert_true(attacks[i]->doc[0] != '\0' && attacks[i]->source[0] != '\0');
    }
    assert_null(attack_find("pgd"));
}

#define ATTACK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK_TEST(every_attack_stays_in_the_ball_and_in_the_image),
        ATTACK_TEST(every_attack_makes_its_loss_grow),
        ATTACK_TEST(attacks_leave_the_network_as_it_was_and_repeat_exactly),
        ATTACK_TEST(attacks_do_not_touch_the_gradients_of_parameters),
        ATTACK_TEST(the_start_is_scaled_by_eps_and_clipped),
        ATTACK_TEST(fgsm_moves_by_eps_from_the_image_itself),
        ATTACK_TEST(one_step_climbs_where_differences_say_so),
        ATTACK_TEST(the_attacked_path_is_the_one_that_is_asked_for),
        ATTACK_TEST(an_output_that_is_not_finite_is_numeric),
        ATTACK_TEST(apgd_leaves_images_alone_that_are_wrong_already),
        ATTACK_TEST(the_best_loss_of_apgd_is_never_below_its_start),
        ATTACK_TEST(apgd_attacks_an_image_alone_as_in_company),
        cmocka_unit_test(stronger_attacks_leave_fewer_images_standing),
        cmocka_unit_test(more_restarts_never_spare_an_image),
        cmocka_unit_test(answers_of_restarts_are_those_of_the_images_given),
        cmocka_unit_test(starts_belong_to_samples_not_to_places),
        cmocka_unit_test(names_lead_to_their_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
