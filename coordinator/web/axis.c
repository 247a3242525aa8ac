/* axis.c - parameters of cells as small numbers. */
#include "coordinator/web/axis.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

enum { MOST_AXES = 24 };

struct reading {
    struct axis *axis;
    json_t *seen; /* text -> index */
    size_t n, n_cells;
};

static void
add_value(void *arg, const char *value)
{
    struct reading *r = arg;
    const json_t *known = json_object_get(r->seen, value);

    if (r->n == r->n_cells)
        return;
    if (known == NULL) {
        const json_int_t next = (json_int_t)json_array_size(r->axis->values);
        json_object_set_new(r->seen, value, json_integer(next));
        json_array_append_new(r->axis->values, json_string(value));
        known = json_object_get(r->seen, value);
    }
    r->axis->codes[r->n++] = (size_t)json_integer_value(known);
}

static struct axis *
new_axis(const char *name, size_t n_cells)
{
    struct axis *a = xcalloc(1, sizeof *a);

    a->name = xstrdup(name);
    a->codes = xcalloc(n_cells + 1, sizeof *a->codes);
    a->values = json_array();
    return a;
}

static void
free_axis(struct axis *a)
{
    free(a->name);
    free(a->codes);
    json_decref(a->values);
    free(a);
}

static int
read_axis(struct mirror_sweep *s, struct db *db, struct axis *a, struct err *err)
{
    struct reading r = {.axis = a, .seen = json_object(), .n_cells = s->n_cells};
    int rc = 0;

    if (a->name[0] == '\0')
        json_array_append_new(a->values, json_string(""));
    else
        rc = db_web_axis(db, s->id, a->name, add_value, &r, err);
    if (json_array_size(a->values) == 0)
        json_array_append_new(a->values, json_string(""));
    json_decref(r.seen);
    return rc;
}

/* Whatever names people ask for, they are not kept for ever. */
static void
drop_oldest(struct mirror_sweep *s)
{
    struct axis **last = &s->axes;
    size_t n = 1;

    for (; (*last)->next != NULL; n++)
        last = &(*last)->next;
    if (n <= MOST_AXES)
        return;
    free_axis(*last);
    *last = NULL;
}

int
axis_find(struct mirror_sweep *s, struct db *db, const char *name,
          const struct axis **out, struct err *err)
{
    for (*out = s->axes; *out != NULL; *out = (*out)->next)
        if (strcmp((*out)->name, name) == 0)
            return 0;
    struct axis *a = new_axis(name, s->n_cells);
    if (read_axis(s, db, a, err) != 0) {
        free_axis(a);
        return -1;
    }
    a->next = s->axes;
    s->axes = a;
    drop_oldest(s);
    *out = a;
    return 0;
}

void
axis_free_all(struct axis *first)
{
    for (struct axis *next; first != NULL; first = next) {
        next = first->next;
        free_axis(first);
    }
}
