/*
 * mirror.c - jobs and chains in memory. Invariant: what is here was true at one moment of
 * the database that is not before the caller's; a row that was written since the last
 * reading is always read again, one that was not may be.
 */
#include "coordinator/web/mirror.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/web/axis.h"
#include "coordinator/web/measures.h"
#include "shared/base/mem.h"

static const char *const state_words[] = {
    "succeeded", "leased", "failed", "quarantined", "upstream_failed", "cancelled"};

struct mirror {
    pthread_mutex_t lock;
    char *moment;       /* of the last reading, "" before the first */
    int64_t since, end; /* its oldest open and its first unknown transaction */
    struct mirror_words states, stages;
    struct mirror_job *jobs; /* by number */
    size_t n_jobs, capacity;
    struct mirror_sweep **sweeps;
    size_t n_sweeps, sweep_capacity;
};

/* ---- words ------------------------------------------------------------------------- */

static uint8_t
word_number(struct mirror_words *w, const char *text)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->list[i], text) == 0)
            return (uint8_t)i;
    if (w->n < MIRROR_WORDS)
        w->list[w->n++] = xstrdup(text);
    return (uint8_t)(w->n - 1);
}

static void
free_words(struct mirror_words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->list[i]);
}

/* ---- sweeps ------------------------------------------------------------------------ */

static void
free_sweep(struct mirror_sweep *s)
{
    if (s == NULL)
        return;
    axis_free_all(s->axes);
    measures_free(s->measures);
    free(s->cells);
    free(s->first);
    free(s->chains);
    free(s->jobs);
    free(s);
}

struct loading {
    struct mirror_sweep *s;
    size_t n, cell_capacity, first_capacity, capacity;
};

static void
add_link(void *arg, int64_t cell, int64_t job)
{
    struct loading *l = arg;
    struct mirror_sweep *s = l->s;

    if (s->n_cells == 0 || s->cells[s->n_cells - 1] != cell) {
        s->cells = xgrow(s->cells, &l->cell_capacity, s->n_cells + 1, sizeof *s->cells);
        s->first =
            xgrow(s->first, &l->first_capacity, s->n_cells + 2, sizeof *s->first);
        s->cells[s->n_cells] = cell;
        s->first[s->n_cells++] = l->n;
    }
    s->chains = xgrow(s->chains, &l->capacity, l->n + 1, sizeof *s->chains);
    if (job > 0)
        s->chains[l->n++] = job;
    s->first[s->n_cells] = l->n;
}

static int
by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void
find_jobs(struct mirror_sweep *s, size_t n)
{
    s->jobs = xcalloc(n + 1, sizeof *s->jobs);
    if (n == 0)
        return;
    memcpy(s->jobs, s->chains, n * sizeof *s->jobs);
    qsort(s->jobs, n, sizeof *s->jobs, by_number);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || s->jobs[i] != s->jobs[i - 1])
            s->jobs[s->n_jobs++] = s->jobs[i];
}

static int
load_sweep(struct mirror_sweep **out, struct db *db, int64_t sweep, int64_t revision,
           struct err *err)
{
    struct loading l = {.s = xcalloc(1, sizeof *l.s)};

    l.s->id = sweep;
    l.s->revision = revision;
    if (db_web_chains(db, sweep, add_link, &l, err) != 0) {
        free_sweep(l.s);
        return -1;
    }
    find_jobs(l.s, l.n);
    *out = l.s;
    return 0;
}

int
mirror_sweep(struct mirror *m, struct db *db, int64_t sweep, int64_t revision,
             struct mirror_sweep **out, struct err *err)
{
    struct mirror_sweep *fresh;
    size_t i = 0;

    while (i < m->n_sweeps && m->sweeps[i]->id != sweep)
        i++;
    if (i < m->n_sweeps && m->sweeps[i]->revision == revision) {
        *out = m->sweeps[i];
        return 0;
    }
    if (load_sweep(&fresh, db, sweep, revision, err) != 0)
        return -1;
    if (i == m->n_sweeps) {
        m->sweeps =
            xgrow(m->sweeps, &m->sweep_capacity, m->n_sweeps + 1, sizeof(void *));
        m->sweeps[m->n_sweeps++] = NULL;
    }
    free_sweep(m->sweeps[i]);
    *out = m->sweeps[i] = fresh;
    return 0;
}

struct mirror_cell
mirror_cell(const struct mirror *m, const struct mirror_sweep *s, size_t i)
{
    struct mirror_cell c = {.is_done = true};

    for (size_t k = s->first[i]; k < s->first[i + 1]; k++) {
        const uint8_t state = mirror_job(m, s->chains[k]).state;
        c.is_done = c.is_done && state == MIRROR_SUCCEEDED;
        c.has_failed =
            c.has_failed || (state >= MIRROR_FAILED && state < MIRROR_FIRST_OTHER);
        c.is_running = c.is_running || state == MIRROR_LEASED;
    }
    return c;
}

/* ---- jobs -------------------------------------------------------------------------- */

static void
set_stage(void *arg, int64_t job, const char *stage)
{
    struct mirror *m = arg;
    const size_t n = (size_t)job + 1;

    if (job < 0)
        return;
    m->jobs = xgrow(m->jobs, &m->capacity, n, sizeof *m->jobs);
    for (; m->n_jobs < n; m->n_jobs++)
        m->jobs[m->n_jobs] =
            (struct mirror_job){.state = MIRROR_WORDS, .stage = MIRROR_WORDS};
    m->jobs[job].stage = word_number(&m->stages, stage);
}

static void
set_fact(void *arg, int64_t job, const char *state, double seconds)
{
    struct mirror *m = arg;

    if (job < 0 || (size_t)job >= m->n_jobs)
        return;
    m->jobs[job].state = word_number(&m->states, state);
    m->jobs[job].seconds = (float)seconds;
}

/* "oldest open:first unknown:open ones in between" */
static void
read_moment(const char *moment, int64_t *since, int64_t *end)
{
    char *colon;

    *since = strtoll(moment, &colon, 10);
    *end = *colon == ':' ? strtoll(colon + 1, NULL, 10) : 0;
}

static int
refresh(struct mirror *m, struct db *db, const char *moment, struct err *err)
{
    const int64_t last = m->n_jobs > 0 ? (int64_t)m->n_jobs - 1 : 0;
    int64_t since, end;

    read_moment(moment, &since, &end);
    if (strcmp(moment, m->moment) == 0 || end < m->end)
        return 0;
    if (db_web_stages(db, last, set_stage, m, err) != 0
        || db_web_facts(db, m->since, set_fact, m, err) != 0)
        return -1;
    free(m->moment);
    m->moment = xstrdup(moment);
    m->since = since;
    m->end = end;
    return 0;
}

int
mirror_take(struct mirror *m, struct db *db, const char *moment, struct err *err)
{
    pthread_mutex_lock(&m->lock);
    if (refresh(m, db, moment, err) == 0)
        return 0;
    pthread_mutex_unlock(&m->lock);
    return -1;
}

void
mirror_done(struct mirror *m)
{
    pthread_mutex_unlock(&m->lock);
}

struct mirror_job
mirror_job(const struct mirror *m, int64_t job)
{
    if (job >= 0 && (size_t)job < m->n_jobs)
        return m->jobs[job];
    return (struct mirror_job){.state = MIRROR_WORDS, .stage = MIRROR_WORDS};
}

int64_t
mirror_last(const struct mirror *m)
{
    return (int64_t)m->n_jobs - 1;
}

const struct mirror_words *
mirror_states(const struct mirror *m)
{
    return &m->states;
}

const struct mirror_words *
mirror_stages(const struct mirror *m)
{
    return &m->stages;
}

/* ---- all of it --------------------------------------------------------------------- */

struct mirror *
mirror_new(void)
{
    struct mirror *m = xcalloc(1, sizeof *m);

    pthread_mutex_init(&m->lock, NULL);
    m->moment = xstrdup("");
    for (size_t i = 0; i < MIRROR_FIRST_OTHER; i++)
        word_number(&m->states, state_words[i]);
    return m;
}

void
mirror_free(struct mirror *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n_sweeps; i++)
        free_sweep(m->sweeps[i]);
    free(m->sweeps);
    free(m->jobs);
    free_words(&m->states);
    free_words(&m->stages);
    free(m->moment);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
