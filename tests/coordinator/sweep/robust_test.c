/* Random, cut and mutated bytes: an error or a sweep, never a crash, never a long wait.
 * The generator is a fixed linear congruence, so a failure repeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/coordinator/sweep/fixture.h"

static const char valid[] =
    "name: t\ntitle: \"A title\"\nfixed: &f {method: rlnet, dataset: fashion-mnist}\n"
    "grid:\n  relu_budget: [50k, 10%, all]\n  loss: choice(ce, kl)\n"
    "  temperature: {values: [1, 4], when: \"loss == kl and not half_batch\"}\n"
    "  seed: range(0,3)\nexclude: [{loss: ce, seed: [1, 2]}]\n"
    "include:\n  - {relu_budget: 20k, seed: 7}\nevaluate: [clean, pgd-7]\n"
    "report: {x: relus, y: [CA], group_over: seed}\n";

static uint32_t seed = 1;

static uint32_t
random_number(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* An error must have a kind and a text. */
static void
try(const char *text, size_t size, const char *sets)
{
    const struct sweep_options options = {.sets = sets, .max_cells = 1000};
    struct err err = {0};
    struct sweep *s;

    if (sweep_parse(&s, text, size, "t.yaml", &fixture_catalog, &options, &err) == 0) {
        assert_true(s->n_cells > 0);
        dag_free(dag_build(s));
        sweep_free(s);
    } else {
        assert_int_equal(err.kind, ERR_USAGE);
        assert_true(strlen(err.text) > 5);
    }
}

static void
a_file_cut_at_every_byte_is_an_error_or_a_sweep(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof valid; n++)
        try(valid, n, "");
}

static void
changed_bytes_are_an_error_or_a_sweep(void **state)
{
    static const char alphabet[] = "{}[]:,&*!|>-\"'#%@` \n\tx0k()=";
    char text[sizeof valid];

    (void)state;
    for (int round = 0; round < 1500; round++) {
        memcpy(text, valid, sizeof valid);
        for (uint32_t k = random_number(4) + 1; k > 0; k--)
            text[random_number(sizeof valid - 1)] =
                round % 2 ? alphabet[random_number(sizeof alphabet - 1)]
                          : (char)random_number(256);
        try(text, sizeof valid - 1, "");
    }
}

static void
random_bytes_are_an_error(void **state)
{
    char text[300];

    (void)state;
    for (int round = 0; round < 1500; round++) {
        const size_t n = random_number(sizeof text);
        for (size_t i = 0; i < n; i++)
            text[i] = (char)(round % 2 ? random_number(256) : 10 + random_number(117));
        try(text, n, "");
    }
}

static void
random_set_options_are_an_error_or_a_sweep(void **state)
{
    static const char alphabet[] = "seed=,0123()range\nlor%k.";
    char sets[40];

    (void)state;
    for (int round = 0; round < 1500; round++) {
        const size_t n = random_number(sizeof sets - 1);
        memcpy(sets, "seed=", 5);
        for (size_t i = round % 2 ? 5 : 0; i < n; i++)
            sets[i] = alphabet[random_number(sizeof alphabet - 1)];
        sets[n < 5 && round % 2 ? 5 : n] = '\0';
        try(valid, sizeof valid - 1, sets);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_cut_at_every_byte_is_an_error_or_a_sweep),
        cmocka_unit_test(changed_bytes_are_an_error_or_a_sweep),
        cmocka_unit_test(random_bytes_are_an_error),
        cmocka_unit_test(random_set_options_are_an_error_or_a_sweep),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
