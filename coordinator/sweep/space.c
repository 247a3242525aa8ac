/*
 * space.c - the parameters of a method as numbered slots. Invariant: two values of a
 * slot are equal exactly when their numbers are.
 */
#include "coordinator/sweep/space.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

int
space_slot(const struct space *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->params[i].param->name, name) == 0)
            return (int)i;
    return -1;
}

/* Takes `value`. */
static uint32_t
intern(struct space_param *p, json_t *value)
{
    char *text = json_canonical(value);
    const uint32_t known = (uint32_t)json_int(p->numbers, text, SPACE_ABSENT);

    if (known != SPACE_ABSENT) {
        json_decref(value);
        free(text);
        return known;
    }
    json_object_set_new(p->numbers, text, json_integer(p->n));
    p->values = xgrow(p->values, &p->capacity, p->n + 1, sizeof *p->values);
    p->values[p->n] = (struct space_value){value, text};
    return p->n++;
}

int
space_read(uint32_t *number, struct space *s, int slot, const char *text,
           struct err *err)
{
    json_t *value;

    if (param_read(&value, s->params[slot].param, text, err) != 0)
        return -1;
    *number = intern(&s->params[slot], value);
    return 0;
}

json_t *
space_json(const struct space *s, size_t slot, uint32_t number)
{
    return s->params[slot].values[number].json;
}

uint32_t
space_find(const struct space *s, int slot, const char *text)
{
    const struct space_param *p = &s->params[slot];

    for (uint32_t i = 1; i < p->n; i++) {
        const char *word = json_string_value(p->values[i].json);
        if (strcmp(word != NULL ? word : p->values[i].text, text) == 0)
            return i;
    }
    return SPACE_ABSENT;
}

static void
add_param(struct space *s, const struct param *param, size_t *capacity)
{
    json_t *name = json_string(param->name);
    char *quoted = json_canonical(name);
    struct space_param *p;

    s->params = xgrow(s->params, capacity, s->n + 1, sizeof *s->params);
    p = &s->params[s->n++];
    *p = (struct space_param){.param = param, .numbers = json_object(), .n = 1};
    p->key = xasprintf("%s:", quoted);
    p->values = xgrow(NULL, &p->capacity, 1, sizeof *p->values);
    p->values[SPACE_ABSENT] = (struct space_value){0};
    free(quoted);
    json_decref(name);
}

/* By insertion: there are some dozens. */
static void
sort_slots(struct space *s)
{
    s->sorted = xcalloc(s->n + 1, sizeof *s->sorted);
    for (size_t i = 0; i < s->n; i++) {
        size_t at = i;
        for (; at > 0
               && strcmp(s->params[s->sorted[at - 1]].param->name,
                         s->params[i].param->name)
                      > 0;
             at--)
            s->sorted[at] = s->sorted[at - 1];
        s->sorted[at] = i;
    }
}

int
space_init(struct space *out, const struct catalog_method *m, struct err *err)
{
    size_t capacity = 0;

    *out = (struct space){.method = m, .name = json_string(m->name), .preset = -1};
    for (size_t i = 0; i < m->n_stages; i++)
        for (size_t k = 0; k < m->stages[i].n_params; k++)
            if (space_slot(out, m->stages[i].params[k].name) < 0)
                add_param(out, &m->stages[i].params[k], &capacity);
    if (m->presets != NULL) {
        out->preset = (int)out->n;
        add_param(out, &m->presets->param, &capacity);
    }
    sort_slots(out);
    for (size_t i = 0; i < out->n; i++) {
        struct space_param *p = &out->params[i];
        if (p->param->dflt != NULL
            && space_read(&p->dflt, out, (int)i, p->param->dflt, err) != 0)
            return err_wrap(err, "catalogue, method %s, a default", m->name);
    }
    return 0;
}

static void
release_param(struct space_param *p)
{
    for (uint32_t i = 1; i < p->n; i++) {
        json_decref(p->values[i].json);
        free(p->values[i].text);
    }
    json_decref(p->numbers);
    free(p->values);
    free(p->key);
}

void
space_release(struct space *s)
{
    for (size_t i = 0; i < s->n; i++)
        release_param(&s->params[i]);
    json_decref(s->name);
    free(s->params);
    free(s->sorted);
    *s = (struct space){0};
}
