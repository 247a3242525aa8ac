/* logit_terms_test.c - cross entropy and distillation against plain double sums written
 * from the formulas, and their gradients against differences of those sums. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/engine/rng.h"
#include "worker/losses/loss.h"

enum { N = 5, K = 7 };

struct sample {
    float logits[N * K], target[N * K];
    double exact[N * K]; /* logits as double, moved by the differences */
    int64_t y[N];
    double temperature;
};

static struct sample
random_sample(double temperature, double spread)
{
    struct sample s = {.temperature = temperature};
    struct rng r = rng_stream(3, RNG_BENCH, 0, 0);

    for (int i = 0; i < N * K; i++) {
        s.logits[i] = (float)(spread * rng_normal(&r));
        s.target[i] = (float)(spread * rng_normal(&r));
        s.exact[i] = (double)s.logits[i];
    }
    for (int i = 0; i < N; i++)
        s.y[i] = (3 * i) % K;
    return s;
}

/* softmax(z/T)_k */
static double
probability(const double *z, int k, double T)
{
    double sum = 0;

    for (int j = 0; j < K; j++)
        sum += exp((z[j] - z[k]) / T);
    return 1 / sum;
}

static double
plain_ce(const struct sample *s)
{
    double sum = 0;

    for (int i = 0; i < N; i++)
        sum -= log(probability(s->exact + i * K, (int)s->y[i], 1));
    return sum / N;
}

static double
plain_kl(const struct sample *s)
{
    double sum = 0;

    for (int i = 0; i < N; i++) {
        double target[K];
        for (int k = 0; k < K; k++)
            target[k] = (double)s->target[i * K + k];
        for (int k = 0; k < K; k++) {
            const double p = probability(target, k, s->temperature);
            const double q = probability(s->exact + i * K, k, s->temperature);
            sum += p * log(p / q);
        }
    }
    return s->temperature * s->temperature * sum / N;
}

static double
run(const char *name, const struct sample *s, double scale, float *dlogits)
{
    const struct loss_view view = {.n = N,
                                   .classes = K,
                                   .logits = s->logits,
                                   .target = s->target,
                                   .y = s->y,
                                   .temperature = s->temperature};

    return loss_find(name)->run(&view, scale, dlogits);
}

static void
check(const char *name, double (*plain)(const struct sample *), struct sample s)
{
    const double step = 1e-5, scale = 0.7;
    float grad[N * K] = {0};

    const double loss = run(name, &s, scale, grad);
    assert_true(fabs(loss - plain(&s)) <= 1e-9 * fmax(1, loss));
    for (int i = 0; i < N * K; i++) {
        const double middle = s.exact[i];
        s.exact[i] = middle + step;
        const double up = plain(&s);
        s.exact[i] = middle - step;
        const double down = plain(&s);
        s.exact[i] = middle;
        const double want = scale * (up - down) / (2 * step);
        assert_true(fabs((double)grad[i] - want) < 1e-6);
    }
}

static void
cross_entropy_and_its_gradient_are_the_formula(void **state)
{
    (void)state;
    check("ce", plain_ce, random_sample(1, 1));
    check("ce", plain_ce, random_sample(1, 5));
}

static void
distillation_and_its_gradient_are_the_formula_at_every_temperature(void **state)
{
    (void)state;
    check("kl", plain_kl, random_sample(4, 3));
    check("kl", plain_kl, random_sample(1, 3));
    check("kl", plain_kl, random_sample(0.5, 1));
}

static void
gradients_are_added_to_what_is_there(void **state)
{
    const struct sample s = random_sample(4, 2);
    float once[N * K] = {0}, twice[N * K] = {0};

    (void)state;
    run("ce", &s, 1, once);
    run("ce", &s, 1, twice);
    run("ce", &s, 1, twice);
    for (int i = 0; i < N * K; i++)
        assert_true(fabs((double)(twice[i] - 2 * once[i])) < 1e-6);
}

static void
distillation_from_itself_costs_nothing(void **state)
{
    struct sample s = random_sample(4, 3);
    float grad[N * K] = {0};

    (void)state;
    memcpy(s.target, s.logits, sizeof s.target);
    assert_true(fabs(run("kl", &s, 1, grad)) < 1e-12);
    for (int i = 0; i < N * K; i++)
        assert_true(fabs((double)grad[i]) < 1e-12);
}

static void
huge_logits_do_not_overflow_and_bad_ones_show(void **state)
{
    struct sample s = random_sample(4, 1);
    float grad[N * K] = {0};

    (void)state;
    s.logits[0] = 1e30f;
    s.y[0] = 0;
    assert_true(isfinite(run("ce", &s, 1, grad)));
    s.logits[K + 3] = NAN;
    assert_false(isfinite(run("ce", &s, 1, grad)));
    assert_false(isfinite(run("kl", &s, 1, grad)));
    s.logits[K + 3] = INFINITY;
    assert_false(isfinite(run("ce", &s, 1, grad)));
}

/* The pair of views: `target` stands for the network's own clean logits. */
static double
plain_trades(const struct sample *s, const double *own)
{
    double sum = 0;

    for (int i = 0; i < N; i++)
        for (int k = 0; k < K; k++) {
            const double p = probability(own + i * K, k, s->temperature);
            const double q = probability(s->exact + i * K, k, s->temperature);
            sum += p * log(p / q);
        }
    return s->temperature * s->temperature * sum / N;
}

/* Slope of plain_trades when *at moves, times 0.7. */
static double
slope(const struct sample *s, const double *own, double *at)
{
    const double middle = *at, step = 1e-5;

    *at = middle + step;
    const double up = plain_trades(s, own);
    *at = middle - step;
    const double down = plain_trades(s, own);
    *at = middle;
    return 0.7 * (up - down) / (2 * step);
}

static void
trades_has_gradients_for_both_views(void **state)
{
    struct sample s = random_sample(4, 3);
    float grad[N * K] = {0}, d_own[N * K] = {0};
    double own[N * K];
    const struct loss_view view = {.n = N,
                                   .classes = K,
                                   .logits = s.logits,
                                   .own = s.target,
                                   .d_own = d_own,
                                   .y = s.y,
                                   .temperature = 4};

    (void)state;
    for (int i = 0; i < N * K; i++)
        own[i] = (double)s.target[i];
    const double loss = loss_find("trades")->run(&view, 0.7, grad);
    assert_true(fabs(loss - plain_trades(&s, own)) <= 1e-9 * fmax(1, loss));
    for (int i = 0; i < N * K; i++) {
        assert_true(fabs((double)grad[i] - slope(&s, own, &s.exact[i])) < 1e-6);
        assert_true(fabs((double)d_own[i] - slope(&s, own, &own[i])) < 1e-6);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trades_has_gradients_for_both_views),
        cmocka_unit_test(cross_entropy_and_its_gradient_are_the_formula),
        cmocka_unit_test(
            distillation_and_its_gradient_are_the_formula_at_every_temperature),
        cmocka_unit_test(gradients_are_added_to_what_is_there),
        cmocka_unit_test(distillation_from_itself_costs_nothing),
        cmocka_unit_test(huge_logits_do_not_overflow_and_bad_ones_show),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
