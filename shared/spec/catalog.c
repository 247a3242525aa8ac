/*
 * catalog.c - the C form of a catalogue document. Invariant: a struct catalog that came
 * out of catalog_read without error has unique names, stages in an order that respects
 * `after`, defaults that can be read, and one declaration for each parameter of a
 * method; so nothing later has to check again. Strings are borrowed from the document.
 * Must not know any method, model or data set.
 */
#include "shared/spec/catalog.h"
#include "shared/base/word.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

/* ---- reading ---------------------------------------------------------------------- */

static int
check_name(const char *name, const char *what, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-";
    const size_t n = strlen(name);

    if (n == 0 || n > NAME_MAX_BYTES || strspn(name, allowed) != n)
        return err_set(err, ERR_DATA, "catalogue: `%.80s` cannot be the name of a %s",
                       name, what);
    return 0;
}

static int
need_name(const char **out, const json_t *obj, const char *what, struct err *err)
{
    if (json_need_string(out, obj, "name", what, err) != 0)
        return err_wrap(err, "catalogue");
    return check_name(*out, what, err);
}

static int
read_after(struct catalog_stage *s, const struct catalog_method *m, const json_t *names,
           struct arena *mem, struct err *err)
{
    s->n_after = json_array_size(names);
    s->after = arena_alloc(mem, (s->n_after + 1) * sizeof *s->after);
    for (size_t i = 0; i < s->n_after; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name == NULL || catalog_find_stage(m, name) == NULL)
            return err_set(
                err, ERR_DATA,
                "catalogue: stage %s of method %s comes after `%.64s`, which "
                "is no stage before it",
                s->name, m->name, name != NULL ? name : "?");
        s->after[i] = name;
    }
    return 0;
}

/* `skip_when` or `only_when`: one parameter and the text of a value. */
static int
read_condition(const char **param, const char **text, const struct catalog_stage *s,
               const json_t *row, const char *key, struct err *err)
{
    json_t *when = json_object_get(row, key);
    void *first = json_object_iter(when);

    if (when == NULL)
        return 0;
    *param = json_object_iter_key(first);
    *text = json_string_value(json_object_iter_value(first));
    if (json_object_size(when) == 1 && *text != NULL)
        return 0;
    return err_set(err, ERR_DATA,
                   "catalogue: `%s` of stage %s must name a parameter and a text", key,
                   s->name);
}

static int
check_condition(const struct catalog_method *m, const struct catalog_stage *s,
                const char *param, struct err *err)
{
    if (param == NULL || catalog_find_param(m, param) != NULL)
        return 0;
    return err_set(err, ERR_DATA,
                   "catalogue: `skip_when` or `only_when` of stage %s is about `%s`, "
                   "which is no parameter of method %s",
                   s->name, param, m->name);
}

/* One choice of the presets, whose values must be values of the method's parameters. */
static int
check_preset(const struct catalog_method *m, const char *name, const json_t *sets,
             struct err *err)
{
    const char *key;
    const json_t *text;

    json_object_foreach((json_t *)sets, key, text)
    {
        const struct param *p = catalog_find_param(m, key);
        json_t *value = NULL;
        if (p == NULL || !json_is_string(text))
            return err_set(err, ERR_DATA,
                           "catalogue: preset `%.80s` of method %s sets `%.80s`, which "
                           "is no parameter",
                           name, m->name, key);
        if (param_read(&value, p, json_string_value(text), err) != 0) {
            err->kind = ERR_DATA;
            return err_wrap(err, "catalogue: preset `%.80s`", name);
        }
        json_decref(value);
    }
    return 0;
}

static int
read_presets(struct catalog_method *m, const json_t *row, struct arena *mem,
             struct err *err)
{
    const json_t *choices = json_object_get(row, "choices");
    const size_t n = json_array_size(choices);
    struct catalog_presets *presets = arena_alloc(mem, sizeof *presets);
    const char **names = arena_alloc(mem, (n + 1) * sizeof *names), *name;

    if (row == NULL)
        return 0;
    if (json_need_string(&name, row, "param", "presets", err) != 0
        || check_name(name, "parameter", err) != 0)
        return -1;
    if (catalog_find_param(m, name) != NULL)
        return err_set(err, ERR_DATA, "catalogue: method %s has `%s` twice", m->name,
                       name);
    presets->param = (struct param){.name = name,
                                    .type = PARAM_CHOICE,
                                    .choices = names,
                                    .doc = json_str(row, "doc", "")};
    presets->sets = arena_alloc(mem, (n + 1) * sizeof(json_t *));
    for (size_t i = 0; i < n; i++) {
        const json_t *choice = json_array_get(choices, i);
        if (json_need_string(&names[i], choice, "name", "preset", err) != 0)
            return -1;
        presets->sets[i] = json_object_get(choice, "sets");
        if (check_preset(m, names[i], presets->sets[i], err) != 0)
            return -1;
    }
    m->presets = presets;
    return 0;
}

static int
check_conditions(const struct catalog_method *m, struct err *err)
{
    for (size_t i = 0; i < m->n_stages; i++) {
        const struct catalog_stage *s = &m->stages[i];
        if (check_condition(m, s, s->skip_param, err) != 0
            || check_condition(m, s, s->only_param, err) != 0)
            return -1;
    }
    return 0;
}

static int
check_default(const struct catalog_stage *s, const struct param *p, struct err *err)
{
    json_t *value = NULL;

    if (p->dflt == NULL)
        return 0;
    if (param_read(&value, p, p->dflt, err) != 0) {
        err->kind = ERR_DATA;
        return err_wrap(err, "catalogue: default of stage %s", s->name);
    }
    json_decref(value);
    return 0;
}

static int
same_words(const char *const *a, const char *const *b)
{
    size_t i = 0;

    while (a[i] != NULL && b[i] != NULL && strcmp(a[i], b[i]) == 0)
        i++;
    return a[i] == NULL && b[i] == NULL;
}

static int
same_default(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Compares what decides a value; sentences may differ between stages. */
static int
same_param(const struct param *a, const struct param *b)
{
    return a->type == b->type && a->min == b->min && a->max == b->max
           && same_default(a->dflt, b->dflt) && same_words(a->choices, b->choices);
}

static int
check_params(const struct catalog_stage *s, const struct catalog_method *m,
             struct err *err)
{
    for (size_t i = 0; i < s->n_params; i++) {
        const struct param *p = &s->params[i];
        const struct param *earlier = catalog_find_param(m, p->name);
        if (check_name(p->name, "parameter", err) != 0 || check_default(s, p, err) != 0)
            return -1;
        if (param_find(s->params, i, p->name) != NULL)
            return err_set(err, ERR_DATA, "catalogue: stage %s has `%s` twice", s->name,
                           p->name);
        if (earlier != NULL && !same_param(p, earlier))
            return err_set(err, ERR_DATA,
                           "catalogue: stages of method %s declare `%s` differently",
                           m->name, p->name);
    }
    return 0;
}

/* Rows with one name each, and texts in `when`. */
static int
check_gives(const struct catalog_stage *s, struct err *err)
{
    for (size_t i = 0; i < json_array_size(s->gives); i++) {
        const json_t *row = json_array_get(s->gives, i);
        const char *metric = json_str(row, "metric", NULL);
        const char *artifact = json_str(row, "artifact", NULL);
        const json_t *when = json_object_get(row, "when");
        if ((metric == NULL) == (artifact == NULL)
            || (when != NULL && !json_is_object(when)))
            return err_set(err, ERR_DATA,
                           "catalogue: row %zu of what stage %s gives is neither a "
                           "metric nor an artifact",
                           i + 1, s->name);
    }
    return 0;
}

/* m->n_stages counts the stages before this one. */
static int
read_stage(struct catalog_stage *s, const struct catalog_method *m, const json_t *row,
           struct arena *mem, struct err *err)
{
    if (need_name(&s->name, row, "stage", err) != 0)
        return -1;
    if (catalog_find_stage(m, s->name) != NULL)
        return err_set(err, ERR_DATA, "catalogue: method %s has stage %s twice",
                       m->name, s->name);
    s->doc = json_str(row, "doc", "");
    s->work = json_object_get(row, "work");
    s->gives = json_object_get(row, "gives");
    s->revision = json_int(row, "revision", 0);
    if (s->revision < 1)
        return err_set(err, ERR_DATA,
                       "catalogue: stage %s needs a revision of 1 or more", s->name);
    if (check_gives(s, err) != 0
        || read_after(s, m, json_object_get(row, "after"), mem, err) != 0
        || param_table_from_json(&s->params, &s->n_params,
                                 json_object_get(row, "params"), mem, err)
               != 0
        || check_params(s, m, err) != 0)
        return -1;
    if (read_condition(&s->skip_param, &s->skip_value, s, row, "skip_when", err) != 0)
        return -1;
    return read_condition(&s->only_param, &s->only_value, s, row, "only_when", err);
}

/* c->n_methods counts the methods before this one. */
static int
read_method(struct catalog *c, struct catalog_method *m, const json_t *row,
            struct err *err)
{
    const json_t *stages = json_object_get(row, "stages");
    const size_t n = json_array_size(stages);

    if (need_name(&m->name, row, "method", err) != 0)
        return -1;
    if (catalog_find_method(c, m->name) != NULL)
        return err_set(err, ERR_DATA, "catalogue: method %s comes twice", m->name);
    if (n == 0)
        return err_set(err, ERR_DATA, "catalogue: method %s has no stages", m->name);
    m->doc = json_str(row, "doc", "");
    m->source = json_str(row, "source", "");
    m->stages = arena_alloc(&c->mem, n * sizeof *m->stages);
    for (; m->n_stages < n; m->n_stages++)
        if (read_stage(&m->stages[m->n_stages], m, json_array_get(stages, m->n_stages),
                       &c->mem, err)
            != 0)
            return -1;
    if (check_conditions(m, err) != 0)
        return -1;
    return read_presets(m, json_object_get(row, "presets"), &c->mem, err);
}

static int
check_version(const json_t *json, struct err *err)
{
    const int64_t version = json_int(json, "version", 0);

    if (!json_is_object(json) || version == 0)
        return err_set(err, ERR_DATA, "catalogue: not a catalogue document");
    if (version != CATALOG_VERSION)
        return err_set(err, ERR_REFUSED,
                       "catalogue of version %" PRId64
                       " (from program %s), this program "
                       "reads version %d; install the same version on both sides",
                       version, json_str(json, "program", "?"), CATALOG_VERSION);
    return 0;
}

int
catalog_read(struct catalog *out, json_t *json, struct err *err)
{
    *out = (struct catalog){0};
    if (check_version(json, err) != 0)
        return -1;
    const json_t *methods = json_object_get(json, "methods");
    const size_t n = json_array_size(methods);
    out->json = json_incref(json);
    out->methods = arena_alloc(&out->mem, (n + 1) * sizeof *out->methods);
    for (; out->n_methods < n; out->n_methods++) {
        if (read_method(out, &out->methods[out->n_methods],
                        json_array_get(methods, out->n_methods), err)
            != 0) {
            catalog_release(out);
            return -1;
        }
    }
    return 0;
}

void
catalog_release(struct catalog *c)
{
    json_decref(c->json);
    arena_release(&c->mem);
    *c = (struct catalog){0};
}

/* ---- looking up ------------------------------------------------------------------- */

const struct catalog_method *
catalog_find_method(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->n_methods; i++)
        if (strcmp(c->methods[i].name, name) == 0)
            return &c->methods[i];
    return NULL;
}

const struct catalog_stage *
catalog_find_stage(const struct catalog_method *m, const char *name)
{
    for (size_t i = 0; i < m->n_stages; i++)
        if (strcmp(m->stages[i].name, name) == 0)
            return &m->stages[i];
    return NULL;
}

const struct param *
catalog_find_param(const struct catalog_method *m, const char *name)
{
    for (size_t i = 0; i < m->n_stages; i++) {
        const struct catalog_stage *s = &m->stages[i];
        const struct param *p = param_find(s->params, s->n_params, name);
        if (p != NULL)
            return p;
    }
    if (m->presets != NULL && strcmp(m->presets->param.name, name) == 0)
        return &m->presets->param;
    return NULL;
}

const char *
catalog_nearest_param(const struct catalog_method *m, const char *wrong)
{
    size_t n = 1, i = 0;

    for (size_t s = 0; s < m->n_stages; s++)
        n += m->stages[s].n_params;
    const char **words = xcalloc(n + 1, sizeof *words);
    for (size_t s = 0; s < m->n_stages; s++)
        for (size_t p = 0; p < m->stages[s].n_params; p++)
            words[i++] = m->stages[s].params[p].name;
    if (m->presets != NULL)
        words[i++] = m->presets->param.name;
    const char *nearest = word_nearest(words, wrong);
    free(words);
    return nearest;
}
