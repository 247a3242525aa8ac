/*
 * space.c - the parameters of a method as numbered slots. Invariant: two values of a
 * slot are equal exactly when they are the same object.
 */
#include "coordinator/sweep/space.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

int
space_slot(const struct space *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->params[i]->name, name) == 0)
            return (int)i;
    return -1;
}

/* Takes `value`, returns the pool's object equal to it. */
static json_t *
intern(json_t *pool, const char *name, json_t *value)
{
    json_t *known = json_object_get(pool, name);
    char *text = json_canonical(value);

    if (known == NULL) {
        known = json_object();
        json_object_set_new(pool, name, known);
    }
    json_t *same = json_object_get(known, text);
    if (same != NULL)
        json_decref(value);
    else
        json_object_set_new(known, text, value);
    free(text);
    return same != NULL ? same : value;
}

int
space_read(json_t **out, const struct space *s, int slot, const char *text,
           struct err *err)
{
    const struct param *p = s->params[slot];

    if (param_read(out, p, text, err) != 0)
        return -1;
    *out = intern(s->pool, p->name, *out);
    return 0;
}

static void
add_params(struct space *s, const struct catalog_stage *stage, size_t *capacity)
{
    for (size_t i = 0; i < stage->n_params; i++) {
        if (space_slot(s, stage->params[i].name) >= 0)
            continue;
        s->params = xgrow(s->params, capacity, s->n + 1, sizeof *s->params);
        s->params[s->n++] = &stage->params[i];
    }
}

int
space_init(struct space *out, const struct catalog_method *m, json_t *pool,
           struct err *err)
{
    size_t capacity = 0;

    *out = (struct space){.method = m, .pool = pool, .preset = -1};
    for (size_t i = 0; i < m->n_stages; i++)
        add_params(out, &m->stages[i], &capacity);
    if (m->presets != NULL) {
        out->params = xgrow(out->params, &capacity, out->n + 1, sizeof *out->params);
        out->preset = (int)out->n;
        out->params[out->n++] = &m->presets->param;
    }
    out->defaults = xcalloc(out->n + 1, sizeof(json_t *));
    for (size_t i = 0; i < out->n; i++) {
        const char *text = out->params[i]->dflt;
        if (text != NULL && space_read(&out->defaults[i], out, (int)i, text, err) != 0)
            return err_wrap(err, "catalogue, method %s, a default", m->name);
    }
    return 0;
}

void
space_release(struct space *s)
{
    free(s->params);
    free(s->defaults);
    *s = (struct space){0};
}
