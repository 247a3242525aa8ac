/*
 * cells.c - how the cells of a sweep are kept and read. Invariant: a column is a slot in
 * which at least two cells of the part differ.
 */
#include <stdlib.h>
#include <string.h>

#include "coordinator/sweep/sweep.h"
#include "shared/base/mem.h"

/* ---- making ---------------------------------------------------------------------- */

uint32_t *
sweep_differences(const uint32_t *rows, size_t n, size_t n_slots)
{
    uint32_t *differs = xcalloc(n_slots + 1, sizeof *differs);

    for (size_t i = 1; i < n; i++)
        for (size_t slot = 0; slot < n_slots; slot++)
            differs[slot] |= rows[i * n_slots + slot] ^ rows[slot];
    return differs;
}

/* Moves the columns of each row together, to the front of the same memory. */
static void
keep_columns(struct sweep_part *p)
{
    const size_t n_slots = p->space.n, n = p->n_columns;

    for (size_t i = 0; i < p->n; i++)
        for (size_t c = 0; c < n; c++)
            p->rows[i * n + c] = p->rows[i * n_slots + p->columns[c]];
    p->rows = xrealloc(p->rows, (p->n * n + 1) * sizeof *p->rows);
}

void
sweep_add_part(struct sweep *s, struct space *space, uint32_t *rows, size_t n)
{
    struct sweep_part p = {.space = *space, .first = s->n_cells, .n = n, .rows = rows};

    *space = (struct space){0};
    p.base = xcalloc(p.space.n + 1, sizeof *p.base);
    p.columns = xcalloc(p.space.n + 1, sizeof *p.columns);
    p.column_of = xcalloc(p.space.n + 1, sizeof *p.column_of);
    if (n > 0)
        memcpy(p.base, rows, p.space.n * sizeof *rows);
    uint32_t *differs = sweep_differences(rows, n, p.space.n);
    for (size_t i = 0; i < p.space.n; i++) {
        p.column_of[i] = differs[i] != 0 ? (int)p.n_columns : -1;
        if (differs[i] != 0)
            p.columns[p.n_columns++] = i;
    }
    free(differs);
    keep_columns(&p);
    s->parts = xrealloc(s->parts, (s->n_parts + 1) * sizeof *s->parts);
    s->parts[s->n_parts++] = p;
    s->n_cells += n;
}

void
sweep_release_part(struct sweep_part *p)
{
    space_release(&p->space);
    free(p->base);
    free(p->columns);
    free(p->column_of);
    free(p->rows);
}

void
sweep_free(struct sweep *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n_parts; i++)
        sweep_release_part(&s->parts[i]);
    free(s->parts);
    json_decref(s->axes);
    json_decref(s->report);
    json_decref(s->policy);
    json_decref(s->notes);
    free(s->name);
    free(s->title);
    free(s->path);
    free(s->text);
    free(s->sets);
    free(s);
}

/* ---- reading --------------------------------------------------------------------- */

const struct sweep_part *
sweep_part_of(const struct sweep *s, size_t cell)
{
    const struct sweep_part *p = s->parts;

    while (cell >= p->first + p->n)
        p++;
    return p;
}

/* Number of the slot's value, SPACE_ABSENT where it is not wanted. */
static uint32_t
number_at(const struct sweep_part *p, size_t cell, size_t slot, bool only_written)
{
    const uint32_t e = sweep_at(p, cell - p->first, slot);

    return only_written && !SWEEP_WRITTEN(e) ? SPACE_ABSENT : SWEEP_NUMBER(e);
}

const json_t *
sweep_value(const struct sweep *s, size_t cell, const char *name, bool only_written)
{
    const struct sweep_part *p = sweep_part_of(s, cell);
    const int slot = space_slot(&p->space, name);

    if (strcmp(name, "method") == 0)
        return p->space.name;
    if (slot < 0)
        return NULL;
    return space_json(&p->space, (size_t)slot,
                      number_at(p, cell, (size_t)slot, only_written));
}

static void
put_method(struct buf *out, const struct space *space)
{
    char *name = json_canonical(space->name);

    buf_printf(out, "\"method\":%s,", name);
    free(name);
}

/* Which slots a text is about. */
enum wanted { ALL_SLOTS, SHARED_SLOTS, OWN_SLOTS };

static bool
is_wanted(const struct sweep_part *p, size_t slot, enum wanted wanted)
{
    return wanted == ALL_SLOTS || (p->column_of[slot] >= 0) == (wanted == OWN_SLOTS);
}

/* The canonical text of an object of these slots; "method" is shared. */
static void
put_text(struct buf *out, const struct sweep *s, size_t cell, bool only_written,
         enum wanted wanted)
{
    const struct sweep_part *p = sweep_part_of(s, cell);
    bool method = wanted == OWN_SLOTS;

    buf_putc(out, '{');
    for (size_t i = 0; i < p->space.n; i++) {
        const size_t slot = p->space.sorted[i];
        const struct space_param *q = &p->space.params[slot];
        const uint32_t number = number_at(p, cell, slot, only_written);
        if (!method && strcmp(q->param->name, "method") > 0) {
            put_method(out, &p->space);
            method = true;
        }
        if (number == SPACE_ABSENT || !is_wanted(p, slot, wanted))
            continue;
        buf_puts(out, q->key);
        buf_puts(out, q->values[number].text);
        buf_putc(out, ',');
    }
    if (!method)
        put_method(out, &p->space);
    if (out->data[out->len - 1] == ',')
        out->len--;
    buf_putc(out, '}');
}

void
sweep_cell_text(struct buf *out, const struct sweep *s, size_t cell, bool only_written)
{
    put_text(out, s, cell, only_written, ALL_SLOTS);
}

void
sweep_form_text(struct buf *out, const struct sweep *s, size_t cell, bool only_written)
{
    put_text(out, s, cell, only_written, SHARED_SLOTS);
}

void
sweep_own_text(struct buf *out, const struct sweep *s, size_t cell)
{
    put_text(out, s, cell, false, OWN_SLOTS);
}

/* What of an entry decides on the form. */
static uint32_t
kind_of(uint32_t entry)
{
    return SWEEP_ENTRY(SWEEP_NUMBER(entry) != SPACE_ABSENT, SWEEP_WRITTEN(entry));
}

bool
sweep_same_form(const struct sweep *s, size_t a, size_t b)
{
    const struct sweep_part *p = sweep_part_of(s, a);

    if (p != sweep_part_of(s, b))
        return false;
    const uint32_t *x = &p->rows[(a - p->first) * p->n_columns];
    const uint32_t *y = &p->rows[(b - p->first) * p->n_columns];
    for (size_t c = 0; c < p->n_columns; c++)
        if (kind_of(x[c]) != kind_of(y[c]))
            return false;
    return true;
}

size_t
sweep_unwritten(const char **names, const struct sweep *s, size_t cell)
{
    const struct sweep_part *p = sweep_part_of(s, cell);
    size_t n = 0;

    for (size_t c = 0; c < p->n_columns; c++) {
        const uint32_t entry = p->rows[(cell - p->first) * p->n_columns + c];
        if (SWEEP_NUMBER(entry) != SPACE_ABSENT && !SWEEP_WRITTEN(entry))
            names[n++] = p->space.params[p->columns[c]].param->name;
    }
    return n;
}

json_t *
sweep_cell_json(const struct sweep *s, size_t cell, bool only_written)
{
    const struct sweep_part *p = sweep_part_of(s, cell);
    json_t *o = json_object();

    json_object_set(o, "method", p->space.name);
    for (size_t i = 0; i < p->space.n; i++) {
        const uint32_t number = number_at(p, cell, i, only_written);
        if (number != SPACE_ABSENT)
            json_object_set(o, p->space.params[i].param->name,
                            space_json(&p->space, i, number));
    }
    return o;
}
