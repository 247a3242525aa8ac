/*
 * param.c - parameter tables: parse, check, print, apply. Texts of people come in,
 * canonical JSON goes out, so that equal values always have equal digests.
 */
#include "shared/base/param.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/base/word.h"

static const char *const type_names[PARAM_TYPE_COUNT] = {
    [PARAM_BOOL] = "bool",     [PARAM_INT] = "int",       [PARAM_REAL] = "real",
    [PARAM_STRING] = "string", [PARAM_CHOICE] = "choice", [PARAM_BUDGET] = "budget",
    [PARAM_SET] = "set",       [PARAM_SUM] = "sum",       [PARAM_PERCENTS] = "percents",
};

const char *
param_type_name(enum param_type type)
{
    return type_names[type];
}

const struct param *
param_find(const struct param *params, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(params[i].name, name) == 0)
            return &params[i];
    return NULL;
}

const char *
param_nearest(const struct param *params, size_t n, const char *wrong)
{
    const char **names = xcalloc(n + 1, sizeof *names);

    for (size_t i = 0; i < n; i++)
        names[i] = params[i].name;
    const char *near = word_nearest(names, wrong);
    free(names);
    return near;
}

/* A decimal number with an optional k or m suffix, or a fraction a/b. */
static int
parse_real(double *out, const char *text)
{
    char *end;

    errno = 0;
    double v = strtod(text, &end);
    if (end == text || errno != 0)
        return -1;
    if (*end == 'k' || *end == 'K') {
        v *= 1e3;
        end++;
    } else if (*end == 'm' || *end == 'M') {
        v *= 1e6;
        end++;
    } else if (*end == '/') {
        const char *below = end + 1;
        const double divisor = strtod(below, &end);
        if (end == below || divisor == 0)
            return -1;
        v /= divisor;
    }
    if (*end != '\0' || !isfinite(v))
        return -1;
    *out = v;
    return 0;
}

int64_t
param_parse_count(const char *text)
{
    double v;

    if (parse_real(&v, text) != 0 || v < 0 || v > 9e15)
        return -1;
    const double whole = nearbyint(v);
    return fabs(v - whole) < 1e-6 ? (int64_t)whole : -1;
}

static int
read_number(json_t **out, const struct param *p, const char *text, struct err *err)
{
    double v;

    if (parse_real(&v, text) != 0)
        return err_set(err, ERR_USAGE, "`%s` is not a number (%s: %s)", text, p->name,
                       p->doc);
    if (p->type == PARAM_INT && fabs(v - nearbyint(v)) > 1e-6)
        return err_set(err, ERR_USAGE, "`%s` is not a whole number (%s: %s)", text,
                       p->name, p->doc);
    if (v < p->min || v > p->max)
        return err_set(err, ERR_USAGE, "%s = %s is outside %.10g .. %.10g (%s)",
                       p->name, text, p->min, p->max, p->doc);
    *out = p->type == PARAM_INT ? json_integer((json_int_t)llrint(v)) : json_real(v);
    return 0;
}

static int
read_choice(json_t **out, const struct param *p, const char *text, struct err *err)
{
    struct buf list = {0};

    for (const char *const *c = p->choices; *c != NULL; c++)
        if (strcmp(*c, text) == 0) {
            *out = json_string(text);
            return 0;
        }
    word_list(&list, p->choices);
    err_set(err, ERR_USAGE, "%s = `%s` is not known%s; choices: %s", p->name, text,
            word_hint(word_nearest(p->choices, text)).text, buf_str(&list));
    buf_release(&list);
    return -1;
}

/* The weight in front of `*` of an item: a number or a fraction; -1 if it is none. */
static int
parse_weight(double *out, const char *item, const char *times)
{
    char text[64];
    const size_t n = (size_t)(times - item);

    if (n == 0 || n >= sizeof text)
        return -1;
    memcpy(text, item, n);
    text[n] = '\0';
    return parse_real(out, text);
}

bool
param_next_item(const char **cursor, char *name, size_t size, double *weight)
{
    const char *s = *cursor + strspn(*cursor, " ,+");
    size_t n = strcspn(s, ",+ ");
    const char *times = memchr(s, '*', n);

    if (n == 0)
        return false;
    *cursor = s + n;
    if (weight != NULL)
        *weight = (double)NAN;
    if (times != NULL) {
        if (weight != NULL && parse_weight(weight, s, times) != 0)
            *weight = (double)NAN;
        n -= (size_t)(times + 1 - s);
        s = times + 1;
    }
    if (n >= size)
        n = size - 1;
    memcpy(name, s, n);
    name[n] = '\0';
    return true;
}

/* Checks the text in front of `*` of a sum's term. */
static int
check_weight(const struct param *p, const char *item, struct err *err)
{
    const char *times = strchr(item, '*');
    double w;

    if (times == NULL || (p->type == PARAM_SUM && parse_weight(&w, item, times) == 0))
        return 0;
    return err_set(err, ERR_USAGE, "%s: `%s` does not begin with a weight like 0.5*",
                   p->name, item);
}

/* Marks each item's place among the choices. seen[] and weights[] have one entry a
 * choice. */
static int
read_items(const struct param *p, const char *text, bool *seen, double *weights,
           struct err *err)
{
    char item[128], name[128];
    const char *separators = p->type == PARAM_SET ? "," : "+";
    const char *s = text;

    do {
        s += strspn(s, " ");
        const size_t n = strcspn(s, separators);
        size_t used = n < sizeof item ? n : sizeof item - 1;
        const char *inside = item;
        double weight;
        memcpy(item, s, used);
        while (used > 0 && item[used - 1] == ' ')
            used--;
        item[used] = '\0';
        if (check_weight(p, item, err) != 0)
            return -1;
        json_t *word = NULL;
        if (!param_next_item(&inside, name, sizeof name, &weight) || *inside != '\0')
            return err_set(err, ERR_USAGE, "%s = `%s`: item `%s` cannot be read",
                           p->name, text, item);
        if (read_choice(&word, p, name, err) != 0)
            return -1;
        json_decref(word);
        size_t at = 0;
        while (strcmp(p->choices[at], name) != 0)
            at++;
        if (seen[at])
            return err_set(err, ERR_USAGE, "%s = `%s` names `%s` twice", p->name, text,
                           name);
        seen[at] = true;
        weights[at] = weight;
        s += n;
    } while (*s++ != '\0');
    return 0;
}

static int
read_list(json_t **out, const struct param *p, const char *text, struct err *err)
{
    struct buf canon = {0};
    size_t n = 0;

    while (p->choices[n] != NULL)
        n++;
    bool *seen = xcalloc(n, sizeof *seen);
    double *weights = xcalloc(n, sizeof *weights);
    const int rc = read_items(p, text, seen, weights, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (!seen[i])
            continue;
        if (canon.len > 0)
            buf_putc(&canon, p->type == PARAM_SET ? ',' : '+');
        if (!isnan(weights[i])) {
            json_t *w = json_real(weights[i]);
            char *number = json_canonical(w);
            buf_printf(&canon, "%s*", number);
            free(number);
            json_decref(w);
        }
        buf_puts(&canon, p->choices[i]);
    }
    if (rc == 0)
        *out = json_string(buf_str(&canon));
    buf_release(&canon);
    free(seen);
    free(weights);
    return rc;
}

/* Numbers between 0 and 100, each larger than the one before; written shortest. */
static int
read_percents(json_t **out, const struct param *p, const char *text, struct err *err)
{
    const char *at = text;
    struct buf canon = {0};
    double before = 0;
    char *end;

    if (strcmp(text, "none") == 0) {
        *out = json_string(text);
        return 0;
    }
    do {
        const double v = strtod(at, &end);
        if (end == at || !(v > before && v < 100)) {
            buf_release(&canon);
            return err_set(err, ERR_USAGE,
                           "%s = `%s`: write rising per cents between 0 and 100, as "
                           "62.5,75,87.5, or none",
                           p->name, text);
        }
        buf_printf(&canon, "%s%.10g", canon.len > 0 ? "," : "", v);
        before = v;
        end += strspn(end, " ");
        at = end + 1;
    } while (*end == ',');
    if (*end == '\0')
        *out = json_string(buf_str(&canon));
    else
        err_set(err, ERR_USAGE, "%s = `%s`: `%s` is no number", p->name, text, end);
    buf_release(&canon);
    return *end == '\0' ? 0 : -1;
}

static int
read_budget(json_t **out, const struct param *p, const char *text, struct err *err)
{
    const size_t n = strlen(text);
    char *end;

    if (strcmp(text, "all") == 0) {
        *out = json_string("all");
        return 0;
    }
    if (n > 1 && text[n - 1] == '%') {
        const double share = strtod(text, &end);
        if (end == text + n - 1 && share > 0 && share <= 100) {
            char *canon = xasprintf("%.10g%%", share);
            *out = json_string(canon);
            free(canon);
            return 0;
        }
    }
    const int64_t count = param_parse_count(text);
    if (count <= 0)
        return err_set(
            err, ERR_USAGE,
            "%s = `%s` is not a ReLU budget; write a count (50k), a share of "
            "all ReLUs (10%%), or `all`",
            p->name, text);
    char *canon = xasprintf("%" PRId64, count);
    *out = json_string(canon);
    free(canon);
    return 0;
}

static int
read_bool(json_t **out, const struct param *p, const char *text, struct err *err)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *out = json_boolean(text[0] == 't');
        return 0;
    }
    return err_set(err, ERR_USAGE, "%s = `%s`; write true or false", p->name, text);
}

int
param_read(json_t **out, const struct param *p, const char *text, struct err *err)
{
    *out = NULL;
    switch (p->type) {
    case PARAM_BOOL: return read_bool(out, p, text, err);
    case PARAM_INT:
    case PARAM_REAL: return read_number(out, p, text, err);
    case PARAM_CHOICE: return read_choice(out, p, text, err);
    case PARAM_BUDGET: return read_budget(out, p, text, err);
    case PARAM_SET:
    case PARAM_SUM: return read_list(out, p, text, err);
    case PARAM_PERCENTS: return read_percents(out, p, text, err);
    case PARAM_STRING:
        *out = json_string(text); /* NULL for invalid UTF-8 */
        if (*out == NULL)
            return err_set(err, ERR_USAGE, "%s: the text is not valid UTF-8", p->name);
        return 0;
    case PARAM_TYPE_COUNT: break;
    }
    return err_set(err, ERR_BUG, "%s: parameter of no type", p->name);
}

/* Text of a JSON scalar, so that a value always passes through param_read. */
static char *
scalar_text(const json_t *v)
{
    if (json_is_string(v))
        return xstrdup(json_string_value(v));
    return json_canonical(v);
}

static void
store(const struct param *p, const json_t *v, void *config)
{
    char *field = (char *)config + p->offset;

    switch (p->type) {
    case PARAM_BOOL: *(bool *)(void *)field = json_is_true(v); break;
    case PARAM_INT: *(int64_t *)(void *)field = json_integer_value(v); break;
    case PARAM_REAL: *(double *)(void *)field = json_real_value(v); break;
    case PARAM_STRING:
    case PARAM_CHOICE:
    case PARAM_SET:
    case PARAM_SUM:
    case PARAM_PERCENTS:
    case PARAM_BUDGET: *(const char **)(void *)field = json_string_value(v); break;
    case PARAM_TYPE_COUNT: break;
    }
}

static int
apply_one(const struct param *p, json_t *values, void *config, const char *what,
          struct err *err)
{
    json_t *given = json_object_get(values, p->name), *value = NULL;
    char *text;

    if (given == NULL || json_is_null(given)) {
        if (p->dflt == NULL)
            return err_set(err, ERR_USAGE, "%s: `%s` is required (%s)", what, p->name,
                           p->doc);
        text = xstrdup(p->dflt);
    } else {
        text = scalar_text(given);
    }
    const int rc = param_read(&value, p, text, err);
    free(text);
    if (rc != 0)
        return err_wrap(err, "%s", what);
    /* the canonical value replaces the given one, and keeps borrowed strings alive */
    json_object_set_new(values, p->name, value);
    store(p, value, config);
    return 0;
}

int
param_apply(const struct param *params, size_t n, json_t *values, void *config,
            const char *what, struct err *err)
{
    const char *key;
    json_t *v;

    json_object_foreach(values, key, v)
    {
        if (param_find(params, n, key) != NULL)
            continue;
        return err_set(err, ERR_USAGE, "%s: unknown parameter `%s`%s", what, key,
                       word_hint(param_nearest(params, n, key)).text);
    }
    for (size_t i = 0; i < n; i++)
        if (apply_one(&params[i], values, config, what, err) != 0)
            return -1;
    return 0;
}

json_t *
param_table_to_json(const struct param *params, size_t n)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < n; i++) {
        const struct param *p = &params[i];
        json_t *row = json_pack("{s:s, s:s, s:s*, s:s}", "name", p->name, "type",
                                type_names[p->type], "default", p->dflt, "doc", p->doc);
        if (p->type == PARAM_INT || p->type == PARAM_REAL) {
            json_object_set_new(row, "min", json_real(p->min));
            json_object_set_new(row, "max", json_real(p->max));
        }
        if (p->choices != NULL) {
            json_t *choices = json_array();
            for (const char *const *c = p->choices; *c != NULL; c++)
                json_array_append_new(choices, json_string(*c));
            json_object_set_new(row, "choices", choices);
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

static int
row_from_json(struct param *p, const json_t *row, struct arena *mem, struct err *err)
{
    const char *name, *type, *doc = json_str(row, "doc", "");
    const char *dflt = json_string_value(json_object_get(row, "default"));
    const json_t *choices = json_object_get(row, "choices");

    if (json_need_string(&name, row, "name", "catalogue parameter", err) != 0
        || json_need_string(&type, row, "type", name, err) != 0)
        return -1;
    *p = (struct param){.name = arena_strdup(mem, name),
                        .doc = arena_strdup(mem, doc),
                        .dflt = dflt ? arena_strdup(mem, dflt) : NULL,
                        .min = json_num(row, "min", -1e300),
                        .max = json_num(row, "max", 1e300)};
    while (p->type < PARAM_TYPE_COUNT && strcmp(type_names[p->type], type) != 0)
        p->type++;
    if (p->type == PARAM_TYPE_COUNT)
        return err_set(
            err, ERR_DATA,
            "catalogue parameter `%s` has type `%s`, which this program does "
            "not know; update it to the worker's version",
            name, type);
    const size_t n = json_array_size(choices);
    const char **list = arena_alloc(mem, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        const char *word = json_string_value(json_array_get(choices, i));
        list[i] = arena_strdup(mem, word ? word : "");
    }
    p->choices = list;
    return 0;
}

int
param_table_from_json(struct param **out, size_t *n, const json_t *rows,
                      struct arena *mem, struct err *err)
{
    *n = json_array_size(rows);
    *out = arena_alloc(mem, (*n + 1) * sizeof **out);
    for (size_t i = 0; i < *n; i++)
        if (row_from_json(&(*out)[i], json_array_get(rows, i), mem, err) != 0)
            return -1;
    return 0;
}
