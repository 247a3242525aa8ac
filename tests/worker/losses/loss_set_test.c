/* loss_set_test.c - which weights and views a written sum stands for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/worker/models/small_net.h"
#include "worker/losses/loss_set.h"

enum { N = 2, K = 4, SIZE = 8 };

struct bench {
    struct team *team;
    struct net *student, *teacher;
    float *logits, *target, dlogits[N * K];
    int64_t y[N];
};

static void
set_up(struct bench *b)
{
    const struct small_net want = {.role = MODEL_STUDENT,
                                   .bn_paths = 2,
                                   .classes = K,
                                   .size = SIZE,
                                   .max_batch = N,
                                   .gradients = true,
                                   .seed = 1};
    float *x = small_floats(N * 3 * SIZE * SIZE, 0, 1, 0);

    b->team = team_new(1);
    b->student = small_net_new(&want, b->team);
    b->teacher = small_net_new(&want, b->team);
    net_forward(b->student, x, N, NET_TRAIN, 0);
    net_forward(b->teacher, x, N, NET_EVAL, 0);
    b->logits = small_floats(N * K, -1, 1, 1);
    b->target = small_floats(N * K, -1, 1, 2);
    b->y[0] = 1;
    b->y[1] = 3;
    free(x);
}

static void
tear_down(struct bench *b)
{
    net_free(b->student);
    net_free(b->teacher);
    team_free(b->team);
    free(b->logits);
    free(b->target);
}

static struct loss_config
config_of(const char *sum)
{
    return (struct loss_config){.sum = sum,
                                .weighting = "released",
                                .map_views = "clean,aug",
                                .temperature = 4,
                                .teacher = true};
}

static void
run_views(struct loss_set *set, struct bench *b)
{
    const struct loss_view view = {.n = N,
                                   .classes = K,
                                   .logits = b->logits,
                                   .target = b->target,
                                   .y = b->y,
                                   .student = b->student,
                                   .teacher = b->teacher};
    struct err err;

    loss_set_start(set);
    for (enum loss_view_id v = LOSS_CLEAN; v < LOSS_N_VIEWS; v++) {
        loss_set_note(set, v, b->teacher, N);
        assert_int_equal(loss_set_view(set, v, view, b->dlogits, &err), 0);
    }
}

/* The total must be a*ce + b*kl + c*pram. */
static void
expect_weights(struct bench *b, const struct loss_config *config, double ce, double kl,
               double pram)
{
    struct loss_set *set;
    struct err err;

    if (loss_set_new(&set, config, &err) != 0)
        fail_msg("%s", err.text);
    run_views(set, b);
    const double want = ce * loss_set_value(set, "ce") + kl * loss_set_value(set, "kl")
                        + pram * loss_set_value(set, "pram");
    assert_true(fabs(loss_set_total(set) - want) < 1e-9 * fabs(want));
    assert_true((ce == 0) == (loss_set_value(set, "ce") == 0));
    assert_true((pram == 0) == (loss_set_value(set, "pram") == 0));
    loss_set_free(set);
}

static void
terms_without_a_weight_take_it_from_the_table(void **state)
{
    struct bench b;
    struct loss_config c = config_of("kl");

    (void)state;
    set_up(&b);
    expect_weights(&b, &c, 0, 1, 0);
    c.sum = "ce";
    expect_weights(&b, &c, 1, 0, 0);
    c.sum = "kl+pram";
    expect_weights(&b, &c, 0, 1, 1000);
    c.sum = "ce+kl+pram";
    expect_weights(&b, &c, 0.5, 0.5, 1000);
    c.weighting = "paper";
    expect_weights(&b, &c, 1, 1, 1000);
    c.sum = "0.25*ce+kl+10*pram";
    expect_weights(&b, &c, 0.25, 1, 10);
    tear_down(&b);
}

static void
a_term_is_the_mean_over_its_views(void **state)
{
    struct bench b;
    struct loss_set *both, *one;
    struct loss_config c = config_of("pram");
    struct err err;

    (void)state;
    set_up(&b);
    assert_int_equal(loss_set_new(&both, &c, &err), 0);
    c.map_views = "aug";
    assert_int_equal(loss_set_new(&one, &c, &err), 0);
    run_views(both, &b);
    run_views(one, &b); /* every view is the same here */
    assert_true(fabs(loss_set_total(both) - loss_set_total(one)) < 1e-9);
    assert_true(loss_set_needs_teacher(both, LOSS_CLEAN));
    assert_false(loss_set_needs_teacher(both, LOSS_ADV));
    assert_false(loss_set_needs_teacher(one, LOSS_CLEAN));
    assert_true(loss_set_needs_teacher(one, LOSS_AUG));
    loss_set_free(both);
    loss_set_free(one);
    tear_down(&b);
}

static void
expect_refused(struct loss_config c, const char *says)
{
    struct loss_set *set;
    struct err err;

    assert_int_equal(loss_set_new(&set, &c, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    if (strstr(err.text, says) == NULL)
        fail_msg("`%s` does not say `%s`", err.text, says);
}

static void
what_makes_no_sense_is_refused(void **state)
{
    struct loss_config c = config_of("ce+pra");

    (void)state;
    expect_refused(c, "did you mean `pram`");
    c = config_of("");
    expect_refused(c, "no terms");
    c = config_of("ce+kl");
    c.teacher = false;
    expect_refused(c, "`kl` needs a teacher");
    c = config_of("pram");
    c.map_views = "clean,augmented";
    expect_refused(c, "unknown view `augmented`");
    c.map_views = "";
    expect_refused(c, "empty");
}

static void
a_term_that_is_not_finite_is_named(void **state)
{
    struct bench b;
    struct loss_config c = config_of("ce+kl");
    struct loss_set *set;
    struct err err;

    (void)state;
    set_up(&b);
    assert_int_equal(loss_set_new(&set, &c, &err), 0);
    b.target[1] = NAN;
    const struct loss_view view = {
        .n = N, .classes = K, .logits = b.logits, .target = b.target, .y = b.y};
    assert_int_equal(loss_set_view(set, LOSS_AUG, view, b.dlogits, &err), -1);
    assert_int_equal(err.kind, ERR_NUMERIC);
    assert_non_null(strstr(err.text, "`kl`"));
    assert_non_null(strstr(err.text, "aug"));
    loss_set_free(set);
    tear_down(&b);
}

static void
names_lead_to_their_rows(void **state)
{
    (void)state;
    for (int i = 0; losses[i] != NULL; i++) {
        assert_string_equal(losses[i]->name, loss_names[i]);
        assert_ptr_equal(loss_find(loss_names[i]), losses[i]);
        assert_true(losses[i]->doc[0] != '\0' && losses[i]->source[0] != '\0');
    }
    assert_null(loss_find("l2"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_without_a_weight_take_it_from_the_table),
        cmocka_unit_test(a_term_is_the_mean_over_its_views),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_term_that_is_not_finite_is_named),
        cmocka_unit_test(names_lead_to_their_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
