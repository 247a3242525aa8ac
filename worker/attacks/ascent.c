/*
 * ascent.c - the loop of all sign-gradient attacks; see ascent.h. Works in float, in
 * the order of operations of the released code, so that its clips give the same pixels.
 */
#include "worker/attacks/ascent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Fills dlogits (n,classes) row by row; row: scratch of 2 * classes numbers. */
static int
logit_grads(float *dlogits, double *row, const float *logits, int64_t n,
            const struct attack_target *target, ascent_grad_fn *grad, struct err *err)
{
    const int64_t k = target->classes;

    for (int64_t i = 0; i < n; i++) {
        grad(row, row + k, logits + i * k, i, target);
        for (int64_t j = 0; j < k; j++) {
            if (!isfinite(row[j]))
                return err_set(err, ERR_NUMERIC,
                               "attack: the network's output is not finite");
            dlogits[i * k + j] = (float)row[j];
        }
    }
    return 0;
}

int
ascent_run(float *out, const float *x, const float *start, int64_t n,
           const struct attack_target *target, const struct attack_config *config,
           ascent_grad_fn *grad, struct err *err)
{
    const struct graph_shape image = graph_shape(net_graph(target->net), 0);
    const int64_t size = n * image.c * image.h * image.w;
    const int64_t k = target->classes;
    const float eps = (float)config->eps, step = (float)config->step;
    float *dlogits = xmalloc((size_t)(n * k) * sizeof *dlogits);
    double *row = xmalloc((size_t)(2 * k) * sizeof *row);
    int rc = 0;

    set_start(out, x, start, size, eps);
    for (int s = 0; s < config->steps && rc == 0; s++) {
        const float *logits = net_forward(target->net, out, n, NET_EVAL, target->path);
        rc = logit_grads(dlogits, row, logits, n, target, grad, err);
        if (rc != 0)
            break;
        net_backward(target->net, dlogits, NET_GRAD_INPUT);
        climb(out, net_input_grad(target->net), x, size, step, eps);
    }
    free(dlogits);
    free(row);
    return rc;
}
