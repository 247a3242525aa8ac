/* trace_test.c - what a trace reads and refuses. Its numbers are compared with PyTorch by
 * trace_torch.py. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "tests/worker/models/small_net.h"
#include "worker/data/dataset.h"
#include "worker/pipeline/safetensors.h"
#include "worker/pipeline/trace.h"

enum { B = 3, K = 4, SIZE = 8, IMAGE = 3 * SIZE * SIZE };

struct scene {
    char dir[64], *spec, *in, *out;
    struct team *team;
    struct net *student, *teacher;
    float *x, *x_aug, *start;
    int64_t y[B];
    uint8_t mask[8 * SIZE * SIZE];
    struct arena mem;
};

static int
set_up(void **state)
{
    struct scene *s = xcalloc(1, sizeof *s);
    struct small_net want = {.role = MODEL_STUDENT,
                             .bn_paths = 2,
                             .classes = K,
                             .size = SIZE,
                             .max_batch = 1,
                             .shared_shortcut_bn = true,
                             .seed = 1};

    strcpy(s->dir, P_tmpdir "/trace_test.XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->spec = file_join(s->dir, "spec.json");
    s->in = file_join(s->dir, "in.safetensors");
    s->out = file_join(s->dir, "out.safetensors");
    s->team = team_new(1);
    s->student = small_net_new(&want, s->team);
    want.role = MODEL_TEACHER;
    s->teacher = small_net_new(&want, s->team);
    s->x = small_floats(B * IMAGE, 0, 1, 0);
    s->x_aug = small_floats(B * IMAGE, 0, 1, 1);
    s->start = small_floats(B * IMAGE, -1, 1, 2);
    for (int i = 0; i < B; i++)
        s->y[i] = i;
    memset(s->mask, 1, sizeof s->mask);
    *state = s;
    return 0;
}

static int
tear_down(void **state)
{
    struct scene *s = *state;
    struct err err;

    assert_int_equal(file_remove_tree(s->dir, &err), 0);
    free(s->spec);
    free(s->in);
    free(s->out);
    net_free(s->student);
    net_free(s->teacher);
    team_free(s->team);
    free(s->x);
    free(s->x_aug);
    free(s->start);
    arena_release(&s->mem);
    free(s);
    return 0;
}

/* Running counts are left out: a missing one is 0. */
static void
add_net(struct st_writer *w, struct scene *s, struct net *n, const char *prefix)
{
    size_t count;
    const struct net_param *params = net_params(n, &count);

    for (size_t i = 0; i < count; i++)
        if (params[i].role != NET_BATCHES)
            st_writer_add(w, arena_printf(&s->mem, "%s%s", prefix, params[i].name),
                          ST_F32, params[i].dims, params[i].n_dims, params[i].value);
}

/* Writes the input but for the tensor `without`, with one called `extra`. */
static void
write_input(struct scene *s, const char *without, const char *extra)
{
    const int64_t images[] = {B, 3, SIZE, SIZE}, labels[] = {B};
    const int64_t mask[] = {8, SIZE, SIZE};
    const char *const names[] = {"x", "x_aug", "attack_start"};
    const float *const arrays[] = {s->x, s->x_aug, s->start};
    struct st_writer *w = st_writer_new();
    struct err err;

    add_net(w, s, s->student, "student/");
    add_net(w, s, s->teacher, "teacher/");
    for (int i = 0; i < 3; i++)
        if (strcmp(names[i], without) != 0)
            st_writer_add(w, names[i], ST_F32, images, 4, arrays[i]);
    if (strcmp("y", without) != 0)
        st_writer_add(w, "y", ST_I64, labels, 1, s->y);
    st_writer_add(w, "mask/1", ST_U8, mask, 3, s->mask);
    if (extra != NULL)
        st_writer_add(w, extra, ST_F32, labels, 1, s->x);
    if (st_writer_save(w, s->in, &err) != 0)
        fail_msg("%s", err.text);
    st_writer_free(w);
}

static int
trace(struct scene *s, const char *spec, int64_t steps, struct err *err)
{
    assert_int_equal(file_write(s->spec, spec, strlen(spec), err), 0);
    return trace_run(s->spec, s->in, s->out, steps, "blas", 1, err);
}

/* loss/total of a trace that must succeed. */
static float
total(struct scene *s, const char *spec, int64_t steps)
{
    struct st_file *f = NULL;
    struct err err;

    if (trace(s, spec, steps, &err) != 0 || st_read(&f, s->out, &err) != 0)
        fail_msg("%s", err.text);
    const struct st_tensor *t = st_find(f, "loss/total");
    assert_non_null(t);
    const float value = *(const float *)t->data;
    st_free(f);
    return value;
}

static void
parameters_may_stand_in_several_places(void **state)
{
    struct scene *s = *state;

    write_input(s, "", NULL);
    const float top = total(s,
                            "{\"stage\":\"finetune\",\"model\":\"resnet10-w8\","
                            "\"classes\":4,\"temperature\":2,\"loss\":\"kl\"}",
                            1);
    const float inside =
        total(s,
              "{\"version\":1,\"method\":\"rlnet\",\"stage\":\"finetune\",\"params\":{"
              "\"model\":\"resnet10-w8\",\"classes\":4,\"temperature\":\"2\","
              "\"loss\":\"kl\",\"epochs\":3}}",
              1);
    const float own_name =
        total(s,
              "{\"stage\":\"finetune\",\"parameters\":{\"model\":\"resnet10-w8\","
              "\"classes\":4,\"temperature\":2.0,\"loss\":\"ce\","
              "\"finetune_loss\":\"1*kl\"}}",
              1);
    assert_true(top == inside && top == own_name);
    /* another temperature is another loss */
    assert_true(top
                != total(s,
                         "{\"stage\":\"finetune\",\"model\":\"resnet10-w8\","
                         "\"classes\":4,\"temperature\":3,\"loss\":\"kl\"}",
                         1));
}

static void
defaults_are_those_of_the_catalogue(void **state)
{
    struct scene *s = *state;
    const char *plain = "{\"stage\":\"finetune\",\"model\":\"resnet10-w8\","
                        "\"classes\":4}";
    const char *attacked = "{\"stage\":\"finetune\",\"model\":\"resnet10-w8\","
                           "\"classes\":4,\"attack\":\"pgd-20\"}";
    const char *method = "{\"method\":\"rlnet\",\"stage\":\"finetune\","
                         "\"model\":\"resnet10-w8\",\"classes\":4,\"dataset\":null,"
                         "\"loss\":\"ce+kl+pram\",\"temperature\":4,\"lr\":0.01}";

    write_input(s, "", NULL);
    assert_true(total(s, plain, 2) == total(s, method, 2));
    /* a named attack brings its own number of steps */
    assert_true(total(s, plain, 1) != total(s, attacked, 1));
}

static void
a_dataset_gives_normalisation_and_classes(void **state)
{
    struct scene *s = *state;
    const struct dataset_source *d = dataset_sources[0];
    const char *plain = "{\"stage\":\"mask\",\"model\":\"resnet10-w8\",\"classes\":4}";
    const char *by_data = arena_printf(&s->mem,
                                       "{\"stage\":\"mask\",\"model\":\"resnet10-w8\","
                                       "\"classes\":4,\"dataset\":\"%s\"}",
                                       d->name);
    const char *by_arrays =
        arena_printf(&s->mem,
                     "{\"stage\":\"mask\",\"model\":\"resnet10-w8\",\"classes\":4,"
                     "\"mean\":[%.9g,%.9g,%.9g],\"std\":[%.9g,%.9g,%.9g]}",
                     (double)d->mean[0], (double)d->mean[1], (double)d->mean[2],
                     (double)d->std[0], (double)d->std[1], (double)d->std[2]);

    write_input(s, "", NULL);
    const float first = total(s, plain, 1);
    const float second = total(s, by_data, 1);
    assert_true(first != second);
    assert_true(second == total(s, by_arrays, 1));
}

static void
masks_and_scores_have_the_maps_shape(void **state)
{
    struct scene *s = *state;
    const char *spec = "{\"stage\":\"mask\",\"model\":\"resnet10-w8\",\"classes\":4}";
    struct st_file *f;
    struct err err;

    write_input(s, "", NULL);
    const float all = total(s, spec, 1);
    assert_int_equal(st_read(&f, s->out, &err), 0);
    const struct st_tensor *score = st_find(f, "score/1");
    assert_non_null(score);
    assert_int_equal(score->dims[0], 8);
    assert_int_equal(score->dims[2], SIZE);
    assert_non_null(st_find(f, "grad/layer2.0.conv_sc.weight"));
    assert_non_null(st_find(f, "student/bn1.BN_a.running_var"));
    assert_int_equal(st_find(f, "student/bn1.BN_c.num_batches_tracked")->dtype, ST_I64);
    st_free(f);
    memset(s->mask, 0, sizeof s->mask);
    write_input(s, "", NULL);
    assert_true(all != total(s, spec, 1));
    assert_true(total(s, spec, 3) < total(s, spec, 1));
}

static void
expect_refused(struct scene *s, const char *spec, const char *says)
{
    struct err err = {0};

    assert_int_equal(trace(s, spec, 1, &err), -1);
    if (strstr(err.text, says) == NULL)
        fail_msg("`%s` does not say `%s`", err.text, says);
    assert_false(file_exists(s->out));
}

static void
a_spec_that_says_too_little_or_too_much_is_refused(void **state)
{
    struct scene *s = *state;

    write_input(s, "", NULL);
    expect_refused(s, "{\"model\":\"resnet10-w8\",\"classes\":4}",
                   "`stage` is missing");
    expect_refused(s, "{\"stage\":\"evaluate\",\"model\":\"resnet10-w8\"}", "evaluate");
    expect_refused(s, "{\"stage\":\"mask\",\"classes\":4}", "`model` is required");
    expect_refused(s, "{\"stage\":\"mask\",\"model\":\"resnet10\",\"classes\":4}",
                   "resnet10-w8");
    expect_refused(s, "{\"stage\":\"mask\",\"model\":\"resnet10-w8\"}", "`classes`");
    expect_refused(s,
                   "{\"stage\":\"mask\",\"model\":\"resnet10-w8\",\"classes\":4,"
                   "\"loss\":\"ce+kk\"}",
                   "loss");
    expect_refused(s,
                   "{\"stage\":\"mask\",\"model\":\"resnet10-w8\",\"classes\":4,"
                   "\"std\":[1,0,1]}",
                   "positive");
    expect_refused(s, "{\"stage\":\"mask\"", "spec.json");
    expect_refused(s, "{\"stage\":\"mask\",\"model\":\"resnet10-w8\",\"classes\":5}",
                   "linear");
}

static void
tensors_that_do_not_fit_are_named(void **state)
{
    struct scene *s = *state;
    const char *spec = "{\"stage\":\"mask\",\"model\":\"resnet10-w8\",\"classes\":4}";

    write_input(s, "x_aug", NULL);
    expect_refused(s, spec, "x_aug");
    write_input(s, "y", NULL);
    expect_refused(s, spec, "`y`");
    write_input(s, "", "student/layer9.weight");
    expect_refused(s, spec, "student/layer9.weight");
    write_input(s, "", "mask/2");
    expect_refused(s, spec, "mask/2");
    s->mask[7] = 3;
    write_input(s, "", NULL);
    expect_refused(s, spec, "mask/1");
    s->mask[7] = 1;
    s->y[1] = K;
    write_input(s, "", NULL);
    expect_refused(s, spec, "y[1] = 4");
}

static void
a_loss_that_is_not_finite_writes_nothing(void **state)
{
    struct scene *s = *state;

    s->x[5] = __builtin_nanf("");
    write_input(s, "", NULL);
    expect_refused(s, "{\"stage\":\"mask\",\"model\":\"resnet10-w8\",\"classes\":4}",
                   "step 1: loss term `ce` of the clean view is nan");
}

#define TRACE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TRACE_TEST(parameters_may_stand_in_several_places),
        TRACE_TEST(defaults_are_those_of_the_catalogue),
        TRACE_TEST(a_dataset_gives_normalisation_and_classes),
        TRACE_TEST(masks_and_scores_have_the_maps_shape),
        TRACE_TEST(a_spec_that_says_too_little_or_too_much_is_refused),
        TRACE_TEST(tensors_that_do_not_fit_are_named),
        TRACE_TEST(a_loss_that_is_not_finite_writes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
