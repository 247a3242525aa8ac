/*
 * measures.c - final metrics of cells in memory. Invariant: a cell that is done and marked
 * as read has the values of its chain, the later job's where two have the same metric.
 */
#include "coordinator/web/measures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

/* ---- which metrics ----------------------------------------------------------------- */

int
measures_index(const struct measures *v, const char *name)
{
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->names[i], name) == 0)
            return (int)i;
    return -1;
}

static void
want(struct measures *v, const char *name)
{
    if (name != NULL && name[0] != '\0' && v->n < MEASURES_MOST
        && measures_index(v, name) < 0)
        v->names[v->n++] = xstrdup(name);
}

static struct measures *
new_measures(const json_t *report, size_t n_cells)
{
    static const char *const always[] = {"relus", "relus_total"};
    struct measures *v = xcalloc(1, sizeof *v);
    json_t *name;
    size_t i;

    for (i = 0; i < sizeof always / sizeof always[0]; i++)
        want(v, always[i]);
    want(v, json_str(report, "x", ""));
    json_array_foreach(json_object_get(report, "y"), i, name)
    {
        want(v, json_string_value(name));
    }
    v->values = xcalloc(n_cells * v->n + 1, sizeof *v->values);
    v->is_read = xcalloc(n_cells + 1, sizeof *v->is_read);
    v->group = xcalloc(n_cells + 1, sizeof *v->group);
    v->example = xcalloc(n_cells + 1, sizeof *v->example);
    return v;
}

void
measures_free(struct measures *v)
{
    if (v == NULL)
        return;
    for (size_t i = 0; i < v->n; i++) {
        free(v->names[i]);
        free(v->units[i]);
        free(v->goals[i]);
    }
    json_decref(v->params);
    free(v->values);
    free(v->is_read);
    free(v->group);
    free(v->example);
    free(v);
}

/* ---- groups ------------------------------------------------------------------------ */

struct grouping {
    struct measures *v;
    json_t *seen; /* digest -> group */
    size_t n, n_cells;
};

static void
add_cell(void *arg, const char *digest)
{
    struct grouping *g = arg;
    const json_t *known = json_object_get(g->seen, digest);

    if (g->n == g->n_cells)
        return;
    if (known == NULL) {
        json_object_set_new(g->seen, digest, json_integer((json_int_t)g->v->n_groups));
        g->v->example[g->v->n_groups++] = g->n;
        known = json_object_get(g->seen, digest);
    }
    g->v->group[g->n++] = (size_t)json_integer_value(known);
}

static int
find_groups(struct measures *v, const struct mirror_sweep *s, struct db *db,
            struct err *err)
{
    struct grouping g = {.v = v, .seen = json_object(), .n_cells = s->n_cells};
    int64_t *cells = xcalloc(s->n_cells + 1, sizeof *cells);
    int rc = db_web_alike(db, s->id, add_cell, &g, err);

    for (size_t i = 0; i < v->n_groups; i++)
        cells[i] = s->cells[v->example[i]];
    if (rc == 0)
        rc = db_web_cell_params(db, cells, v->n_groups, &v->params, err);
    json_decref(g.seen);
    free(cells);
    return rc;
}

/* ---- values ------------------------------------------------------------------------ */

/* A job of a cell whose values are wanted. */
struct wanted {
    int64_t job;
    size_t cell, place;
};

struct reading {
    struct measures *v;
    struct wanted *list; /* by job */
    size_t n, capacity;
    size_t *best; /* [cell][metric]: 1 + place of the job whose value is taken */
};

static int
by_job(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;

    if (x->job != y->job)
        return x->job < y->job ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

static size_t
first_of(const struct reading *r, int64_t job)
{
    size_t lo = 0, hi = r->n;

    while (lo < hi) {
        const size_t middle = lo + (hi - lo) / 2;
        if (r->list[middle].job < job)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

static void
take_value(void *arg, const struct db_web_final *f)
{
    struct reading *r = arg;
    struct measures *v = r->v;
    const int k = measures_index(v, f->name);

    if (k < 0)
        return;
    if (v->units[k] == NULL) {
        v->units[k] = xstrdup(f->unit);
        v->goals[k] = xstrdup(f->goal);
    }
    for (size_t i = first_of(r, f->job); i < r->n && r->list[i].job == f->job; i++) {
        const size_t at = r->list[i].cell * v->n + (size_t)k;
        if (r->list[i].place + 1 < r->best[at])
            continue;
        r->best[at] = r->list[i].place + 1;
        v->values[at] = f->value;
    }
}

/* Cells that are done and were not before; those that no longer are, are forgotten. */
static void
find_wanted(struct reading *r, const struct mirror *m, const struct mirror_sweep *s)
{
    struct measures *v = r->v;

    for (size_t i = 0; i < s->n_cells; i++) {
        const bool done = mirror_cell(m, s, i).is_done;
        if (v->is_read[i] && done)
            continue;
        v->is_read[i] = done;
        for (size_t k = 0; k < v->n; k++)
            v->values[i * v->n + k] = (double)NAN;
        for (size_t k = s->first[i]; done && k < s->first[i + 1]; k++) {
            r->list = xgrow(r->list, &r->capacity, r->n + 1, sizeof *r->list);
            r->list[r->n++] = (struct wanted){
                .job = s->chains[k], .cell = i, .place = k - s->first[i]};
        }
    }
    if (r->n > 0)
        qsort(r->list, r->n, sizeof *r->list, by_job);
}

static int
read_values(struct measures *v, const struct mirror *m, const struct mirror_sweep *s,
            struct db *db, struct err *err)
{
    struct reading r = {.v = v};
    int rc = 0;

    find_wanted(&r, m, s);
    if (r.n > 0) {
        int64_t *jobs = xcalloc(r.n + 1, sizeof *jobs);
        r.best = xcalloc(s->n_cells * v->n + 1, sizeof *r.best);
        for (size_t i = 0; i < r.n; i++)
            jobs[i] = r.list[i].job;
        rc = db_web_finals(db, jobs, r.n, (const char *const *)v->names, v->n,
                           take_value, &r, err);
        free(jobs);
        free(r.best);
    }
    for (size_t i = 0; rc != 0 && i < r.n; i++)
        v->is_read[r.list[i].cell] = false;
    free(r.list);
    return rc;
}

int
measures_find(struct mirror *m, struct mirror_sweep *s, struct db *db,
              const json_t *report, const struct measures **out, struct err *err)
{
    if (s->measures == NULL) {
        struct measures *v = new_measures(report, s->n_cells);
        if (find_groups(v, s, db, err) != 0) {
            measures_free(v);
            return -1;
        }
        s->measures = v;
    }
    *out = s->measures;
    return read_values(s->measures, m, s, db, err);
}
