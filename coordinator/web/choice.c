/*
 * choice.c - filters over the mirror. Invariant: it chooses what the SQL of db_web_ids
 * chooses, by which actions find their jobs; the test compares them.
 */
#include "coordinator/web/choice.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/web/axis.h"
#include "shared/base/mem.h"

/* ---- conditions on cells ----------------------------------------------------------- */

static bool
is_number(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0'
           && strspn(text, "+-.0123456789eE") == strlen(text);
}

static bool
meets(const char *value, const struct db_web_condition *c)
{
    double x, y;

    if (value[0] == '\0') /* the cell has no such parameter */
        return false;
    if (strcmp(c->op, "=") == 0)
        return strcmp(value, c->value) == 0;
    if (strcmp(c->op, "!=") == 0)
        return strcmp(value, c->value) != 0;
    if (!is_number(value, &x) || !is_number(c->value, &y))
        return false;
    return c->op[0] == '<' ? (c->op[1] == '=' ? x <= y : x < y)
                           : (c->op[1] == '=' ? x >= y : x > y);
}

/* Takes out of `cells` those that do not meet it. */
static int
apply(const struct moment *at, struct mirror_sweep *s, bool *cells,
      const struct db_web_condition *c, struct err *err)
{
    const struct axis *axis;
    json_t *value;
    size_t i;

    if (axis_find(s, at->db, c->name, &axis, err) != 0)
        return -1;
    bool *good = xcalloc(json_array_size(axis->values) + 1, sizeof *good);
    json_array_foreach(axis->values, i, value)
    {
        good[i] = meets(json_string_value(value), c);
    }
    for (i = 0; i < s->n_cells; i++)
        cells[i] = cells[i] && good[axis->codes[i]];
    free(good);
    return 0;
}

static int
by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Which of the sweep's jobs are in a cell that meets all conditions; caller frees. */
static int
find_met(const struct moment *at, struct mirror_sweep *s, const struct db_web_filter *f,
         bool **out, struct err *err)
{
    bool *cells = xcalloc(s->n_cells + 1, sizeof *cells);
    int rc = 0;

    *out = xcalloc(s->n_jobs + 1, sizeof **out);
    memset(cells, true, s->n_cells);
    for (size_t i = 0; rc == 0 && i < f->n_conditions; i++)
        rc = apply(at, s, cells, &f->conditions[i], err);
    for (size_t i = 0; i < s->n_cells; i++)
        for (size_t k = s->first[i]; cells[i] && k < s->first[i + 1]; k++) {
            const int64_t *job =
                bsearch(&s->chains[k], s->jobs, s->n_jobs, sizeof *s->jobs, by_number);
            (*out)[job - s->jobs] = true;
        }
    free(cells);
    return rc;
}

/* ---- jobs -------------------------------------------------------------------------- */

struct choosing {
    const struct mirror *mirror;
    size_t state, stage; /* numbers of words, MIRROR_WORDS: any */
    int64_t after;
    size_t limit, capacity, n;
    int64_t *ids;
};

static void
consider(struct choosing *c, int64_t id)
{
    const struct mirror_job job = mirror_job(c->mirror, id);

    if (id <= c->after || job.state == MIRROR_WORDS
        || (c->state != MIRROR_WORDS && job.state != c->state)
        || (c->stage != MIRROR_WORDS && job.stage != c->stage))
        return;
    c->ids = xgrow(c->ids, &c->capacity, c->n + 1, sizeof *c->ids);
    c->ids[c->n++] = id;
}

/* MIRROR_WORDS for "", which is any; n for a word that no job has. */
static size_t
number_of(const struct mirror_words *w, const char *text)
{
    size_t i = 0;

    if (text[0] == '\0')
        return MIRROR_WORDS;
    while (i < w->n && strcmp(w->list[i], text) != 0)
        i++;
    return i < w->n ? i : MIRROR_WORDS + 1;
}

static struct choosing
start(const struct mirror *m, const struct db_web_filter *f, int64_t after,
      size_t limit)
{
    return (struct choosing){.mirror = m,
                             .state = number_of(mirror_states(m), f->state),
                             .stage = number_of(mirror_stages(m), f->stage),
                             .after = after,
                             .limit = limit};
}

static int
choose_of_sweep(struct choosing *c, const struct moment *at,
                const struct db_web_filter *f, int64_t after, size_t limit,
                struct err *err)
{
    struct mirror_sweep *s;
    bool *met = NULL;
    json_t *texts;
    int rc = 0;

    if (moment_sweep(at, f->sweep, &texts, &s, err) != 0)
        return -1;
    *c = start(at->mirror, f, after, limit);
    if (f->n_conditions > 0)
        rc = find_met(at, s, f, &met, err);
    for (size_t i = 0; rc == 0 && i < s->n_jobs && c->n < limit; i++)
        if (met == NULL || met[i])
            consider(c, s->jobs[i]);
    mirror_done(at->mirror);
    free(met);
    json_decref(texts);
    return rc;
}

static int
choose_of_all(struct choosing *c, const struct moment *at,
              const struct db_web_filter *f, int64_t after, size_t limit,
              struct err *err)
{
    if (mirror_take(at->mirror, at->db, at->name, err) != 0)
        return -1;
    *c = start(at->mirror, f, after, limit);
    for (int64_t id = after + 1; id <= mirror_last(at->mirror) && c->n < limit; id++)
        consider(c, id);
    mirror_done(at->mirror);
    return 0;
}

int
choice_jobs(const struct moment *at, const struct db_web_filter *f, int64_t after,
            size_t limit, int64_t **ids, size_t *n, struct err *err)
{
    struct choosing c = {0};

    *ids = NULL;
    *n = 0;
    if (f->n_chosen > 0 || f->cause[0] != '\0'
        || (f->sweep == 0 && f->n_conditions > 0))
        return db_web_ids(at->db, f, after, (int64_t)limit, ids, n, err);
    if (db_web_check_state(at->db, f->state, err) != 0)
        return -1;
    if ((f->sweep > 0 ? choose_of_sweep : choose_of_all)(&c, at, f, after, limit, err)
        != 0) {
        free(c.ids);
        return -1;
    }
    *ids = c.ids;
    *n = c.n;
    return 0;
}
