/*
 * expand.c - bound axes -> cells. A cell under construction is a draft: one borrowed
 * value a slot (NULL: absent, takes its default in the end) and whether the file wrote
 * it. Values are interned, so everything here compares pointers.
 */
#include "coordinator/sweep/expand.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct draft {
    json_t **values; /* n slots */
    bool *written;   /* n slots */
};

struct expansion {
    const struct binding *b;
    const struct bind_context *context;
    struct draft *cells;
    size_t n_cells, capacity;
    size_t n_grid;    /* the first cells, those of the grid */
    struct draft now; /* the point where the product stands */
    bool *rule_used;  /* exclude elements that dropped something */
    struct arena mem; /* drafts */
    struct err *err;
};

static size_t
n_slots(const struct expansion *x)
{
    return x->b->space.n;
}

static struct draft
new_draft(struct expansion *x, const struct draft *like)
{
    const size_t n = n_slots(x);
    struct draft d = {arena_alloc(&x->mem, n * sizeof(json_t *)),
                      arena_alloc(&x->mem, n * sizeof(bool))};

    memcpy(d.values, like->values, n * sizeof(json_t *));
    memcpy(d.written, like->written, n * sizeof(bool));
    return d;
}

static void
set_slot(struct draft *d, int slot, json_t *value)
{
    d->values[slot] = value;
    d->written[slot] = value != NULL;
}

static int
add_cell(struct expansion *x, const struct draft *d)
{
    if (x->n_cells >= (size_t)x->context->max_cells)
        return err_set(x->err, ERR_USAGE,
                       "more than %" PRId64 " cells with `include`; raise --max-cells",
                       x->context->max_cells);
    x->cells = xgrow(x->cells, &x->capacity, x->n_cells + 1, sizeof *x->cells);
    x->cells[x->n_cells++] = new_draft(x, d);
    return 0;
}

static bool
is_one_of(const struct values *v, const json_t *value)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i].json == value)
            return true;
    return false;
}

static bool
rule_matches(const struct rule *r, const struct draft *d)
{
    if (r->never || (r->when != NULL && !when_holds(r->when, d->values)))
        return false;
    for (size_t i = 0; i < r->terms.n; i++)
        if (!is_one_of(&r->terms.items[i].values, d->values[r->terms.items[i].slot]))
            return false;
    return true;
}

static bool
excluded(struct expansion *x, const struct draft *d)
{
    for (size_t i = 0; i < x->b->exclude.n; i++) {
        if (!rule_matches(&x->b->exclude.items[i], d))
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
        return excluded(x, &x->now) ? 0 : add_cell(x, &x->now);
    const struct term *t = &terms->items[at];
    if (t->when != NULL && !when_holds(t->when, x->now.values)) {
        set_slot(&x->now, t->slot, NULL);
        return grow_grid(x, at + 1);
    }
    for (size_t i = 0; i < t->values.n; i++) {
        set_slot(&x->now, t->slot, t->values.items[i].json);
        if (grow_grid(x, at + 1) != 0)
            return -1;
    }
    return 0;
}

/* Defaults, then what is fixed. */
static void
start_point(struct expansion *x, struct draft *d)
{
    memcpy(d->values, x->b->space.defaults, n_slots(x) * sizeof(json_t *));
    memset(d->written, 0, n_slots(x) * sizeof(bool));
    for (size_t i = 0; i < x->b->terms.n; i++) {
        const struct term *t = &x->b->terms.items[i];
        if (!t->axis)
            set_slot(d, t->slot, t->values.items[0].json);
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

/* One choice of values for the keys of an include element: pick[i] for terms[i]. */
static int
include_one(struct expansion *x, const struct rule *r, json_t *const *pick)
{
    const struct term *terms = r->terms.items;
    bool found = false;
    struct draft alone;

    for (size_t c = 0; c < x->n_grid; c++) {
        struct draft *cell = &x->cells[c];
        bool agrees = true;
        for (size_t i = 0; agrees && i < r->terms.n; i++)
            agrees = !is_axis(x->b, terms[i].slot)
                     || (cell->written[terms[i].slot]
                         && cell->values[terms[i].slot] == pick[i]);
        for (size_t i = 0; agrees && i < r->terms.n; i++)
            set_slot(cell, terms[i].slot, pick[i]);
        found = found || agrees;
    }
    if (found)
        return 0;
    start_point(x, &x->now);
    alone = new_draft(x, &x->now);
    for (size_t i = 0; i < r->terms.n; i++)
        set_slot(&alone, terms[i].slot, pick[i]);
    return add_cell(x, &alone);
}

/* The product over the values of an element's keys from `at` on. */
static int
include_all(struct expansion *x, const struct rule *r, json_t **pick, size_t at)
{
    if (at == r->terms.n)
        return include_one(x, r, pick);
    const struct values *v = &r->terms.items[at].values;
    for (size_t i = 0; i < v->n; i++) {
        pick[at] = v->items[i].json;
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

/* Steps 1 to 3. Without axes the includes alone are the cells. */
static int
make_drafts(struct expansion *x)
{
    int rc = 0;

    start_point(x, &x->now);
    if (has_axes(x->b) || x->b->include.n == 0)
        rc = grow_grid(x, 0);
    x->n_grid = x->n_cells;
    for (size_t i = 0; rc == 0 && i < x->b->include.n; i++) {
        const struct rule *r = &x->b->include.items[i];
        json_t **pick = xcalloc(r->terms.n + 1, sizeof(json_t *));
        rc = include_all(x, r, pick, 0);
        free(pick);
    }
    return rc;
}

/* ---- drafts -> cells ------------------------------------------------------------- */

static json_t *
draft_json(const struct space *s, const struct draft *d, bool only_written)
{
    json_t *o = json_object();

    json_object_set_new(o, "method", json_string(s->method->name));
    for (size_t i = 0; i < s->n; i++)
        if (d->values[i] != NULL && (d->written[i] || !only_written))
            json_object_set(o, s->params[i]->name, d->values[i]);
    return o;
}

/* The texts that the draft's preset sets, NULL where it has none. */
static const json_t *
preset_sets(const struct space *s, const struct draft *d)
{
    const struct catalog_presets *presets = s->method->presets;

    if (s->preset < 0 || d->values[s->preset] == NULL)
        return NULL;
    const char *name = json_string_value(d->values[s->preset]);
    for (size_t i = 0; presets->param.choices[i] != NULL; i++)
        if (strcmp(presets->param.choices[i], name) == 0)
            return presets->sets[i];
    return NULL;
}

static int
preset_conflict(const struct expansion *x, const struct draft *d, int slot,
                const json_t *text, const struct yaml_node *root)
{
    const struct space *s = &x->b->space;
    const char *param = s->params[slot]->name;
    const struct yaml_node *at = bind_origin(x->b, param, d->values[slot]);
    char *value = json_canonical(d->values[slot]);

    yaml_error(x->err, at != NULL ? at : root,
               "`%s` is %s here, but %s = %s means %s = %s; leave one of them out",
               param, value, s->params[s->preset]->name,
               json_string_value(d->values[s->preset]), param, json_string_value(text));
    free(value);
    return -1;
}

/* Puts the values that the preset stands for into the draft. */
static int
apply_preset(const struct expansion *x, struct draft *d, const struct yaml_node *root)
{
    const struct space *s = &x->b->space;
    const json_t *sets = preset_sets(s, d), *text;
    const char *key;

    json_object_foreach((json_t *)sets, key, text)
    {
        const int slot = space_slot(s, key);
        json_t *value;
        if (space_read(&value, s, slot, json_string_value(text), x->err) != 0)
            return -1;
        if (d->written[slot] && d->values[slot] != value)
            return preset_conflict(x, d, slot, text, root);
        d->values[slot] = value;
    }
    return 0;
}

/* A preset of which no value is used says nothing about the cell. */
static void
mark_preset(const struct space *s, const struct draft *d, bool *used)
{
    const json_t *sets = preset_sets(s, d), *text;
    const char *key;

    json_object_foreach((json_t *)sets, key, text) used[s->preset] =
        used[s->preset] || used[space_slot(s, key)];
}

static void
mark_used(const struct space *s, const struct catalog_stage *stage, bool *used)
{
    for (size_t i = 0; i < stage->n_params; i++)
        used[space_slot(s, stage->params[i].name)] = true;
}

/* Takes out what only skipped stages read. A parameter that decides on skipping stays:
 * without it nobody could tell that the stage is skipped. */
static void
drop_unused(struct expansion *x, struct draft *d, json_t *values)
{
    const struct space *s = &x->b->space;
    bool *used = xcalloc(s->n + 1, sizeof *used), any = false;

    for (size_t i = 0; i < s->method->n_stages; i++)
        any = catalog_stage_skipped(&s->method->stages[i], values) || any;
    for (size_t i = 0; any && i < s->method->n_stages; i++) {
        const struct catalog_stage *stage = &s->method->stages[i];
        if (stage->skip_param != NULL)
            used[space_slot(s, stage->skip_param)] = true;
        if (!catalog_stage_skipped(stage, values))
            mark_used(s, stage, used);
    }
    mark_preset(s, d, used);
    for (size_t i = 0; any && i < s->n; i++) {
        if (used[i])
            continue;
        set_slot(d, (int)i, NULL);
        json_object_del(values, s->params[i]->name);
    }
    free(used);
}

static int
fill_defaults(const struct expansion *x, struct draft *d, const struct yaml_node *root)
{
    const struct space *s = &x->b->space;

    for (size_t i = 0; i < s->n; i++) {
        if (d->values[i] == NULL)
            d->values[i] = s->defaults[i];
        if (d->values[i] == NULL && (int)i != s->preset)
            return yaml_error(x->err, root,
                              "parameter `%s` is missing (%s); put it under `fixed` or "
                              "`grid`",
                              s->params[i]->name, s->params[i]->doc);
    }
    return 0;
}

static int
check_limits(const struct expansion *x, const json_t *values,
             const struct yaml_node *root)
{
    const char *param = NULL;

    if (catalog_check_limits(x->context->catalog, values, &param, x->err) == 0)
        return 0;
    const struct yaml_node *at =
        param != NULL ? bind_origin(x->b, param, json_object_get(values, param)) : NULL;
    return yaml_error_wrap(x->err, at != NULL ? at : root);
}

static size_t
draft_hash(const struct draft *d, size_t n)
{
    uint64_t h = 1469598103934665603u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (uintptr_t)d->values[i]) * 1099511628211u;
    return (size_t)(h ^ (h >> 32));
}

/* True when an equal draft came before; else remembers this one. A bucket holds the
 * index of a draft + 1, 0 where it is free. */
static bool
seen_before(const struct expansion *x, size_t *buckets, size_t n_buckets, size_t index)
{
    const size_t size = n_slots(x) * sizeof(json_t *);
    const struct draft *d = &x->cells[index];
    size_t at = draft_hash(d, n_slots(x)) % n_buckets;

    for (; buckets[at] != 0; at = (at + 1) % n_buckets)
        if (memcmp(x->cells[buckets[at] - 1].values, d->values, size) == 0)
            return true;
    buckets[at] = index + 1;
    return false;
}

static int
finish_cells(struct expansion *x, struct sweep *out, size_t *capacity,
             const struct yaml_node *root)
{
    const struct space *s = &x->b->space;
    const size_t n_buckets = 2 * x->n_cells + 1;
    size_t *buckets = xcalloc(n_buckets, sizeof *buckets);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < x->n_cells; i++) {
        struct draft *d = &x->cells[i];
        if (apply_preset(x, d, root) != 0 || fill_defaults(x, d, root) != 0) {
            rc = -1;
            break;
        }
        json_t *values = draft_json(s, d, false);
        drop_unused(x, d, values);
        if (seen_before(x, buckets, n_buckets, i)) {
            json_decref(values);
            continue;
        }
        rc = check_limits(x, values, root);
        out->cells = xgrow(out->cells, capacity, out->n_cells + 1, sizeof *out->cells);
        out->cells[out->n_cells++] =
            (struct sweep_cell){s->method, values, draft_json(s, d, true)};
    }
    free(buckets);
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
expand_method(struct sweep *out, size_t *capacity, const struct binding *b,
              const struct bind_context *context, const struct yaml_node *root,
              struct err *err)
{
    struct expansion x = {.b = b, .context = context, .err = err};
    const size_t n = b->space.n;

    x.now = (struct draft){arena_alloc(&x.mem, (n + 1) * sizeof(json_t *)),
                           arena_alloc(&x.mem, n + 1)};
    x.rule_used = arena_alloc(&x.mem, b->exclude.n + 1);
    int rc = make_drafts(&x);
    if (rc == 0) {
        note_idle_rules(&x);
        rc = finish_cells(&x, out, capacity, root);
    }
    free(x.cells);
    arena_release(&x.mem);
    return rc;
}
