/* model_file_test.c - a model fits its network exactly or is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/pipeline/model_file.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/safetensors.h"

static const char *const path = "model_file_test.safetensors";

static const struct model_info info = {
    .model = "resnet10-w8",
    .dataset = "synthetic",
    .classes = 10,
    .role = MODEL_STUDENT,
    .bn_paths = 2,
    .relu_count = 1,
    .val_accuracy = 12.5,
    .selected_on = "last",
};

static struct team *team;

static struct net *
make_net(enum model_role role)
{
    static const struct dataset shape = {
        .c = 3, .h = 32, .w = 32, .classes = 10, .std = {1, 1, 1}};
    const struct backend *backend;
    struct net *net;
    struct err err;

    assert_int_equal(backend_find(&backend, "auto", &err), 0);
    const struct network_config config = {.model = "resnet10-w8",
                                          .data = &shape,
                                          .role = role,
                                          .bn_paths = 2,
                                          .backend = backend,
                                          .team = team,
                                          .max_batch = 1};
    assert_int_equal(network_new(&net, &config, &err), 0);
    return net;
}

/* Masks with one ReLU in all, and parameters of their own. */
static void
fill(struct net *n)
{
    size_t count;
    struct net_param *params = net_params(n, &count);

    for (size_t i = 0; i < count; i++)
        for (int64_t j = 0; j < params[i].size; j++)
            params[i].value[j] = (float)(i + 1);
    for (int i = 0; i < graph_n_masks(net_graph(n)); i++) {
        uint8_t *mask = calloc((size_t)network_mask_size(n, i), 1);
        mask[5] = i == 2;
        net_set_mask(n, i, mask);
        free(mask);
    }
}

static void
save_filled(void)
{
    struct net *n = make_net(MODEL_STUDENT);
    struct err err;

    fill(n);
    assert_int_equal(model_file_save(n, &info, path, &err), 0);
    net_free(n);
}

/* Loads `path` into a fresh network; returns -1 with *err set when it is refused. */
static int
load(enum model_role role, struct err *err)
{
    struct net *n = make_net(role);
    struct model_file *f;

    int rc = model_file_open(&f, path, err);
    if (rc == 0)
        rc = model_file_load(n, f, err);
    if (rc == 0)
        assert_int_equal(network_relus(n), 1);
    model_file_free(f);
    net_free(n);
    return rc;
}

static void
the_file_has_the_released_names_and_types(void **state)
{
    struct st_file *f;
    struct err err;

    (void)state;
    save_filled();
    assert_int_equal(st_read(&f, path, &err), 0);
    assert_int_equal(st_find(f, "conv1.weight")->n_dims, 4);
    assert_int_equal(st_find(f, "bn1.BN_c.num_batches_tracked")->dtype, ST_I64);
    assert_int_equal(st_find(f, "bn1.BN_c.num_batches_tracked")->n_dims, 0);
    assert_non_null(st_find(f, "layer2.0.conv_sc.weight"));
    assert_int_equal(st_find(f, "mask.8")->dtype, ST_U8);
    assert_string_equal(st_metadata(f, "format"), "pt");
    assert_string_equal(st_metadata(f, "relu_count"), "1");
    st_free(f);
}

static void
what_was_saved_is_loaded(void **state)
{
    struct net *a = make_net(MODEL_STUDENT), *b = make_net(MODEL_STUDENT);
    struct model_file *f;
    struct err err;
    size_t count;

    (void)state;
    fill(a);
    save_filled();
    assert_int_equal(model_file_open(&f, path, &err), 0);
    assert_memory_equal(model_file_info(f), &info, sizeof info);
    assert_int_equal(model_file_load(b, f, &err), 0);
    const struct net_param *p = net_params(a, &count), *q = net_params(b, &count);
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(p[i].value, q[i].value, (size_t)p[i].size * sizeof(float));
    model_file_free(f);
    net_free(a);
    net_free(b);
}

static void
a_network_with_other_names_is_refused(void **state)
{
    struct err err;

    (void)state;
    save_filled();
    assert_int_equal(load(MODEL_STUDENT, &err), 0);
    assert_int_equal(load(MODEL_TEACHER, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.text, "shortcut"));
}

/* Writes `path` again with one tensor left out, added or changed. */
static void
rewrite(const char *skip, const char *extra, int bad_mask, const char *relus)
{
    struct st_writer *w = st_writer_new();
    const char *const keys[] = {"model",       "dataset",           "role",
                                "selected_on", "classes",           "val_accuracy",
                                "bn_paths",    "shared_shortcut_bn"};
    uint8_t *mask = NULL;
    struct st_file *f;
    struct err err;

    save_filled();
    assert_int_equal(st_read(&f, path, &err), 0);
    for (size_t i = 0; i < st_count(f); i++) {
        const struct st_tensor *t = st_at(f, i);
        const void *data = t->data;
        if (strcmp(t->name, skip) == 0)
            continue;
        if (bad_mask && strcmp(t->name, "mask.0") == 0) {
            mask = calloc(t->bytes, 1);
            mask[3] = 2;
            data = mask;
        }
        st_writer_add(w, t->name, t->dtype, t->dims, t->n_dims, data);
    }
    if (extra != NULL)
        st_writer_add(w, extra, ST_U8, NULL, 0, "");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        st_writer_metadata(w, keys[i], st_metadata(f, keys[i]));
    if (relus != NULL)
        st_writer_metadata(w, "relu_count", relus);
    assert_int_equal(st_writer_save(w, path, &err), 0);
    st_writer_free(w);
    st_free(f);
    free(mask);
}

static void
what_does_not_fit_is_named(void **state)
{
    const struct {
        const char *skip, *extra;
        int bad_mask;
        const char *relus, *says;
    } rows[] = {
        {"linear.bias", NULL, 0, "1", "`linear.bias` is missing"},
        {"mask.3", NULL, 0, "1", "`mask.3` is missing"},
        {"", "stranger", 0, "1", "tensors"},
        {"", NULL, 1, "1", "holds 2"},
        {"", NULL, 0, "2", "metadata says 2"},
        {"", NULL, 0, "many", "`relu_count`"},
        {"", NULL, 0, NULL, "`relu_count` is missing"},
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rewrite(rows[i].skip, rows[i].extra, rows[i].bad_mask, rows[i].relus);
        assert_int_equal(load(MODEL_STUDENT, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        if (strstr(err.text, rows[i].says) == NULL)
            fail_msg("`%s` does not say `%s`", err.text, rows[i].says);
    }
}

static int
setup(void **state)
{
    (void)state;
    team = team_new(1);
    return team != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    team_free(team);
    return unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_has_the_released_names_and_types),
        cmocka_unit_test(what_was_saved_is_loaded),
        cmocka_unit_test(a_network_with_other_names_is_refused),
        cmocka_unit_test(what_does_not_fit_is_named),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
