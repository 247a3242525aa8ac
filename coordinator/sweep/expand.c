/*
 * expand.c - bound axes -> rows. Values are numbers of the space, so everything here
 * compares numbers; a slot that is absent takes its default later.
 */
#include "coordinator/sweep/expand.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct expansion {
    const struct binding *b;
    const struct bind_context *context;
    struct rows *rows;
    size_t n_slots;
    size_t n_grid;   /* the first rows, those of the grid */
    uint32_t *now;   /* the point where the product stands */
    bool *rule_used; /* exclude elements that dropped something */
    struct err *err;
};

static void
set_slot(uint32_t *row, int slot, uint32_t number)
{
    row[slot] = SWEEP_ENTRY(number, number != SPACE_ABSENT);
}

static int
add_row(struct expansion *x, const uint32_t *row)
{
    struct rows *r = x->rows;

    if (r->n >= (size_t)x->context->max_cells)
        return err_set(x->err, ERR_USAGE,
                       "more than %" PRId64 " cells with `include`; raise --max-cells",
                       x->context->max_cells);
    r->items = xgrow(r->items, &r->capacity, r->n + 1, x->n_slots * sizeof *r->items);
    memcpy(r->items + r->n++ * x->n_slots, row, x->n_slots * sizeof *row);
    return 0;
}

static bool
is_one_of(const struct values *v, uint32_t number)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i].number == number)
            return true;
    return false;
}

static bool
rule_matches(const struct rule *r, const uint32_t *row)
{
    if (r->never || (r->when != NULL && !when_holds(r->when, row)))
        return false;
    for (size_t i = 0; i < r->terms.n; i++) {
        const struct term *t = &r->terms.items[i];
        if (!is_one_of(&t->values, SWEEP_NUMBER(row[t->slot])))
            return false;
    }
    return true;
}

static bool
excluded(struct expansion *x, const uint32_t *row)
{
    for (size_t i = 0; i < x->b->exclude.n; i++) {
        if (!rule_matches(&x->b->exclude.items[i], row))
            continue;
        x->rule_used[i] = true;
        return true;
    }
    return false;
}

/* The product over terms[at..]. */
static int
grow_grid(struct expansion *x, size_t at)
{
    const struct terms *terms = &x->b->terms;

    while (at < terms->n && !terms->items[at].axis)
        at++;
    if (at == terms->n)
        return excluded(x, x->now) ? 0 : add_row(x, x->now);
    const struct term *t = &terms->items[at];
    if (t->when != NULL && !when_holds(t->when, x->now)) {
        set_slot(x->now, t->slot, SPACE_ABSENT);
        return grow_grid(x, at + 1);
    }
    for (size_t i = 0; i < t->values.n; i++) {
        set_slot(x->now, t->slot, t->values.items[i].number);
        if (grow_grid(x, at + 1) != 0)
            return -1;
    }
    return 0;
}

/* Defaults, then what is fixed. */
static void
start_point(struct expansion *x)
{
    for (size_t i = 0; i < x->n_slots; i++)
        x->now[i] = SWEEP_ENTRY(x->b->space->params[i].dflt, 0);
    for (size_t i = 0; i < x->b->terms.n; i++) {
        const struct term *t = &x->b->terms.items[i];
        if (!t->axis)
            set_slot(x->now, t->slot, t->values.items[0].number);
    }
}

static bool
is_axis(const struct binding *b, int slot)
{
    for (size_t i = 0; i < b->terms.n; i++)
        if (b->terms.items[i].slot == slot)
            return b->terms.items[i].axis;
    return false;
}

/* Do the element's axes have these values in the row? */
static bool
agrees(const struct expansion *x, const struct rule *r, const uint32_t *pick,
       const uint32_t *row)
{
    for (size_t i = 0; i < r->terms.n; i++) {
        const int slot = r->terms.items[i].slot;
        if (is_axis(x->b, slot) && row[slot] != SWEEP_ENTRY(pick[i], 1))
            return false;
    }
    return true;
}

static void
give(const struct rule *r, const uint32_t *pick, uint32_t *row)
{
    for (size_t i = 0; i < r->terms.n; i++)
        set_slot(row, r->terms.items[i].slot, pick[i]);
}

/* One choice of values for the keys of an include element: pick[i] for terms[i]. */
static int
include_one(struct expansion *x, const struct rule *r, const uint32_t *pick)
{
    bool found = false;

    for (size_t c = 0; c < x->n_grid; c++) {
        uint32_t *row = x->rows->items + c * x->n_slots;
        if (!agrees(x, r, pick, row))
            continue;
        give(r, pick, row);
        found = true;
    }
    if (found)
        return 0;
    start_point(x);
    give(r, pick, x->now);
    return add_row(x, x->now);
}

/* The product over the values of an element's keys from `at` on. */
static int
include_all(struct expansion *x, const struct rule *r, uint32_t *pick, size_t at)
{
    if (at == r->terms.n)
        return include_one(x, r, pick);
    const struct values *v = &r->terms.items[at].values;
    for (size_t i = 0; i < v->n; i++) {
        pick[at] = v->items[i].number;
        if (include_all(x, r, pick, at + 1) != 0)
            return -1;
    }
    return 0;
}

static bool
has_axes(const struct binding *b)
{
    for (size_t i = 0; i < b->terms.n; i++)
        if (b->terms.items[i].axis)
            return true;
    return false;
}

/* Without axes the includes alone are the cells. */
static int
make_rows(struct expansion *x)
{
    int rc = 0;

    start_point(x);
    if (has_axes(x->b) || x->b->include.n == 0)
        rc = grow_grid(x, 0);
    x->n_grid = x->rows->n;
    for (size_t i = 0; rc == 0 && i < x->b->include.n; i++) {
        const struct rule *r = &x->b->include.items[i];
        uint32_t *pick = xcalloc(r->terms.n + 1, sizeof *pick);
        rc = include_all(x, r, pick, 0);
        free(pick);
    }
    return rc;
}

static void
note_idle_rules(const struct expansion *x)
{
    char where[512];

    for (size_t i = 0; i < x->b->exclude.n; i++) {
        const struct rule *r = &x->b->exclude.items[i];
        if (x->rule_used[i] || r->never)
            continue;
        char *note = xasprintf("%s: this `exclude` drops nothing",
                               yaml_where(where, sizeof where, r->at));
        json_array_append_new(x->context->notes, json_string(note));
        free(note);
    }
}

int
expand_method(struct rows *out, const struct binding *b,
              const struct bind_context *context, struct err *err)
{
    struct expansion x = {
        .b = b, .context = context, .rows = out, .n_slots = b->space->n, .err = err};

    x.now = xcalloc(x.n_slots + 1, sizeof *x.now);
    x.rule_used = xcalloc(b->exclude.n + 1, sizeof *x.rule_used);
    const int rc = make_rows(&x);
    if (rc == 0)
        note_idle_rules(&x);
    free(x.now);
    free(x.rule_used);
    return rc;
}
