/*
 * forms.c - forms by number, and the specs that they make with a job's values. A template
 * is one of SQL's format(): %1$s are the inputs, %2$s and on the values, %% is a percent
 * sign. Must not know which jobs there are.
 */
#include "coordinator/db/forms.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

enum { MAX_KEPT = 4096 }; /* forms; then all are forgotten and read anew */

void
forms_release(struct forms *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->items[i].template);
    free(f->items);
    *f = (struct forms){0};
}

/* Where the form is, or belongs. */
static size_t
place_of(const struct forms *f, int64_t id)
{
    size_t low = 0, high = f->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (f->items[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static const struct form *
find(const struct forms *f, int64_t id)
{
    const size_t i = place_of(f, id);

    return i < f->n && f->items[i].id == id ? &f->items[i] : NULL;
}

static void
add(struct forms *f, int64_t id, const char *template)
{
    const size_t at = place_of(f, id);

    f->items = xgrow(f->items, &f->capacity, f->n + 1, sizeof *f->items);
    memmove(f->items + at + 1, f->items + at, (f->n++ - at) * sizeof *f->items);
    f->items[at] = (struct form){.id = id, .template = xstrdup(template)};
}

/* Those that are missing, each once where equal ones follow one another. */
static size_t
list_missing(const struct forms *f, const int64_t *ids, size_t n, int64_t *out)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        if ((count == 0 || out[count - 1] != ids[i]) && find(f, ids[i]) == NULL)
            out[count++] = ids[i];
    return count;
}

static int
load(struct forms *f, struct pg *pg, const int64_t *ids, size_t n, struct err *err)
{
    struct pg_rows rows;

    if (pg_query_again(pg, &rows,
                       "SELECT id, template FROM job_form WHERE id = ANY($1::bigint[])",
                       PG_ARGS(PG_INTS(ids, n)), err)
        != 0)
        return -1;
    for (int i = 0; i < rows.n; i++)
        add(f, pg_int_at(&rows, i, 0), pg_text_at(&rows, i, 1));
    pg_rows_release(&rows);
    return 0;
}

int
forms_load(struct forms *f, struct pg *pg, const int64_t *ids, size_t n,
           struct err *err)
{
    int64_t *missing = xcalloc(n + 1, sizeof *missing);
    size_t n_missing = list_missing(f, ids, n, missing);
    int rc = 0;

    if (n_missing > 0 && f->n + n_missing > MAX_KEPT) {
        forms_release(f);
        n_missing = list_missing(f, ids, n, missing);
    }
    if (n_missing > 0)
        rc = load(f, pg, missing, n_missing, err);
    free(missing);
    return rc;
}

/* ---- specs ------------------------------------------------------------------------ */

/* Value number i of vals and its length; NULL where there are not so many. */
static const char *
value_at(const char *vals, long i, size_t *size)
{
    while (i-- > 0) {
        vals = strchr(vals, '\t');
        if (vals == NULL)
            return NULL;
        vals++;
    }
    *size = strcspn(vals, "\t");
    return vals;
}

/* What stands for the directive behind a percent sign; returns where the text goes on,
 * NULL where it makes no sense. */
static const char *
fill(struct buf *out, const char *at, const char *inputs, const char *vals)
{
    char *end;
    size_t size;

    if (*at == '%') {
        buf_putc(out, '%');
        return at + 1;
    }
    const long number = strtol(at, &end, 10);
    if (number < 1 || strncmp(end, "$s", 2) != 0)
        return NULL;
    const char *value = number == 1 ? inputs : value_at(vals, number - 2, &size);
    if (value == NULL)
        return NULL;
    buf_add(out, value, number == 1 ? strlen(inputs) : size);
    return end + 2;
}

int
forms_spec(struct buf *out, const struct forms *f, int64_t id, const char *inputs,
           const char *vals, struct err *err)
{
    const struct form *form = find(f, id);
    const char *at = form != NULL ? form->template : NULL;

    while (at != NULL && *at != '\0') {
        const size_t n = strcspn(at, "%");
        buf_add(out, at, n);
        at += n;
        if (*at == '%')
            at = fill(out, at + 1, inputs, vals);
    }
    if (at == NULL)
        return err_set(err, ERR_DATA,
                       "form %" PRId64 " of jobs is missing or does not fit its values",
                       id);
    return 0;
}
