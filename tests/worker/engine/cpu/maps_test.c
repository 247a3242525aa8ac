/* maps_test.c - every map kernel gives for blocks of 8 and 16 what it gives for plain
 * maps, which the tests of the ops compare with the reference. So the layout of a
 * processor with AVX-512 is tested on every machine. */
#include "tests/worker/engine/probe.h"

#include <math.h>
#include <string.h>

#include "worker/engine/cpu/maps.h"

enum { IMAGES = 3, C = 21, H = 9, W = 13, PIXELS = H * W, SIZE = IMAGES * C * PIXELS };
enum { LANES = 32, MAX = IMAGES * LANES * PIXELS };

/* All arrays that the kernels read, in one layout. */
struct fixture {
    struct map map;
    float x[MAX], y[MAX], dy[MAX], residual[MAX], low[LANES * PIXELS];
    float mean[LANES], scale[LANES], shift[LANES], slope[LANES];
    struct norm_pass pass;
    struct map_value value; /* y, not stored */
};

static void
random_map(float *blocked, const struct map *m, uint32_t seed)
{
    static double x[SIZE];
    static float from[SIZE];

    probe_random(x, m->images * m->c * m->pixels, 1.0, seed);
    probe_floats(from, x, m->images * m->c * m->pixels);
    cpu_to_blocks(blocked, from, m);
}

static void
random_lanes(float *lanes, uint32_t seed)
{
    double x[C];

    memset(lanes, 0, LANES * sizeof(float));
    probe_random(x, C, 1.0, seed);
    probe_floats(lanes, x, C);
}

static struct fixture *
setup(int64_t block, enum norm_act act)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct map one = {1, C, PIXELS, block};

    f->map = (struct map){IMAGES, C, PIXELS, block};
    random_map(f->x, &f->map, 1);
    random_map(f->dy, &f->map, 2);
    random_map(f->residual, &f->map, 3);
    random_map(f->low, &one, 4);
    for (int64_t i = 0; i < map_size(&one); i++)
        f->low[i] = f->low[i] > 0.0f ? -INFINITY : 0.0f;
    random_lanes(f->mean, 5);
    random_lanes(f->scale, 6);
    random_lanes(f->shift, 7);
    random_lanes(f->slope, 8);
    f->pass = (struct norm_pass){act, f->low, f->mean, f->scale, f->shift};
    f->value = (struct map_value){f->residual, 1, {{f->x, &f->pass}}};
    cpu_value(f->y, &f->value, &f->map);
    return f;
}

/* Equal up to the order of sums, and lanes beyond the channels are zero. */
static void
assert_same(const float *blocked, const struct map *m, const float *want)
{
    static float got[MAX], back[MAX];

    cpu_from_blocks(got, false, blocked, m);
    for (int64_t i = 0; i < m->images * m->c * m->pixels; i++)
        assert_true(fabsf(got[i] - want[i]) <= 1e-6f * (1.0f + fabsf(want[i])));
    cpu_to_blocks(back, got, m);
    for (int64_t i = 0; i < map_size(m); i++)
        assert_true(back[i] == blocked[i]);
}

static void
assert_sums_equal(const double *got, const double *want)
{
    for (int c = 0; c < C; c++)
        assert_true(fabs(got[c] - want[c]) <= 1e-5 * (1.0 + fabs(want[c])));
    for (int c = C; c < LANES; c++)
        assert_true(got[c] == 0.0);
}

static void
for_blocks(void (*check)(struct fixture *blocked, struct fixture *reference))
{
    for (int64_t block = 8; block <= 16; block += 8)
        for (int act = NORM_LINEAR; act <= NORM_MASKED; act++) {
            struct fixture *a = setup(block, act), *b = setup(1, act);
            check(a, b);
            free(a);
            free(b);
        }
}

static void
check_norm(struct fixture *a, struct fixture *b)
{
    assert_same(a->y, &a->map, b->y);
}

static void
norm_is_the_same_in_every_layout(void **state)
{
    (void)state;
    for_blocks(check_norm);
}

static void
norm_sums_of(const struct fixture *f, double sums[2][LANES], const struct map_value *y)
{
    const struct norm_maps maps = {f->dy, f->x, *y};

    cpu_norm_sums(sums[0], sums[1], &maps, &f->pass, &f->map);
}

static void
check_sums(struct fixture *a, struct fixture *b)
{
    double got[2][LANES] = {{0}}, want[2][LANES] = {{0}};

    cpu_norm_stats(got[0], got[1], a->x, &a->map);
    cpu_norm_stats(want[0], want[1], b->x, &b->map);
    assert_sums_equal(got[0], want[0]);
    assert_sums_equal(got[1], want[1]);
    norm_sums_of(a, got, &(struct map_value){.at = a->y});
    norm_sums_of(b, want, &(struct map_value){.at = b->y});
    assert_sums_equal(got[0], want[0]);
    assert_sums_equal(got[1], want[1]);
}

static void
statistics_are_the_same_in_every_layout(void **state)
{
    (void)state;
    for_blocks(check_sums);
}

static void
norm_grad_of(struct fixture *f, float *dx, float *dresidual, bool train,
             const struct norm_maps *maps)
{
    const struct norm_pull pull = {f->slope, f->shift};

    memcpy(dresidual, f->residual, sizeof(f->residual));
    cpu_norm_grad((struct grad_to){dx, false}, (struct grad_to){dresidual, true}, maps,
                  train ? &pull : NULL, &f->pass, &f->map);
}

static struct norm_maps
stored_maps(const struct fixture *f)
{
    return (struct norm_maps){f->dy, f->x, {.at = f->y}};
}

static void
check_norm_grad(struct fixture *a, struct fixture *b)
{
    static float got[2][MAX], want[2][MAX];

    const struct norm_maps of_a = stored_maps(a), of_b = stored_maps(b);

    for (int train = 0; train < 2; train++) {
        norm_grad_of(a, got[0], got[1], train, &of_a);
        norm_grad_of(b, want[0], want[1], train, &of_b);
        assert_same(got[0], &a->map, want[0]);
        assert_same(got[1], &a->map, want[1]);
    }
}

static void
gradients_are_the_same_in_every_layout(void **state)
{
    (void)state;
    for_blocks(check_norm_grad);
}

/* Of a sum of norms, in the gradient's own place: into a copy of x. */
static void
check_terms(struct fixture *a, struct fixture *b)
{
    (void)b;
    static float made[MAX], first[MAX], got[2][MAX], want[2][MAX];
    const struct map_value value = {
        a->dy, 3, {{a->residual, &a->pass}, {a->y, &a->pass}, {a->x, &a->pass}}};
    struct norm_maps lazy = {a->dy, a->x, value}, stored = {a->dy, a->x, {.at = made}};
    double sums[2][LANES] = {{0}}, same[2][LANES] = {{0}};

    cpu_value(first, &(struct map_value){a->dy, 1, {value.terms[0]}}, &a->map);
    cpu_value(made, &(struct map_value){first, 1, {value.terms[1]}}, &a->map);
    cpu_value(first, &(struct map_value){made, 1, {value.terms[2]}}, &a->map);
    cpu_value(made, &value, &a->map);
    assert_memory_equal(made, first, (size_t)map_size(&a->map) * sizeof(float));
    norm_sums_of(a, sums, &lazy.y);
    norm_sums_of(a, same, &stored.y);
    assert_memory_equal(sums, same, sizeof(sums));
    norm_grad_of(a, want[0], want[1], true, &stored);
    memcpy(got[0], a->x, sizeof(a->x));
    lazy.x = lazy.y.terms[2].x = got[0];
    norm_grad_of(a, got[0], got[1], true, &lazy);
    assert_memory_equal(got, want, sizeof(got));
}

static void
a_value_that_is_not_stored_gives_the_same_bits(void **state)
{
    (void)state;
    for_blocks(check_terms);
}

static void
check_pool(struct fixture *a, struct fixture *b)
{
    static float got[MAX], want[MAX];
    const struct map pooled = {IMAGES, C, 1, a->map.block};

    cpu_pool(got, a->x, &a->map);
    cpu_pool(want, b->x, &b->map);
    assert_same(got, &pooled, want);
    memcpy(got, a->residual, sizeof(got));
    memcpy(want, b->residual, sizeof(want));
    random_map(a->dy, &pooled, 9);
    random_map(b->dy, &(struct map){IMAGES, C, 1, 1}, 9);
    cpu_pool_grad(got, true, a->dy, &a->map);
    cpu_pool_grad(want, true, b->dy, &b->map);
    assert_same(got, &a->map, want);
}

static void
pooling_is_the_same_in_every_layout(void **state)
{
    (void)state;
    for_blocks(check_pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norm_is_the_same_in_every_layout),
        cmocka_unit_test(statistics_are_the_same_in_every_layout),
        cmocka_unit_test(gradients_are_the_same_in_every_layout),
        cmocka_unit_test(a_value_that_is_not_stored_gives_the_same_bits),
        cmocka_unit_test(pooling_is_the_same_in_every_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
