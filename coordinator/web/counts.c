/* counts.c - a sweep's jobs by state and stage. Pure over the mirror. */
#include "coordinator/web/counts.h"

#include <stdlib.h>

#include "shared/base/mem.h"

struct stage_count {
    int64_t states[MIRROR_WORDS + 1];
    int64_t first; /* job; 0: there is none */
    int64_t n_ok;
    double seconds; /* of those that succeeded */
};

/* By stage; caller frees. */
static struct stage_count *
count(const struct mirror *m, const struct mirror_sweep *s, double *seconds)
{
    struct stage_count *stages = xcalloc(MIRROR_WORDS + 1, sizeof *stages);

    *seconds = 0;
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct mirror_job job = mirror_job(m, s->jobs[i]);
        struct stage_count *c = &stages[job.stage];
        const bool ok = job.state == MIRROR_SUCCEEDED && job.seconds > 0;
        if (c->first == 0)
            c->first = s->jobs[i];
        c->states[job.state]++;
        c->n_ok += ok;
        c->seconds += ok ? (double)job.seconds : 0;
        *seconds += (double)job.seconds;
    }
    return stages;
}

/* {"ready": n, ...} New reference. */
static json_t *
states_json(const struct mirror *m, const int64_t *states)
{
    const struct mirror_words *words = mirror_states(m);
    json_t *doc = json_object();

    for (size_t i = 0; i < words->n; i++)
        if (states[i] > 0)
            json_object_set_new(doc, words->list[i], json_integer(states[i]));
    return doc;
}

void
counts_add(json_t *doc, const struct mirror *m, const struct mirror_sweep *s)
{
    int64_t states[MIRROR_WORDS + 1] = {0};
    double seconds;
    struct stage_count *stages = count(m, s, &seconds);

    for (size_t i = 0; i <= MIRROR_WORDS; i++)
        for (size_t k = 0; k <= MIRROR_WORDS; k++)
            states[k] += stages[i].states[k];
    json_object_set_new(doc, "cells", json_integer((json_int_t)s->n_cells));
    json_object_set_new(doc, "jobs", states_json(m, states));
    json_object_set_new(doc, "hours", json_real(seconds / 3600));
    free(stages);
}

static json_t *
stage_json(const struct mirror *m, const struct stage_count *c, const char *name)
{
    return json_pack(
        "{s:s, s:o, s:o, s:I}", "stage", name, "states", states_json(m, c->states),
        "mean_s", c->n_ok > 0 ? json_real(c->seconds / (double)c->n_ok) : json_null(),
        "n_ok", (json_int_t)c->n_ok);
}

/* The stage whose first job comes next after `after`, MIRROR_WORDS when there is none. */
static size_t
next_stage(const struct stage_count *stages, int64_t after)
{
    size_t best = MIRROR_WORDS;

    for (size_t i = 0; i < MIRROR_WORDS; i++)
        if (stages[i].first > after
            && (best == MIRROR_WORDS || stages[i].first < stages[best].first))
            best = i;
    return best;
}

void
counts_add_stages(json_t *doc, const struct mirror *m, const struct mirror_sweep *s)
{
    const struct mirror_words *words = mirror_stages(m);
    json_t *list = json_array();
    double seconds;
    struct stage_count *stages = count(m, s, &seconds);
    int64_t last = 0;

    for (size_t i; (i = next_stage(stages, last)) < words->n; last = stages[i].first)
        json_array_append_new(list, stage_json(m, &stages[i], words->list[i]));
    json_object_set_new(doc, "stages", list);
    free(stages);
}

int64_t *
counts_in_state(const struct mirror *m, const struct mirror_sweep *s,
                enum mirror_state a, enum mirror_state b, size_t most, size_t *n)
{
    int64_t *list = NULL;
    size_t capacity = 0;

    *n = 0;
    for (size_t i = 0; i < s->n_jobs && *n < most; i++) {
        const uint8_t state = mirror_job(m, s->jobs[i]).state;
        if (state != a && state != b)
            continue;
        list = xgrow(list, &capacity, *n + 1, sizeof *list);
        list[(*n)++] = s->jobs[i];
    }
    return list;
}
