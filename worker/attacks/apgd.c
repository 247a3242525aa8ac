/*
 * apgd.c - Auto-PGD on the cross entropy (Croce & Hein, ICML 2020, algorithm 1 and the
 * settings of its released library; methods.md 3): a step with momentum whose size is
 * halved, image by image, when it stops paying.
 *
 * An image that is misclassified as it is, or at any iterate, is done: it leaves the
 * batch, and that iterate is its result. The others end with their highest loss.
 * Invariant: each image goes its own way; who shares its batch changes nothing.
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/attacks/ascent.h"

static const float MOMENTUM = 0.75f; /* a of the paper */
static const double RHO = 0.75;

/* One image that still stands. */
struct climber {
    int64_t image; /* in the caller's batch */
    float step;
    double loss, best_loss;
    int gains;              /* iterations since the last check whose loss grew */
    double loss_last_check; /* best loss then */
    bool halved_last_check;
};

/* Rows of all float arrays belong to climbers, in their order. */
struct climb {
    const struct attack_target *target;
    const struct attack_config *config;
    const float *x; /* (n,c,h,w) the caller's images */
    float *out;     /* (n,c,h,w) the caller's results */
    int64_t image;  /* numbers of one image */
    struct climber *climbers;
    int64_t n;                 /* that still stand */
    float *at, *before, *best; /* iterate, the one before, that of best_loss */
    float *grad, *best_grad;   /* of the loss there */
    float *dlogits;            /* (n,classes) */
    double *softmax;           /* (2 * classes) scratch */
};

static float
clip(float v, float low, float high)
{
    v = v < low ? low : v;
    return v > high ? high : v;
}

static float
project(float v, float x, float eps)
{
    return clip(clip(v, x - eps, x + eps), 0, 1);
}

/* ---- the batch ------------------------------------------------------------------- */

static bool
init(struct climb *c, int64_t n)
{
    const size_t bytes = (size_t)(n * c->image) * sizeof(float);
    float **const arrays[] = {&c->at, &c->before, &c->best, &c->grad, &c->best_grad};
    bool all = true;

    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        *arrays[i] = mem_large_alloc(bytes);
        all = all && *arrays[i] != NULL;
    }
    c->climbers = xcalloc((size_t)n, sizeof *c->climbers);
    c->dlogits = xmalloc((size_t)(n * c->target->classes) * sizeof *c->dlogits);
    c->softmax = xmalloc((size_t)(2 * c->target->classes) * sizeof *c->softmax);
    c->n = n;
    for (int64_t i = 0; i < n; i++)
        c->climbers[i].image = i;
    return all;
}

static void
release(struct climb *c)
{
    mem_large_free(c->at);
    mem_large_free(c->before);
    mem_large_free(c->best);
    mem_large_free(c->grad);
    mem_large_free(c->best_grad);
    free(c->climbers);
    free(c->dlogits);
    free(c->softmax);
}

static void
copy_row(const struct climb *c, float *to, int64_t row, const float *from, int64_t of)
{
    memmove(to + row * c->image, from + of * c->image,
            (size_t)c->image * sizeof(float));
}

/* Climber `from` becomes number `to` <= from. */
static void
move_climber(struct climb *c, int64_t to, int64_t from)
{
    if (to == from)
        return;
    c->climbers[to] = c->climbers[from];
    copy_row(c, c->at, to, c->at, from);
    copy_row(c, c->before, to, c->before, from);
    copy_row(c, c->best, to, c->best, from);
    copy_row(c, c->grad, to, c->grad, from);
    copy_row(c, c->best_grad, to, c->best_grad, from);
}

/* ---- the network ----------------------------------------------------------------- */

/* Loss and its gradient at every climber's iterate. right[i]: still classified so. */
static int
look(struct climb *c, bool *right, struct err *err)
{
    const struct attack_target *t = c->target;
    const int64_t k = t->classes;
    const float *logits = net_forward(t->net, c->at, c->n, NET_EVAL, t->path);

    for (int64_t i = 0; i < c->n; i++) {
        const float *z = logits + i * k;
        const int64_t image = c->climbers[i].image, y = t->y[image];
        ascent_ce_grad(c->softmax, c->softmax + k, z, image, t);
        c->climbers[i].loss = ascent_ce(z, k, y);
        if (!isfinite(c->climbers[i].loss))
            return err_set(err, ERR_NUMERIC,
                           "attack: the network's output is not finite");
        for (int64_t j = 0; j < k; j++)
            c->dlogits[i * k + j] = (float)c->softmax[j];
        right[i] = ascent_first_largest(z, k) == y;
    }
    net_backward(t->net, c->dlogits, NET_GRAD_INPUT);
    memcpy(c->grad, net_input_grad(t->net), (size_t)(c->n * c->image) * sizeof(float));
    return 0;
}

/* Images that are not right any more get their iterate as result and leave. */
static void
drop_broken(struct climb *c, const bool *right)
{
    int64_t left = 0;

    for (int64_t i = 0; i < c->n; i++) {
        if (right[i])
            move_climber(c, left++, i);
        else
            copy_row(c, c->out, c->climbers[i].image, c->at, i);
    }
    c->n = left;
}

static void
keep_best(struct climb *c)
{
    for (int64_t i = 0; i < c->n; i++) {
        struct climber *who = &c->climbers[i];
        if (who->loss <= who->best_loss)
            continue;
        who->best_loss = who->loss;
        copy_row(c, c->best, i, c->at, i);
        copy_row(c, c->best_grad, i, c->grad, i);
    }
}

/* ---- the steps ------------------------------------------------------------------- */

/* x + eps * t / max|t|: a point on the ball's surface. */
static void
set_start(struct climb *c, const float *start)
{
    const float eps = (float)c->config->eps;

    for (int64_t i = 0; i < c->n; i++) {
        const int64_t first = c->climbers[i].image * c->image;
        float top = 0;
        for (int64_t j = 0; j < c->image; j++)
            top = fmaxf(top, fabsf(start[first + j]));
        const float scale = top > 0 ? eps / top : 0;
        for (int64_t j = 0; j < c->image; j++)
            c->at[i * c->image + j] =
                clip(c->x[first + j] + scale * start[first + j], 0, 1);
    }
}

/* z = P(x_k + step * sign(g));
 * x_{k+1} = P(x_k + a (z - x_k) + (1-a) (x_k - x_{k-1})) */
static void
advance(struct climb *c, float a)
{
    const float eps = (float)c->config->eps;

    for (int64_t i = 0; i < c->n; i++) {
        const float *x = c->x + c->climbers[i].image * c->image;
        const float *g = c->grad + i * c->image, step = c->climbers[i].step;
        float *at = c->at + i * c->image, *before = c->before + i * c->image;
        for (int64_t j = 0; j < c->image; j++) {
            const float sign = (float)((g[j] > 0) - (g[j] < 0));
            const float z = project(at[j] + step * sign, x[j], eps);
            const float moved = at[j] + (z - at[j]) * a + (at[j] - before[j]) * (1 - a);
            before[j] = at[j];
            at[j] = project(moved, x[j], eps);
        }
    }
}

/* Conditions 1 and 2 of the paper; a step that does not pay is halved, and its image
 * goes on from where its loss was highest. */
static void
check(struct climb *c, int iterations)
{
    for (int64_t i = 0; i < c->n; i++) {
        struct climber *who = &c->climbers[i];
        const bool few_gains = who->gains <= RHO * iterations;
        const bool stuck =
            !who->halved_last_check && who->loss_last_check >= who->best_loss;
        who->halved_last_check = few_gains || stuck;
        who->loss_last_check = who->best_loss;
        who->gains = 0;
        if (!who->halved_last_check)
            continue;
        who->step /= 2;
        copy_row(c, c->at, i, c->best, i);
        copy_row(c, c->grad, i, c->best_grad, i);
    }
}

/* The first look at a start: the library counts its loss as grown from 0, and its step
 * as halved before. */
static void
begin(struct climb *c)
{
    memcpy(c->before, c->at, (size_t)(c->n * c->image) * sizeof(float));
    memcpy(c->best, c->at, (size_t)(c->n * c->image) * sizeof(float));
    memcpy(c->best_grad, c->grad, (size_t)(c->n * c->image) * sizeof(float));
    for (int64_t i = 0; i < c->n; i++) {
        struct climber *who = &c->climbers[i];
        who->step = 2 * (float)c->config->eps;
        who->best_loss = who->loss_last_check = who->loss;
        who->halved_last_check = true;
        who->loss = 0;
    }
}

static int
iterate(struct climb *c, int k, bool *right, struct err *err)
{
    double *last = xmalloc((size_t)c->n * sizeof *last);

    for (int64_t i = 0; i < c->n; i++)
        last[i] = c->climbers[i].loss;
    advance(c, k == 0 ? 1 : MOMENTUM);
    const int rc = look(c, right, err);
    for (int64_t i = 0; rc == 0 && i < c->n; i++)
        c->climbers[i].gains += c->climbers[i].loss > last[i];
    free(last);
    if (rc != 0)
        return -1;
    drop_broken(c, right);
    keep_best(c);
    return 0;
}

static int
at_least_one(double v)
{
    return v < 1 ? 1 : (int)v;
}

/* Iterations between checks: shares of all iterations, 22, 19, 16, ... of 100. */
static int
climb(struct climb *c, bool *right, struct err *err)
{
    const int steps = c->config->steps;
    const int shortest = at_least_one(0.06 * steps);
    const int decrement = at_least_one(0.03 * steps);
    int interval = at_least_one(0.22 * steps), since = 0;

    begin(c);
    for (int k = 0; k < steps && c->n > 0; k++) {
        if (iterate(c, k, right, err) != 0)
            return -1;
        if (++since < interval)
            continue;
        check(c, since);
        since = 0;
        interval = interval - decrement > shortest ? interval - decrement : shortest;
    }
    return 0;
}

/* Images that are wrong as they are are not attacked. */
static int
run_on(struct climb *c, const float *start, bool *right, struct err *err)
{
    memcpy(c->at, c->x, (size_t)(c->n * c->image) * sizeof(float));
    if (look(c, right, err) != 0)
        return -1;
    drop_broken(c, right);
    if (c->n == 0)
        return 0;
    set_start(c, start);
    if (look(c, right, err) != 0)
        return -1;
    drop_broken(c, right);
    if (climb(c, right, err) != 0)
        return -1;
    for (int64_t i = 0; i < c->n; i++)
        copy_row(c, c->out, c->climbers[i].image, c->best, i);
    return 0;
}

static int
apgd_run(float *out, const float *x, const float *start, int64_t n,
         const struct attack_target *target, const struct attack_config *config,
         struct err *err)
{
    const struct graph_shape image = graph_shape(net_graph(target->net), 0);
    struct climb c = {.target = target,
                      .config = config,
                      .x = x,
                      .out = out,
                      .image = image.c * image.h * image.w};
    bool *right = xcalloc((size_t)n, sizeof *right);
    int rc = -1;

    if (!init(&c, n))
        err_set(err, ERR_OOM, "no memory for a batch of an attack");
    else
        rc = run_on(&c, start, right, err);
    release(&c);
    free(right);
    return rc;
}

const struct attack attack_apgd_ce = {
    .name = "apgd-ce",
    .doc = "100 steps of Auto-PGD against cross entropy; any wrong iterate counts",
    .source = "Croce and Hein, ICML 2020",
    .config = {.eps = 8.0 / 255, .step = 16.0 / 255, .steps = 100},
    .own_step = true,
    .random_start = true,
    .run = apgd_run,
};
