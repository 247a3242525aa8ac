/* exact_test.c - whole training steps of real networks: the same bits for any number of
 * threads while the machine is busy and the share of the cores changes; and both backends
 * agree over many steps. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "tests/worker/models/small_net.h"
#include "worker/attacks/attack.h"
#include "worker/pipeline/step.h"

enum { MAX_BATCH = 32, CLASSES = 10, MAX_THREADS = 4 };

/* What is trained, and how. */
struct task {
    const char *model, *backend;
    enum step_stage stage;
    int64_t batch, size, attack_steps;
    int steps;
    double lr, eps;
};

/* What is left of a run: the loss of each step, and all numbers of the network. */
struct outcome {
    double losses[32];
    float *values;
    int64_t n;
};

/* Every fifth ReLU of a student stays. */
static void
thin(struct net *n)
{
    for (int i = 0; i < graph_n_masks(net_graph(n)); i++) {
        const struct graph_shape s = graph_mask_shape(net_graph(n), i);
        uint8_t *mask = xmalloc((size_t)(s.c * s.h * s.w));
        for (int64_t j = 0; j < s.c * s.h * s.w; j++)
            mask[j] = j % 5 == 0;
        net_set_mask(n, i, mask);
        free(mask);
    }
}

static struct net *
make_net(const struct task *t, enum model_role role, bool gradients, struct team *team)
{
    return small_net_new(&(struct small_net){.model = t->model,
                                             .backend = t->backend,
                                             .role = role,
                                             .bn_paths = 2,
                                             .classes = CLASSES,
                                             .size = t->size,
                                             .max_batch = (t->batch + 1) / 2,
                                             .shared_shortcut_bn = true,
                                             .gradients = gradients,
                                             .seed = role == MODEL_TEACHER ? 2 : 1},
                         team);
}

/* Each step has images of its own. */
static void
make_steps(struct outcome *out, const struct task *t, struct step *step)
{
    const int64_t n = t->batch * 3 * t->size * t->size;
    int64_t y[MAX_BATCH];
    struct step_result result;
    struct err err;

    for (int i = 0; i < t->steps; i++) {
        float *x = small_floats(n, 0, 1, (uint64_t)(3 * i));
        float *aug = small_floats(n, 0, 1, (uint64_t)(3 * i + 1));
        float *start = small_floats(n, -1, 1, (uint64_t)(3 * i + 2));
        const struct step_batch batch = {
            .n = t->batch, .x = x, .x_aug = aug, .y = y, .start = start};

        for (int k = 0; k < t->batch; k++)
            y[k] = (k + i) % CLASSES;
        if (step_run(step, &batch, t->lr, &result, &err) != 0)
            fail_msg("%s", err.text);
        out->losses[i] = result.total;
        free(x);
        free(aug);
        free(start);
    }
}

static struct outcome
run(const struct task *t, int threads, const _Atomic int32_t *limit)
{
    const bool alone = t->stage == STEP_TEACHER;
    const struct step_config config = {.stage = t->stage,
                                       .temperature = 4,
                                       .attack = "auto",
                                       .eps = t->eps,
                                       .attack_step = t->eps / 4,
                                       .attack_steps = t->attack_steps,
                                       .momentum = 0.9,
                                       .weight_decay = 5e-4};
    struct team *team = team_new(threads);
    struct net *student =
        make_net(t, alone ? MODEL_TEACHER : MODEL_STUDENT, true, team);
    struct net *teacher = alone ? NULL : make_net(t, MODEL_TEACHER, false, team);
    struct outcome out = {.values = NULL};
    struct step *step;
    struct err err;

    team_limit(team, limit);
    if (!alone)
        thin(student);
    if (step_new(&step, &config, student, teacher, t->batch, &err) != 0)
        fail_msg("%s", err.text);
    make_steps(&out, t, step);
    out.values = small_net_values(student, &out.n);
    step_free(step);
    net_free(student);
    net_free(teacher);
    team_free(team);
    return out;
}

/* ---- threads and load -------------------------------------------------------------- */

struct load {
    _Atomic int32_t limit;
    atomic_bool stop;
};

/* Takes a core for itself, and grants another number of threads all the time. */
static void *
disturb(void *arg)
{
    struct load *l = arg;

    for (int32_t i = 0; !atomic_load(&l->stop); i++) {
        const struct timespec pause = {.tv_nsec = 1000 * (i * 37 % 900)};
        for (volatile int k = 0; k < 200000; k++)
            continue;
        atomic_store(&l->limit, 1 + i % MAX_THREADS);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void
check_threads(const struct task *t)
{
    struct load load = {.limit = 1};
    const struct outcome one = run(t, 1, NULL);
    pthread_t thread;

    assert_true(isfinite(one.losses[0]) && one.losses[0] > 0);
    assert_int_equal(pthread_create(&thread, NULL, disturb, &load), 0);
    for (int threads = 2; threads <= MAX_THREADS; threads++) {
        struct outcome other = run(t, threads, threads == 3 ? NULL : &load.limit);
        assert_memory_equal(other.losses, one.losses, sizeof one.losses);
        assert_int_equal(other.n, one.n);
        assert_memory_equal(other.values, one.values, (size_t)one.n * sizeof(float));
        free(other.values);
    }
    atomic_store(&load.stop, true);
    pthread_join(thread, NULL);
    free(one.values);
}

/* 9 images a view: a whole slice and a part of one. */
static void
a_step_of_resnet18_has_the_same_bits_on_1_to_4_threads_under_any_load(void **state)
{
    (void)state;
    check_threads(&(struct task){.model = "resnet18",
                                 .backend = "auto",
                                 .stage = STEP_FINETUNE,
                                 .batch = 18,
                                 .size = 32,
                                 .attack_steps = 1,
                                 .steps = 1,
                                 .lr = 0.1,
                                 .eps = 8.0 / 255});
}

static void
steps_of_small_networks_have_the_same_bits_on_1_to_4_threads_under_any_load(
    void **state)
{
    const enum step_stage stages[] = {STEP_TEACHER, STEP_MASK, STEP_FINETUNE};
    const char *const names[] = {"resnet10-w8", "resnet18-w16", "resnet10-w16"};

    (void)state;
    for (int i = 0; i < 3; i++)
        check_threads(&(struct task){.model = names[i],
                                     .backend = "auto",
                                     .stage = stages[i],
                                     .batch = 31,
                                     .size = 16 + 4 * i,
                                     .attack_steps = 2,
                                     .steps = 2,
                                     .lr = 0.1,
                                     .eps = 8.0 / 255});
}

/* ---- backends ---------------------------------------------------------------------- */

/* 20 steps of each stage. The attack is small and the rate low: a gradient near 0 that
 * takes the other sign moves a pixel by 2 * eps, and fresh networks answer wildly; with
 * eps 8/255 such a teacher's losses part by 2e-3, whichever two kernels one compares. */
static void
both_backends_agree_over_twenty_steps_of_each_stage(void **state)
{
    enum { STEPS = 20 };
    const enum step_stage stages[] = {STEP_TEACHER, STEP_MASK, STEP_FINETUNE};
    struct err err;
    const struct backend *dnnl;

    (void)state;
    if (backend_find(&dnnl, "dnnl", &err) != 0)
        skip();
    for (int i = 0; i < 3; i++) {
        struct task t = {.model = "resnet10-w16",
                         .backend = "blas",
                         .stage = stages[i],
                         .batch = 16,
                         .size = 16,
                         .attack_steps = 7,
                         .steps = STEPS,
                         .lr = 0.002,
                         .eps = 1.0 / 255};
        const struct outcome blas = run(&t, 2, NULL);
        t.backend = "dnnl";
        const struct outcome fast = run(&t, 2, NULL);
        double worst = 0;
        for (int k = 0; k < STEPS; k++)
            worst = fmax(worst, fabs(fast.losses[k] / blas.losses[k] - 1));
        print_message("stage %d: losses of %d steps within %.1e; from %.3f to %.3f\n",
                      i, STEPS, worst, blas.losses[0], blas.losses[STEPS - 1]);
        assert_true(worst < 1e-3);
        assert_true(blas.losses[0] != blas.losses[STEPS - 1]);
        free(blas.values);
        free(fast.values);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_step_of_resnet18_has_the_same_bits_on_1_to_4_threads_under_any_load),
        cmocka_unit_test(
            steps_of_small_networks_have_the_same_bits_on_1_to_4_threads_under_any_load),
        cmocka_unit_test(both_backends_agree_over_twenty_steps_of_each_stage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
