/* others.c - settings side by side along one axis. Compares no numbers. */
#include "coordinator/report/others.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/report/facet.h"
#include "coordinator/report/group.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "shared/base/mem.h"

static bool
is_compared(const json_t *group, const char *axis)
{
    return !group_is_reference(group)
           && json_object_get(json_object_get(group, "params"), axis) != NULL;
}

/* ---- values ---------------------------------------------------------------------- */

static int
by_text(const void *a, const void *b)
{
    return strverscmp(((const struct others_value *)a)->text,
                      ((const struct others_value *)b)->text);
}

static size_t
value_index(const struct others *o, const json_t *value)
{
    size_t i = 0;

    while (i < o->n_values && !json_equal(o->values[i].first, value))
        i++;
    return i;
}

static void
find_values(struct others *o, const json_t *report, const json_t *facet,
            const char *axis)
{
    const size_t n = facet_n_groups(facet);

    o->values = xcalloc(n + 1, sizeof *o->values);
    for (size_t i = 0; i < n; i++) {
        const json_t *group = facet_group(report, facet, i);
        const json_t *value = json_object_get(json_object_get(group, "params"), axis);
        struct buf text = {0};
        if (!is_compared(group, axis) || value_index(o, value) < o->n_values)
            continue;
        number_param(&text, value);
        o->values[o->n_values++] = (struct others_value){buf_take(&text), value};
    }
    qsort(o->values, o->n_values, sizeof *o->values, by_text);
}

/* ---- rows ------------------------------------------------------------------------ */

/* Parameters of a group but for the axis, as a key. Caller frees. */
static char *
key_of(const json_t *group, const char *axis)
{
    json_t *params = json_copy(json_object_get(group, "params"));

    json_object_del(params, axis);
    char *key = json_canonical(params);
    json_decref(params);
    return key;
}

static void
add_group(struct others *o, json_t *rows, const json_t *group, const char *axis)
{
    const json_t *value = json_object_get(json_object_get(group, "params"), axis);
    char *key = key_of(group, axis);
    json_t *index = json_object_get(rows, key);

    if (index == NULL) {
        o->groups = xgrow(o->groups, &o->capacity, (o->n_rows + 1) * o->n_values,
                          sizeof *o->groups);
        memset(o->groups + o->n_rows * o->n_values, 0, o->n_values * sizeof *o->groups);
        index = json_integer((json_int_t)o->n_rows++);
        json_object_set_new(rows, key, index);
    }
    o->groups[(size_t)json_integer_value(index) * o->n_values + value_index(o, value)] =
        group;
    free(key);
}

/* Drops rows with a single setting. */
static void
keep_comparisons(struct others *o)
{
    size_t kept = 0;

    for (size_t r = 0; r < o->n_rows; r++) {
        const json_t **row = o->groups + r * o->n_values;
        size_t n = 0;
        for (size_t v = 0; v < o->n_values; v++)
            n += row[v] != NULL;
        if (n > 1)
            memmove(o->groups + kept++ * o->n_values, row, o->n_values * sizeof *row);
    }
    o->n_rows = kept;
}

void
others_init(struct others *o, const json_t *report, const json_t *facet,
            const char *axis)
{
    json_t *rows = json_object();

    *o = (struct others){0};
    find_values(o, report, facet, axis);
    for (size_t i = 0; i < facet_n_groups(facet); i++) {
        const json_t *group = facet_group(report, facet, i);
        if (is_compared(group, axis))
            add_group(o, rows, group, axis);
    }
    keep_comparisons(o);
    json_decref(rows);
}

void
others_release(struct others *o)
{
    for (size_t i = 0; i < o->n_values; i++)
        free(o->values[i].text);
    free(o->values);
    free(o->groups);
    *o = (struct others){0};
}

const json_t *
others_first(const struct others *o, size_t row)
{
    const json_t *const *groups = (const json_t *const *)o->groups + row * o->n_values;

    while (*groups == NULL)
        groups++;
    return *groups;
}

json_t *
others_axes(const json_t *facet, const char *axis)
{
    json_t *axes = json_array(), *name;
    size_t i;

    json_array_foreach(json_object_get(facet, "varying"), i, name)
    {
        if (strcmp(json_string_value(name), axis) != 0)
            json_array_append(axes, name);
    }
    return axes;
}

bool
others_is_compared(const char *axis)
{
    return strcmp(axis, label_budget) != 0 && strcmp(axis, label_evaluate) != 0;
}
