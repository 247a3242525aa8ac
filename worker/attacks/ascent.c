/*
 * ascent.c - the loop of all sign-gradient attacks; see ascent.h. Works in float, in
 * the order of operations of the released code, so that its clips give the same pixels.
 */
#include "worker/attacks/ascent.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "shared/base/mem.h"

/* NaN stays NaN, so that it shows in the network's output. */
static float
clip(float v, float low, float high)
{
    v = v < low ? low : v;
    return v > high ? high : v;
}

static void
set_start(float *out, const float *x, const float *start, int64_t size, float eps)
{
    for (int64_t i = 0; i < size; i++)
        out[i] = start == NULL ? x[i] : clip(x[i] + eps * start[i], 0, 1);
}

/* out := P(out + step * sign(g)); a zero gradient leaves the pixel where it is. */
static void
climb(float *out, const float *g, const float *x, int64_t size, float step, float eps)
{
    for (int64_t i = 0; i < size; i++) {
        const float sign = (float)((g[i] > 0) - (g[i] < 0));
        const float moved = clip(out[i] + step * sign, x[i] - eps, x[i] + eps);
        out[i] = clip(moved, 0, 1);
    }
}

/* One run of an attack; a task is an image. */
struct ascent {
    float *out;
    const float *x, *start, *input_grad, *logits;
    int64_t image, classes; /* floats of each */
    const struct attack_target *target;
    ascent_grad_fn *grad;
    float step, eps;
    float *dlogits; /* (n,classes) */
    double *rows;   /* 2 * classes for each thread */
    atomic_bool not_finite;
};

static void
start_task(void *ctx, int64_t task, int thread)
{
    const struct ascent *a = ctx;
    const int64_t at = task * a->image;
    (void)thread;

    set_start(a->out + at, a->x + at, a->start == NULL ? NULL : a->start + at, a->image,
              a->eps);
}

static void
climb_task(void *ctx, int64_t task, int thread)
{
    const struct ascent *a = ctx;
    const int64_t at = task * a->image;
    (void)thread;

    climb(a->out + at, a->input_grad + at, a->x + at, a->image, a->step, a->eps);
}

static void
grad_task(void *ctx, int64_t task, int thread)
{
    struct ascent *a = ctx;
    const int64_t k = a->classes;
    double *row = a->rows + 2 * k * thread;

    a->grad(row, row + k, a->logits + task * k, task, a->target);
    for (int64_t j = 0; j < k; j++) {
        if (!isfinite(row[j]))
            atomic_store(&a->not_finite, true);
        a->dlogits[task * k + j] = (float)row[j];
    }
}

void
ascent_softmax(double *p, const float *z, int64_t k, double temperature)
{
    double top = (double)z[0], sum = 0;

    for (int64_t i = 1; i < k; i++)
        top = (double)z[i] > top ? (double)z[i] : top;
    for (int64_t i = 0; i < k; i++) {
        p[i] = exp(((double)z[i] - top) / temperature);
        sum += p[i];
    }
    for (int64_t i = 0; i < k; i++)
        p[i] /= sum;
}

int64_t
ascent_first_largest(const float *z, int64_t k)
{
    int64_t first = 0;

    for (int64_t i = 1; i < k; i++)
        if (z[i] > z[first])
            first = i;
    return first;
}

double
ascent_ce(const float *z, int64_t k, int64_t y)
{
    const double top = (double)z[ascent_first_largest(z, k)];
    double sum = 0;

    for (int64_t i = 0; i < k; i++)
        sum += exp((double)z[i] - top);
    return log(sum) + top - (double)z[y];
}

void
ascent_ce_grad(double *dz, double *work, const float *z, int64_t sample,
               const struct attack_target *target)
{
    (void)work;
    ascent_softmax(dz, z, target->classes, 1);
    dz[target->y[sample]] -= 1;
}

static int
climb_once(struct ascent *a, int64_t n, struct err *err)
{
    struct net *net = a->target->net;

    a->logits = net_forward(net, a->out, n, NET_EVAL, a->target->path);
    team_run(net_team(net), n, grad_task, a);
    if (atomic_load(&a->not_finite))
        return err_set(err, ERR_NUMERIC, "attack: the network's output is not finite");
    net_backward(net, a->dlogits, NET_GRAD_INPUT);
    a->input_grad = net_input_grad(net);
    team_run(net_team(net), n, climb_task, a);
    return 0;
}

int
ascent_run(float *out, const float *x, const float *start, int64_t n,
           const struct attack_target *target, const struct attack_config *config,
           ascent_grad_fn *grad, struct err *err)
{
    const struct graph_shape image = graph_shape(net_graph(target->net), 0);
    struct team *team = net_team(target->net);
    const size_t k = (size_t)target->classes, threads = (size_t)team_threads(team);
    struct ascent a = {.out = out,
                       .x = x,
                       .start = start,
                       .image = image.c * image.h * image.w,
                       .classes = target->classes,
                       .target = target,
                       .grad = grad,
                       .step = (float)config->step,
                       .eps = (float)config->eps};
    int rc = 0;

    a.dlogits = xmalloc((size_t)n * k * sizeof *a.dlogits);
    a.rows = xmalloc(threads * 2 * k * sizeof *a.rows);
    team_run(team, n, start_task, &a);
    for (int s = 0; s < config->steps && rc == 0; s++)
        rc = climb_once(&a, n, err);
    free(a.dlogits);
    free(a.rows);
    return rc;
}
