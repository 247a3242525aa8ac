/* pram_test.c - both forms of the activation mismatch against plain double sums over
 * (C,H,W) arrays, on the layout of every backend, and gradients against differences of
 * those sums. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "tests/worker/models/small_net.h"
#include "worker/engine/rng.h"
#include "worker/losses/loss.h"

enum { N = 3, SIZE = 16 };

struct pair {
    struct team *team;
    struct net *student, *teacher;
    bool paper;
};

static struct net_map
map_at(const struct pair *p, struct net *n, int index)
{
    return p->paper ? net_act_map(n, index) : net_group_map(n, index);
}

static int
n_maps(const struct pair *p)
{
    const struct graph *g = net_graph(p->student);

    return p->paper ? graph_n_masks(g) : graph_n_groups(g);
}

/* Random numbers, zero in the lanes beyond c, some maps of sample 0 zero altogether. */
static void
fill_maps(struct pair *p, struct net *n, uint64_t index)
{
    struct rng r = rng_stream(5, RNG_BENCH, 0, index);

    for (int m = 0; m < n_maps(p); m++) {
        const struct net_map map = map_at(p, n, m);
        const int64_t pixels = map.h * map.w * map.block;
        for (int64_t i = 0; i < N * map.per_image; i++) {
            const int64_t in_image = i % map.per_image;
            const int64_t c = in_image / pixels * map.block + in_image % map.block;
            map.data[i] = c < map.c ? (float)rng_normal(&r) : 0;
        }
    }
}

static struct pair
new_pair(const char *backend, bool paper)
{
    struct small_net want = {.backend = backend,
                             .role = MODEL_STUDENT,
                             .bn_paths = 2,
                             .classes = 4,
                             .size = SIZE,
                             .max_batch = N,
                             .gradients = true,
                             .seed = 1};
    struct pair p = {.team = team_new(1), .paper = paper};
    float *x = small_floats(N * 3 * SIZE * SIZE, 0, 1, 0);

    p.student = small_net_new(&want, p.team);
    want.gradients = false;
    p.teacher = small_net_new(&want, p.team);
    net_forward(p.student, x, N, NET_TRAIN, 0);
    net_forward(p.teacher, x, N, NET_EVAL, 0);
    fill_maps(&p, p.student, 1);
    fill_maps(&p, p.teacher, 2);
    free(x);
    return p;
}

static void
free_pair(struct pair *p)
{
    net_free(p->student);
    net_free(p->teacher);
    team_free(p->team);
}

static double *
plain_image(const struct net_map *map, const float *data, int64_t image)
{
    const int64_t n = map->c * map->h * map->w;
    float *plain = xmalloc((size_t)n * sizeof *plain);
    double *exact = xmalloc((size_t)n * sizeof *exact);

    net_map_to_plain(map, data + image * map->per_image, plain);
    for (int64_t i = 0; i < n; i++)
        exact[i] = (double)plain[i];
    free(plain);
    return exact;
}

/* Attention of one image: mean of squares over channels, divided by its norm. */
static void
attention(double *u, const double *f, const struct net_map *map)
{
    const int64_t pixels = map->h * map->w;
    double norm = 0;

    for (int64_t p = 0; p < pixels; p++) {
        u[p] = 0;
        for (int64_t c = 0; c < map->c; c++)
            u[p] += f[c * pixels + p] * f[c * pixels + p] / (double)map->c;
        norm += u[p] * u[p];
    }
    for (int64_t p = 0; p < pixels; p++)
        u[p] /= fmax(sqrt(norm), 1e-12);
}

static double
plain_released(const double *s, const double *t, const struct net_map *map)
{
    double u_s[SIZE * SIZE], u_t[SIZE * SIZE], sum = 0;
    const int64_t pixels = map->h * map->w;

    attention(u_s, s, map);
    attention(u_t, t, map);
    for (int64_t p = 0; p < pixels; p++)
        sum += (u_s[p] - u_t[p]) * (u_s[p] - u_t[p]);
    return sum / (double)pixels / N;
}

static double
plain_paper(const double *s, const double *t, const struct net_map *map)
{
    const int64_t n = map->c * map->h * map->w;
    double ss = 0, tt = 0, sum = 0;

    for (int64_t i = 0; i < n; i++) {
        ss += s[i] * s[i];
        tt += t[i] * t[i];
    }
    for (int64_t i = 0; i < n; i++) {
        const double d = s[i] / sqrt(ss) - t[i] / sqrt(tt);
        sum += d * d;
    }
    return sqrt(sum) / N;
}

static double
plain(const struct pair *p, const double *s, const double *t, const struct net_map *map)
{
    return p->paper ? plain_paper(s, t, map) : plain_released(s, t, map);
}

/* The gradient of one image, plain; caller frees. In the released form it is the map
 * itself times a number for each pixel. */
static double *
plain_gradient(const struct pair *p, int m, int64_t image)
{
    const struct net_map map = map_at(p, p->student, m);
    const int64_t pixels = map.h * map.w;

    if (p->paper)
        return plain_image(&map, net_act_seed(p->student, m).data, image);
    double *grad = plain_image(&map, map.data, image);
    for (int64_t i = 0; i < map.c * pixels; i++)
        grad[i] *= (double)net_group_gain(p->student, m)[image * pixels + i % pixels];
    return grad;
}

/* Compares some gradients of one image of one map with central differences. */
static void
check_image(const struct pair *p, int m, int64_t image, double scale)
{
    const struct net_map s_map = map_at(p, p->student, m);
    const struct net_map t_map = map_at(p, p->teacher, m);
    double *s = plain_image(&s_map, s_map.data, image);
    double *t = plain_image(&t_map, t_map.data, image);
    double *grad = plain_gradient(p, m, image);
    const int64_t n = s_map.c * s_map.h * s_map.w;
    double largest = 0;

    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(grad[i]));
    for (int64_t i = 0; i < n; i += n / 7 + 1) {
        const double middle = s[i], step = 1e-4;
        s[i] = middle + step;
        const double up = plain(p, s, t, &s_map);
        s[i] = middle - step;
        const double down = plain(p, s, t, &s_map);
        s[i] = middle;
        const double want = scale * (up - down) / (2 * step);
        assert_true(fabs(grad[i] - want) <= 1e-4 * largest + 1e-9);
    }
    free(s);
    free(t);
    free(grad);
}

static double
plain_total(const struct pair *p)
{
    double sum = 0;

    for (int m = 0; m < n_maps(p); m++) {
        const struct net_map s_map = map_at(p, p->student, m);
        const struct net_map t_map = map_at(p, p->teacher, m);
        for (int64_t i = 0; i < N; i++) {
            double *s = plain_image(&s_map, s_map.data, i);
            double *t = plain_image(&t_map, t_map.data, i);
            sum += plain(p, s, t, &s_map);
            free(s);
            free(t);
        }
    }
    return sum;
}

static double
run(struct pair *p, double scale)
{
    const struct loss *loss = loss_find("pram");
    const int64_t each = loss->notes(net_graph(p->teacher), p->paper);
    double *notes = xcalloc((size_t)(N * each), sizeof *notes);
    const struct loss_view view = {.n = N,
                                   .student = p->student,
                                   .teacher = p->teacher,
                                   .paper_form = p->paper,
                                   .notes = notes};

    if (each > 0)
        loss->note(notes, &view);
    const double result = loss->run(&view, scale, NULL);
    free(notes);
    return result;
}

static void
check_form(bool paper)
{
    const double scale = 1000;

    for (int b = 0; backends[b] != NULL; b++) {
        struct pair p = new_pair(backend_name(backends[b]), paper);
        const double loss = run(&p, scale);
        assert_true(fabs(loss / plain_total(&p) - 1) < 1e-5);
        for (int m = 0; m < n_maps(&p); m++)
            for (int64_t i = 0; i < N; i++)
                check_image(&p, m, i, scale);
        free_pair(&p);
    }
}

static void
the_released_form_is_attention_transfer(void **state)
{
    (void)state;
    check_form(false);
}

static void
the_papers_form_compares_directions_of_whole_maps(void **state)
{
    (void)state;
    check_form(true);
}

static void
equal_maps_cost_nothing_and_dead_ones_stay_finite(void **state)
{
    (void)state;
    for (int paper = 0; paper < 2; paper++) {
        struct pair p = new_pair("blas", paper != 0);
        fill_maps(&p, p.teacher, 1);
        assert_true(run(&p, 1) < 1e-12);
        for (int m = 0; m < n_maps(&p); m++) {
            const struct net_map map = map_at(&p, p.student, m);
            memset(map.data, 0, (size_t)(N * map.per_image) * sizeof(float));
        }
        assert_true(isfinite(run(&p, 1)));
        for (int64_t i = 0; i < N; i++) {
            const struct net_map map = map_at(&p, p.student, 0);
            double *grad = plain_gradient(&p, 0, i);
            for (int64_t j = 0; j < map.c * map.h * map.w; j++)
                assert_true(isfinite(grad[j]));
            free(grad);
        }
        free_pair(&p);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_released_form_is_attention_transfer),
        cmocka_unit_test(the_papers_form_compares_directions_of_whole_maps),
        cmocka_unit_test(equal_maps_cost_nothing_and_dead_ones_stay_finite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
