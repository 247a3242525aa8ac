/*
 * catalog_limits.c - what a cell may not ask for although each of its values alone is
 * in order: more than a network or a data set has, and values that do not go together.
 * Knows no parameter by name.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/spec/catalog.h"

/* Text of a scalar value for people and comparisons; caller frees. */
static char *
value_text(const json_t *v)
{
    return json_is_string(v) ? xstrdup(json_string_value(v)) : json_canonical(v);
}

/* ---- limits ---------------------------------------------------------------------- */

/* "resnet18/fashion-mnist" from by = ["model","dataset"]; NULL when a value is absent. */
static char *
limit_key(const json_t *by, const json_t *values)
{
    struct buf key = {0};

    for (size_t i = 0; i < json_array_size(by); i++) {
        const char *name = json_string_value(json_array_get(by, i));
        const json_t *v = name != NULL ? json_object_get(values, name) : NULL;
        if (v == NULL) {
            buf_release(&key);
            return NULL;
        }
        char *text = value_text(v);
        buf_printf(&key, "%s%s", i > 0 ? "/" : "", text);
        free(text);
    }
    return buf_take(&key);
}

/* What a value asks for: a number, a share ("10%") of max, or "all" = max. */
static double
asked_for(const char *text, double max)
{
    char *end;

    if (strcmp(text, "all") == 0)
        return max;
    const double v = strtod(text, &end);
    return *end == '%' ? v / 100 * max : v;
}

/* Adds the parameters of `plus` to *sum, and to the sentence. */
static void
add_others(double *sum, struct buf *what, const json_t *plus, const json_t *values)
{
    for (size_t i = 0; i < json_array_size(plus); i++) {
        const char *name = json_string_value(json_array_get(plus, i));
        const json_t *v = name != NULL ? json_object_get(values, name) : NULL;
        if (!json_is_number(v))
            continue;
        *sum += json_number_value(v);
        buf_printf(what, " + %s", name);
    }
}

static int
check_range(const json_t *limit, const json_t *range, const json_t *values,
            const char *key, const char *text, struct err *err)
{
    const char *unit = json_str(limit, "unit", "");
    const double min = json_num(range, "min", -1e300);
    const double max = json_num(range, "max", 1e300);
    const json_t *plus = json_object_get(limit, "plus");
    double v = asked_for(text, max);
    struct buf what = {0};
    int rc = 0;

    buf_puts(&what, json_str(limit, "param", ""));
    add_others(&v, &what, plus, values);
    if (plus != NULL)
        buf_printf(&what, " = %.10g", v);
    else
        buf_printf(&what, " = %s", text);
    if (v > max)
        rc = err_set(err, ERR_USAGE, "%s is above the %.10g %s that %s has",
                     buf_str(&what), max, unit, key);
    else if (v < min)
        rc = err_set(err, ERR_USAGE, "%s is below %.10g %s, the least that %s takes",
                     buf_str(&what), min, unit, key);
    buf_release(&what);
    return rc;
}

static int
check_limit(const json_t *limit, const json_t *values, struct err *err)
{
    const json_t *value = json_object_get(values, json_str(limit, "param", ""));
    char *key = limit_key(json_object_get(limit, "by"), values);
    int rc = 0;

    if (key != NULL && value != NULL) {
        const json_t *range = json_object_get(json_object_get(limit, "table"), key);
        char *text = value_text(value);
        if (range != NULL)
            rc = check_range(limit, range, values, key, text, err);
        free(text);
    }
    free(key);
    return rc;
}

/* ---- needs ----------------------------------------------------------------------- */

/* Is the value this text, or a set or sum that has it as an item? */
static bool
has_item(const json_t *v, const char *text)
{
    char *found = value_text(v), name[128];
    const char *cursor = found;
    bool has = strcmp(found, text) == 0;

    while (!has && param_next_item(&cursor, name, sizeof name, NULL))
        has = strcmp(name, text) == 0;
    free(found);
    return has;
}

bool
catalog_has_all(const json_t *values, const json_t *when, struct buf *why)
{
    const char *key;
    const json_t *text;

    json_object_foreach((json_t *)when, key, text)
    {
        const json_t *v = json_object_get(values, key);
        if (v == NULL || !json_is_string(text) || !has_item(v, json_string_value(text)))
            return false;
        if (why != NULL)
            buf_printf(why, "%s%s = %s", why->len > 0 ? ", " : "", key,
                       json_string_value(text));
    }
    return true;
}

static int
check_listed(const json_t *list, const json_t *v, const char *why, const char *param,
             struct err *err)
{
    char *text = value_text(v);
    struct buf known = {0};
    bool found = false;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        found = found || (word != NULL && strcmp(word, text) == 0);
        buf_printf(&known, "%s%s", i > 0 ? " or " : "", word != NULL ? word : "?");
    }
    int rc = 0;
    if (!found && known.len == 0)
        rc = err_set(err, ERR_USAGE, "%s goes with no %s at all", why, param);
    else if (!found)
        rc = err_set(err, ERR_USAGE, "%s needs %s = %s, not %s", why, param,
                     buf_str(&known), text);
    buf_release(&known);
    free(text);
    return rc;
}

static int
check_need(const json_t *need, const json_t *values, struct err *err)
{
    const char *param = json_str(need, "param", "");
    const json_t *v = json_object_get(values, param);
    const json_t *list = json_object_get(need, "in");
    const double min = json_num(need, "min", -1e300);
    struct buf why = {0};
    int rc = 0;

    if (v != NULL && catalog_has_all(values, json_object_get(need, "when"), &why)) {
        if (list != NULL)
            rc = check_listed(list, v, buf_str(&why), param, err);
        if (rc == 0 && json_is_number(v) && json_number_value(v) < min)
            rc = err_set(err, ERR_USAGE, "%s needs %s of at least %.10g, not %.10g",
                         buf_str(&why), param, min, json_number_value(v));
    }
    buf_release(&why);
    return rc;
}

/* ---- all of them ----------------------------------------------------------------- */

/* Checks the rows of one list; *param is the one of the row that fails. */
static int
check_rows(const json_t *rows,
           int (*check)(const json_t *row, const json_t *values, struct err *err),
           const json_t *values, const char **param, struct err *err)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (check(row, values, err) == 0)
            continue;
        if (param != NULL)
            *param = json_str(row, "param", "");
        return -1;
    }
    return 0;
}

int
catalog_check_limits(const struct catalog *c, const json_t *values, const char **param,
                     struct err *err)
{
    const json_t *limits = json_object_get(c->json, "limits");
    const json_t *needs = json_object_get(c->json, "needs");

    if (check_rows(limits, check_limit, values, param, err) != 0)
        return -1;
    return check_rows(needs, check_need, values, param, err);
}

static bool
is_listed(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *word = json_string_value(json_array_get(names, i));
        if (word != NULL && strcmp(word, name) == 0)
            return true;
    }
    return false;
}

bool
catalog_limits_read(const struct catalog *c, const char *name)
{
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(c->json, "limits"), i, row)
    {
        if (strcmp(json_str(row, "param", ""), name) == 0
            || is_listed(json_object_get(row, "by"), name)
            || is_listed(json_object_get(row, "plus"), name))
            return true;
    }
    json_array_foreach(json_object_get(c->json, "needs"), i, row)
    {
        if (strcmp(json_str(row, "param", ""), name) == 0
            || json_object_get(json_object_get(row, "when"), name) != NULL)
            return true;
    }
    return false;
}
