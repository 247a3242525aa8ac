/*
 * attack_dump.c - attacks a small network and writes everything to a safetensors file,
 * for attack_torch.py to do the same again. usage: attack_dump FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "tests/worker/models/small_net.h"
#include "worker/attacks/ascent.h"
#include "worker/pipeline/safetensors.h"

enum { N = 8, K = 10, SIZE = 12, IMAGE = 3 * SIZE * SIZE, PATH = 1 };

struct dump {
    struct st_writer *to;
    struct net *net;
    float *x, *start, *teacher;
    int64_t y[N];
};

static const int64_t images[] = {N, 3, SIZE, SIZE}, rows[] = {N, K};

static void
put_params(struct dump *d)
{
    size_t count;
    const struct net_param *p = net_params(d->net, &count);

    for (size_t i = 0; i < count; i++)
        st_writer_add(d->to, p[i].name, ST_F32, p[i].dims, p[i].n_dims, p[i].value);
}

/* Labels are the predictions, but for the last image, which is wrong from the start. */
static void
make_input(struct dump *d)
{
    d->x = small_floats((int64_t)N * IMAGE, 0, 1, 0);
    d->start = small_floats((int64_t)N * IMAGE, -1, 1, 1);
    d->teacher = small_floats((int64_t)N * K, -3, 3, 2);
    for (int path = 0; path < 2; path++)
        for (int i = 0; i <= path; i++)
            net_forward(d->net, d->x, N, NET_TRAIN, path);
    const float *z = net_forward(d->net, d->x, N, NET_EVAL, PATH);
    for (int i = 0; i < N; i++)
        d->y[i] = ascent_first_largest(z + (int64_t)i * K, K);
    d->y[N - 1] = (d->y[N - 1] + 1) % K;
    st_writer_add(d->to, "x", ST_F32, images, 4, d->x);
    st_writer_add(d->to, "start", ST_F32, images, 4, d->start);
    st_writer_add(d->to, "teacher", ST_F32, rows, 2, d->teacher);
    st_writer_add(d->to, "y", ST_I64, images, 1, d->y);
}

/* Small steps and a small ball, so that some images stand to the end. */
static int
put_attack(struct dump *d, const struct attack *a, struct arena *mem, struct err *err)
{
    const struct attack_config config = {.eps = 0.004, .step = 0.001, .steps = 7};
    const struct attack_target target = {.net = d->net,
                                         .path = PATH,
                                         .y = d->y,
                                         .teacher = d->teacher,
                                         .temperature = 4,
                                         .classes = K};
    struct attack_config of = config;

    if (strcmp(a->name, "apgd-ce") == 0)
        of.steps = 40;
    float *out = arena_alloc(mem, (size_t)N * IMAGE * sizeof *out);
    st_writer_add(d->to, arena_printf(mem, "out/%s", a->name), ST_F32, images, 4, out);
    return a->run(out, d->x, d->start, N, &target, &of, err);
}

int
main(int argc, char **argv)
{
    struct team *team = team_new(1);
    struct dump d = {.to = st_writer_new()};
    struct arena mem = {0};
    struct err err;
    int rc = 0;

    if (argc != 2)
        return 2;
    d.net = small_net_new(&(struct small_net){.role = MODEL_STUDENT,
                                              .bn_paths = 2,
                                              .classes = K,
                                              .size = SIZE,
                                              .max_batch = N,
                                              .gradients = true,
                                              .seed = 1},
                          team);
    make_input(&d);
    put_params(&d);
    for (const struct attack *const *a = attacks; rc == 0 && *a != NULL; a++)
        rc = put_attack(&d, *a, &mem, &err);
    if (rc == 0)
        rc = st_writer_save(d.to, argv[1], &err);
    if (rc != 0)
        fprintf(stderr, "attack_dump: %s\n", err.text);
    st_writer_free(d.to);
    arena_release(&mem);
    net_free(d.net);
    team_free(team);
    free(d.x);
    free(d.start);
    free(d.teacher);
    return rc == 0 ? 0 : 1;
}
