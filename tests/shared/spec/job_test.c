/* Job specs: equal jobs have equal names, different ones do not. */
#include "shared/spec/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct param params[] = {
    {.name = "model", .type = PARAM_STRING, .doc = "net"},
    {.name = "lr", .type = PARAM_REAL, .dflt = "0.05", .max = 1, .doc = "rate"},
    {.name = "epochs", .type = PARAM_INT, .dflt = "1k", .max = 1e9, .doc = "n"},
};
static struct catalog_stage stage = {.name = "teacher",
                                     .revision = 3,
                                     .params = params,
                                     .n_params = 3};
static const struct catalog_method method = {.name = "rlnet",
                                             .stages = &stage,
                                             .n_stages = 1};

static json_t *
build(const char *values_text, const char *input)
{
    json_error_t je;
    json_t *values = json_loads(values_text, 0, &je);
    json_t *inputs = input ? json_pack("{s:s}", "teacher", input) : NULL;
    json_t *spec = job_spec_build(&method, &stage, values, inputs);

    json_decref(values);
    json_decref(inputs);
    return spec;
}

static void
only_parameters_of_the_stage_enter_its_spec(void **state)
{
    json_t *spec = build("{\"model\":\"r10\",\"temperature\":4,\"lr\":0.1}", NULL);
    char *text = json_canonical(spec);

    (void)state;
    assert_string_equal(text,
                        "{\"inputs\":{},\"method\":\"rlnet\",\"params\":{\"epochs\":"
                        "1000,\"lr\":0.1,\"model\":\"r10\"},\"revision\":3,"
                        "\"stage\":\"teacher\",\"version\":1}");
    free(text);
    json_decref(spec);
}

static struct sha256
name_of(const char *values, const char *input)
{
    json_t *spec = build(values, input);
    const struct sha256 digest = job_spec_digest(spec);

    json_decref(spec);
    return digest;
}

static void
the_name_depends_on_values_and_parents_and_on_nothing_else(void **state)
{
    const struct sha256 a = name_of("{\"model\":\"r10\"}", NULL);
    const struct sha256 spelled =
        name_of("{\"lr\":0.05,\"epochs\":1000,\"model\":\"r10\",\"seed\":1}", NULL);
    const struct sha256 other = name_of("{\"model\":\"r18\"}", NULL);
    const struct sha256 child = name_of("{\"model\":\"r10\"}", a.hex);
    const struct sha256 step_child = name_of("{\"model\":\"r10\"}", other.hex);

    (void)state;
    assert_string_equal(a.hex, spelled.hex);
    assert_string_not_equal(a.hex, other.hex);
    assert_string_not_equal(a.hex, child.hex);
    assert_string_not_equal(child.hex, step_child.hex);
}

static void
a_spec_survives_the_way_as_text(void **state)
{
    json_t *spec = build("{\"model\":\"r10\",\"lr\":1.0}", NULL), *back;
    char *text = json_canonical(spec);
    struct err err;

    (void)state;
    assert_int_equal(json_parse(&back, text, strlen(text), "spec", &err), 0);
    assert_string_equal(job_spec_digest(back).hex, job_spec_digest(spec).hex);
    assert_int_equal(job_spec_check(back, &err), 0);
    free(text);
    json_decref(spec);
    json_decref(back);
}

static void
what_has_not_the_shape_of_a_spec_is_refused(void **state)
{
    static const char *const members[] = {"version",  "method", "stage",
                                          "revision", "params", "inputs"};
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *spec = build("{\"model\":\"r10\"}", NULL);
        json_object_del(spec, members[i]);
        assert_int_equal(job_spec_check(spec, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        assert_non_null(strstr(err.text, members[i]));
        json_decref(spec);
    }
    json_t *spec = build("{\"model\":\"r10\"}", "not a digest");
    assert_int_equal(job_spec_check(spec, &err), -1);
    json_object_set_new(spec, "version", json_integer(2));
    assert_int_equal(job_spec_check(spec, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    json_decref(spec);
    spec = json_array();
    assert_int_equal(job_spec_check(spec, &err), -1);
    json_decref(spec);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_parameters_of_the_stage_enter_its_spec),
        cmocka_unit_test(the_name_depends_on_values_and_parents_and_on_nothing_else),
        cmocka_unit_test(a_spec_survives_the_way_as_text),
        cmocka_unit_test(what_has_not_the_shape_of_a_spec_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
