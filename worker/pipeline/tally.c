/* tally.c - counting right answers. Knows neither attacks nor corruptions. */
#include "worker/pipeline/tally.h"

#include <math.h>
#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/pipeline/stage.h"

void
tally_init(struct tally *t, int64_t classes)
{
    *t = (struct tally){.classes = classes,
                        .class_n = xcalloc((size_t)classes, sizeof *t->class_n),
                        .class_correct =
                            xcalloc((size_t)classes, sizeof *t->class_correct)};
}

void
tally_release(struct tally *t)
{
    free(t->class_n);
    free(t->class_correct);
    *t = (struct tally){0};
}

static int64_t
first_largest(const float *logits, int64_t classes)
{
    int64_t best = 0;

    for (int64_t k = 1; k < classes; k++)
        if (logits[k] > logits[best])
            best = k;
    return best;
}

static int
check_finite(const float *logits, int64_t count, struct err *err)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(logits[i]))
            return err_set(err, ERR_NUMERIC, "a logit is not finite in evaluation");
    return 0;
}

int
tally_add(struct tally *t, const float *logits, const int64_t *y, int64_t n,
          struct err *err)
{
    if (check_finite(logits, n * t->classes, err) != 0)
        return -1;
    for (int64_t i = 0; i < n; i++) {
        const int right = first_largest(logits + i * t->classes, t->classes) == y[i];
        t->class_n[y[i]]++;
        t->class_correct[y[i]] += right;
        t->correct += right;
    }
    t->n += n;
    return 0;
}

int
tally_right(uint8_t *right, const float *logits, int64_t classes, const int64_t *y,
            int64_t n, struct err *err)
{
    if (check_finite(logits, n * classes, err) != 0)
        return -1;
    for (int64_t i = 0; i < n; i++)
        right[i] = first_largest(logits + i * classes, classes) == y[i];
    return 0;
}

double
tally_percent(const struct tally *t)
{
    return t->n > 0 ? 100.0 * (double)t->correct / (double)t->n : 0;
}

int
tally_clean(struct tally *t, struct net *net, int path, struct loader *l,
            struct err *err)
{
    for (int64_t i = 0; i < loader_batches(l); i++) {
        const struct loader_batch b = loader_get(l, 1, i, 0);
        const float *logits = net_forward(net, b.x, b.n, NET_EVAL, path);
        if (tally_add(t, logits, b.y, b.n, err) != 0)
            return -1;
        if (stage_stop_wanted())
            return err_set(err, ERR_STOPPED, "asked to stop during evaluation");
    }
    return 0;
}
