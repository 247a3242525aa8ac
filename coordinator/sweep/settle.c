/*
 * settle.c - rows of the grid -> rows of cells. What holds for many cells is found out
 * once: which presets mean what, which stages are skipped by which values, and which
 * combinations of the values that limits look at are in order.
 */
#include "coordinator/sweep/settle.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/sweep/rowset.h"
#include "coordinator/sweep/skip.h"

/* A value that a preset sets. */
struct preset_value {
    int slot;
    uint32_t number;
    const char *text; /* as the catalogue says it */
};

struct preset {
    struct preset_value *values;
    size_t n;
};

struct settling {
    struct rows *rows;
    const struct binding *b;
    struct space *space;
    const struct bind_context *context;
    const struct yaml_node *root;
    struct preset *presets; /* by the number of the preset slot's value */
    struct skip *skips;     /* a stage */
    size_t *limited;        /* slots that limits and needs read */
    size_t n_limited;
    size_t *all;     /* all slots */
    uint32_t *moves; /* a slot; not 0 where rows of the grid differ */
    bool *skipped;   /* a stage; of the row at hand */
    bool *pattern,
        *used; /* slots that are read when the stages of pattern are skipped */
    struct rowset seen, checked;
    struct err *err;
};

static uint32_t *
row_at(const struct settling *s, size_t i)
{
    return s->rows->items + i * s->space->n;
}

/* ---- presets --------------------------------------------------------------------- */

static const json_t *
find_sets(const struct catalog_presets *presets, const char *name)
{
    for (size_t i = 0; presets->param.choices[i] != NULL; i++)
        if (strcmp(presets->param.choices[i], name) == 0)
            return presets->sets[i];
    return NULL;
}

static int
read_preset(struct settling *s, struct preset *out, const char *name)
{
    const json_t *sets = find_sets(s->space->method->presets, name), *text;
    const char *key;

    out->values = xcalloc(json_object_size(sets) + 1, sizeof *out->values);
    json_object_foreach((json_t *)sets, key, text)
    {
        struct preset_value *v = &out->values[out->n++];
        *v = (struct preset_value){.slot = space_slot(s->space, key),
                                   .text = json_string_value(text)};
        if (space_read(&v->number, s->space, v->slot, v->text, s->err) != 0)
            return -1;
    }
    return 0;
}

/* All presets that the sweep names. */
static int
read_presets(struct settling *s)
{
    if (s->space->preset < 0)
        return 0;
    const struct space_param *p = &s->space->params[s->space->preset];
    s->presets = xcalloc(p->n, sizeof *s->presets);
    for (uint32_t i = 1; i < p->n; i++)
        if (read_preset(s, &s->presets[i], json_string_value(p->values[i].json)) != 0)
            return -1;
    return 0;
}

/* The row's preset, NULL where it has none. */
static const struct preset *
preset_of(const struct settling *s, const uint32_t *row)
{
    if (s->space->preset < 0)
        return NULL;
    return &s->presets[SWEEP_NUMBER(row[s->space->preset])];
}

static int
preset_conflict(const struct settling *s, const uint32_t *row,
                const struct preset_value *v)
{
    const struct space *space = s->space;
    const struct space_param *p = &space->params[v->slot];
    const uint32_t number = SWEEP_NUMBER(row[v->slot]);
    const uint32_t preset = SWEEP_NUMBER(row[space->preset]);
    const struct yaml_node *at = bind_origin(s->b, v->slot, number);

    return yaml_error(
        s->err, at != NULL ? at : s->root,
        "`%s` is %s here, but %s = %s means %s = %s; leave one of them out",
        p->param->name, p->values[number].text,
        space->params[space->preset].param->name,
        json_string_value(space_json(space, (size_t)space->preset, preset)),
        p->param->name, v->text);
}

/* Puts the values that the preset stands for into the row. */
static int
apply_preset(const struct settling *s, uint32_t *row)
{
    const struct preset *preset = preset_of(s, row);

    for (size_t i = 0; preset != NULL && i < preset->n; i++) {
        const struct preset_value *v = &preset->values[i];
        if (!SWEEP_WRITTEN(row[v->slot]))
            row[v->slot] = SWEEP_ENTRY(v->number, 0);
        else if (SWEEP_NUMBER(row[v->slot]) != v->number)
            return preset_conflict(s, row, v);
    }
    return 0;
}

/* ---- defaults and skipped stages ------------------------------------------------- */

static int
fill_defaults(const struct settling *s, uint32_t *row)
{
    for (size_t i = 0; i < s->space->n; i++) {
        const struct space_param *p = &s->space->params[i];
        if (SWEEP_NUMBER(row[i]) == SPACE_ABSENT)
            row[i] = SWEEP_ENTRY(p->dflt, SWEEP_WRITTEN(row[i]));
        if (SWEEP_NUMBER(row[i]) == SPACE_ABSENT && (int)i != s->space->preset)
            return yaml_error(s->err, s->root,
                              "parameter `%s` is missing (%s); put it under `fixed` or "
                              "`grid`",
                              p->param->name, p->param->doc);
    }
    return 0;
}

static void
mark_used(struct settling *s, const struct catalog_stage *stage)
{
    for (size_t i = 0; i < stage->n_params; i++)
        s->used[space_slot(s->space, stage->params[i].name)] = true;
}

/* Brings s->used up to date with s->skipped, which seldom changes. A parameter that
 * decides on skipping stays: without it nobody could tell that the stage is skipped. */
static void
follow_pattern(struct settling *s)
{
    const struct catalog_method *m = s->space->method;

    if (memcmp(s->pattern, s->skipped, m->n_stages * sizeof *s->skipped) == 0)
        return;
    memcpy(s->pattern, s->skipped, m->n_stages * sizeof *s->skipped);
    memset(s->used, 0, s->space->n * sizeof *s->used);
    for (size_t i = 0; i < m->n_stages; i++) {
        if (m->stages[i].skip_param != NULL)
            s->used[space_slot(s->space, m->stages[i].skip_param)] = true;
        if (!s->skipped[i])
            mark_used(s, &m->stages[i]);
    }
}

/* A preset of which no value is used says nothing about the cell. */
static bool
preset_is_used(const struct settling *s, const uint32_t *row)
{
    const struct preset *preset = preset_of(s, row);

    for (size_t i = 0; preset != NULL && i < preset->n; i++)
        if (s->used[preset->values[i].slot])
            return true;
    return false;
}

/* Takes out what only skipped stages read. */
static void
drop_unused(struct settling *s, uint32_t *row)
{
    const struct catalog_method *m = s->space->method;
    bool any = false;

    for (size_t i = 0; i < m->n_stages; i++) {
        s->skipped[i] = skip_holds(&s->skips[i], row);
        any = any || s->skipped[i];
    }
    if (!any)
        return;
    follow_pattern(s);
    if (s->space->preset >= 0)
        s->used[s->space->preset] = preset_is_used(s, row);
    for (size_t i = 0; i < s->space->n; i++)
        if (!s->used[i])
            row[i] = SWEEP_ENTRY(SPACE_ABSENT, 0);
}

/* ---- equal cells ----------------------------------------------------------------- */

struct compared {
    const struct settling *s;
    const uint32_t *row;
    const size_t *slots;
    size_t n;
};

static bool
same_values(const void *ctx, uint32_t other)
{
    const struct compared *c = ctx;
    const uint32_t *row = row_at(c->s, other);

    for (size_t i = 0; i < c->n; i++)
        if (SWEEP_NUMBER(row[c->slots[i]]) != SWEEP_NUMBER(c->row[c->slots[i]]))
            return false;
    return true;
}

/* True when no row of the set has the values of row `index`, which is put into it. Slots
 * in which the grid does not move are not hashed. */
static bool
is_first(struct rowset *set, const struct compared *c, size_t index)
{
    uint64_t hash = ROWSET_HASH;

    for (size_t i = 0; i < c->n; i++)
        if (c->s->moves[c->slots[i]] != 0)
            hash = rowset_hash(hash, SWEEP_NUMBER(c->row[c->slots[i]]));
    return rowset_add(set, hash, (uint32_t)index, same_values, c) == index;
}

/* ---- limits ---------------------------------------------------------------------- */

static void
list_slots(struct settling *s)
{
    s->limited = xcalloc(s->space->n + 1, sizeof *s->limited);
    s->all = xcalloc(s->space->n + 1, sizeof *s->all);
    for (size_t i = 0; i < s->space->n; i++)
        s->all[i] = i;
    for (size_t i = 0; i < s->space->n; i++)
        if (catalog_limits_read(s->context->catalog, s->space->params[i].param->name))
            s->limited[s->n_limited++] = i;
}

static json_t *
limited_values(const struct settling *s, const uint32_t *row)
{
    json_t *values = json_object();

    json_object_set(values, "method", s->space->name);
    for (size_t i = 0; i < s->n_limited; i++) {
        const size_t slot = s->limited[i];
        json_t *v = space_json(s->space, slot, SWEEP_NUMBER(row[slot]));
        if (v != NULL)
            json_object_set(values, s->space->params[slot].param->name, v);
    }
    return values;
}

/* Once for each combination of the values that limits read. */
static int
check_limits(struct settling *s, size_t index)
{
    const uint32_t *row = row_at(s, index);
    const struct compared c = {s, row, s->limited, s->n_limited};
    const struct yaml_node *at = NULL;
    const char *param = NULL;

    if (!is_first(&s->checked, &c, index))
        return 0;
    json_t *values = limited_values(s, row);
    const int rc = catalog_check_limits(s->context->catalog, values, &param, s->err);
    json_decref(values);
    if (rc == 0)
        return 0;
    const int slot = param != NULL ? space_slot(s->space, param) : -1;
    if (slot >= 0)
        at = bind_origin(s->b, slot, SWEEP_NUMBER(row[slot]));
    return yaml_error_wrap(s->err, at != NULL ? at : s->root);
}

/* ---- all ------------------------------------------------------------------------- */

/* The next row that has not been kept yet, `from`, to its place after the n kept. */
static int
settle_row(struct settling *s, size_t from)
{
    const size_t to = s->rows->n;
    uint32_t *row = row_at(s, to);
    const struct compared c = {s, row, s->all, s->space->n};

    if (from != to)
        memcpy(row, row_at(s, from), s->space->n * sizeof *row);
    if (apply_preset(s, row) != 0 || fill_defaults(s, row) != 0)
        return -1;
    drop_unused(s, row);
    if (!is_first(&s->seen, &c, to))
        return 0;
    s->rows->n++;
    return check_limits(s, to);
}

static void
release(struct settling *s)
{
    if (s->presets != NULL)
        for (uint32_t i = 0; i < s->space->params[s->space->preset].n; i++)
            free(s->presets[i].values);
    free(s->presets);
    free(s->skips);
    free(s->limited);
    free(s->all);
    free(s->moves);
    free(s->skipped);
    free(s->pattern);
    free(s->used);
    rowset_release(&s->seen);
    rowset_release(&s->checked);
}

int
settle_rows(struct rows *rows, const struct binding *b,
            const struct bind_context *context, const struct yaml_node *root,
            struct err *err)
{
    struct settling s = {.rows = rows,
                         .b = b,
                         .space = b->space,
                         .context = context,
                         .root = root,
                         .err = err};
    const size_t n = rows->n;
    int rc = read_presets(&s);

    s.skips = skip_read(s.space);
    s.used = xcalloc(s.space->n + 1, sizeof *s.used);
    s.skipped = xcalloc(s.space->method->n_stages + 1, sizeof *s.skipped);
    s.pattern = xcalloc(s.space->method->n_stages + 1, sizeof *s.pattern);
    list_slots(&s);
    s.moves = sweep_differences(rows->items, rows->n, s.space->n);
    rows->n = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = settle_row(&s, i);
    release(&s);
    return rc;
}
