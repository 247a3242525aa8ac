/* limits, needs, times, on_failure and order of a sweep file, and what is wrong with
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/sweep/policy.h"
#include "shared/base/mem.h"

static const struct catalog_stage stages[] = {{.name = "teacher"},
                                              {.name = "finetune"}};
static const struct catalog_method method = {.name = "m",
                                             .stages = (struct catalog_stage *)stages,
                                             .n_stages = 2};

/* The policy of a file's text as canonical JSON, or its error. Caller frees. */
static char *
policy_of(const char *text)
{
    const struct catalog_method *const methods[] = {&method};
    const struct yaml_node *nodes[POLICY_KEYS];
    struct yaml_node *root;
    struct arena mem = {0};
    struct err err = {0};
    json_t *policy;
    char *out;

    assert_int_equal(yaml_read(&root, text, strlen(text), "f", &mem, &err), 0);
    for (int k = 0; k < POLICY_KEYS; k++)
        nodes[k] = yaml_get(root, policy_keys[k]);
    if (policy_read(&policy, nodes, methods, 1, &err) == 0) {
        out = json_canonical(policy);
        json_decref(policy);
    } else {
        assert_int_equal(err.kind, ERR_USAGE);
        out = xstrdup(err.text);
    }
    arena_release(&mem);
    return out;
}

static void
what_is_written_is_what_is_meant(void **state)
{
    static const struct {
        const char *text, *policy;
    } cases[] = {
        {"name: a", "{\"terms\":{}}"},
        {"limits: {jobs: 8, stage: {teacher: 4}, label: {disk: 1}}",
         "{\"limits\":[{\"label\":\"\",\"most\":8,\"stage\":\"\"},"
         "{\"label\":\"\",\"most\":4,\"stage\":\"teacher\"},"
         "{\"label\":\"disk\",\"most\":1,\"stage\":\"\"}],\"terms\":{}}"},
        {"needs: {memory: 2G, labels: big, backend: {finetune: dnnl}}",
         "{\"terms\":{\"all\":{\"labels\":[\"big\"],\"memory_bytes\":2147483648},"
         "\"finetune\":{\"backend\":\"dnnl\"}}}"},
        {"timeout: {all: 90, teacher: 1.5h}\nstall: 2m",
         "{\"terms\":{\"all\":{\"stall_s\":120,\"timeout_s\":90},"
         "\"teacher\":{\"timeout_s\":5400}}}"},
        {"retries: {error: 5, lost: 0, timeout: {teacher: 3}}",
         "{\"terms\":{\"all\":{\"retries_error\":5,\"retries_lost\":0},"
         "\"teacher\":{\"retries_timeout\":3}}}"},
        {"verify: 2.5%", "{\"terms\":{},\"verify\":2.5}"},
        {"on_failure: continue\norder: file", "{\"terms\":{}}"},
        {"on_failure: stop\norder: spread",
         "{\"on_failure\":{\"failed\":1,\"percent\":0},\"order\":\"spread\","
         "\"terms\":{}}"},
        {"on_failure: {stop_if: {failed: 10, percent: 50}}",
         "{\"on_failure\":{\"failed\":10,\"percent\":50},\"terms\":{}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *got = policy_of(cases[i].text);
        assert_string_equal(got, cases[i].policy);
        free(got);
    }
}

static void
errors_say_where_and_what_to_write(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"limits: {job: 1}",
         "f:1:10: unknown key `job` in `limits`; did you mean `jobs`?"},
        {"limits: {stage: {techer: 1}}",
         "f:1:18: `techer` is no stage; did you mean `teacher`?"},
        {"limits: {jobs: -1}",
         "f:1:16: `limits` is a whole number that is not negative"},
        {"limits: 3", "f:1:9: `limits` is a map like"},
        {"needs: {memry: 1}",
         "f:1:9: unknown key `memry` in `needs`; did you mean `memory`?"},
        {"needs: {memory: 1h}", "as 512M or 8G"},
        {"needs: {labels: 'a,b'}", "`labels` is a word of at most 31 characters"},
        {"timeout: 1w", "as 90, 30m, 8h or 2d"},
        {"timeout: ''", "as 90, 30m, 8h or 2d"},
        {"retries: {eror: 1}",
         "f:1:11: unknown key `eror` in `retries`; did you mean `error`?"},
        {"retries: 3", "f:1:10: `retries` is a map like {error: 2}"},
        {"retries: {error: -1}",
         "f:1:18: `error` is a whole number that is not negative"},
        {"retries: {lost: 1001}", "f:1:17: `lost` is at most 1000"},
        {"retries: {error: {teachr: 1}}", "did you mean `teacher`?"},
        {"verify: 2", "f:1:9: `verify` is a share of the jobs, as 2%"},
        {"verify: 101%", "as 2%"},
        {"on_failure: halt", "`on_failure` is continue, stop, or {stop_if:"},
        {"on_failure: {stop_if: {faild: 1}}", "did you mean `failed`?"},
        {"order: random", "`order` is file, or spread"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *got = policy_of(cases[i].text);
        if (strstr(got, cases[i].error) == NULL)
            fail_msg("%s: `%s` lacks `%s`", cases[i].text, got, cases[i].error);
        free(got);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_what_is_meant),
        cmocka_unit_test(errors_say_where_and_what_to_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
