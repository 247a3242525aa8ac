/*
 * repeat.c - which jobs of a sweep are done twice. A re-run is of a copy of its stage,
 * whose specs say so; its parents are those of the first run.
 */
#include "coordinator/sweep/repeat.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

/* A number in [0, 1) that the digest gives. */
static double
draw(const char *digest)
{
    char digits[9] = "";

    memcpy(digits, digest, 8);
    return (double)strtoul(digits, NULL, 16) / 4294967296.0;
}

/* The chosen jobs in ascending order; caller frees. */
static uint32_t *
choose(const struct dag *d, double percent, size_t *n)
{
    uint32_t *jobs = xcalloc(d->n_jobs + 1, sizeof *jobs);
    size_t least = 0;

    *n = 0;
    for (size_t i = 0; i < d->n_jobs; i++) {
        if (draw(dag_digest(d, i)) * 100 < percent)
            jobs[(*n)++] = (uint32_t)i;
        if (strcmp(dag_digest(d, i), dag_digest(d, least)) < 0)
            least = i;
    }
    if (*n == 0 && d->n_jobs > 0)
        jobs[(*n)++] = (uint32_t)least;
    return jobs;
}

/* The copy of a stage; made when it is wanted first. */
static struct dag_stage *
repeat_of(struct dag *d, const struct dag_stage *stage)
{
    struct dag_stage *copy = &d->repeats[stage - d->stages];

    if (copy->stage == NULL) {
        *copy = *stage;
        copy->repeat = true;
        copy->text = dagspec_prepare(copy);
    }
    return copy;
}

void
repeat_add(struct dag *d, double percent)
{
    size_t n;

    assert(d->repeats == NULL);
    if (percent <= 0)
        return;
    dag_name_jobs(d);
    uint32_t *jobs = choose(d, percent, &n);
    d->repeats = xcalloc(d->n_stages + 1, sizeof *d->repeats);
    d->jobs = xrealloc(d->jobs, (d->n_jobs + n + 1) * sizeof *d->jobs);
    for (size_t i = 0; i < n; i++) {
        struct dag_job again = d->jobs[jobs[i]];
        again.of = repeat_of(d, again.of);
        d->jobs[d->n_jobs + i] = again;
    }
    d->n_repeats = n;
    d->repeated = jobs;
    d->n_jobs += n;
    free(d->digests); /* with the new ones, all are found again */
    d->digests = NULL;
    d->n_named = 0;
    dag_name_jobs(d);
}
