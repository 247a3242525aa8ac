/*
 * policy.c - limits, needs, times, retries, on_failure, order and verify of a sweep file. What is given
 * for `all` holds for every stage unless the stage says otherwise. Must not know what a
 * worker or a lease is.
 */
#include "coordinator/sweep/policy.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/param.h"
#include "shared/base/word.h"

const char *const policy_keys[POLICY_KEYS + 1] = {
    [POLICY_LIMITS] = "limits",   [POLICY_NEEDS] = "needs",
    [POLICY_TIMEOUT] = "timeout", [POLICY_STALL] = "stall",
    [POLICY_RETRIES] = "retries", [POLICY_ON_FAILURE] = "on_failure",
    [POLICY_ORDER] = "order",     [POLICY_VERIFY] = "verify",
};

enum { MAX_LABELS = 6, MAX_RETRIES = 1000 };

struct reader {
    const struct catalog_method *const *methods;
    size_t n_methods;
    json_t *policy, *terms;
    struct err *err;
};

/* ---- values ----------------------------------------------------------------------- */

/* What a letter behind a number multiplies it by. */
struct unit {
    char letter;
    double factor;
};
static const struct unit no_units[] = {{0}};
static const struct unit seconds[] = {{'s', 1},
                                      {'m', 60},
                                      {'h', 3600},
                                      {'d', 86400},
                                      {0}};
static const struct unit bytes[] = {{'K', 1024.0},
                                    {'M', 1048576.0},
                                    {'G', 1073741824.0},
                                    {'T', 1099511627776.0},
                                    {0}};

static double
factor_of(const struct unit *units, const char *suffix)
{
    if (suffix[0] == '\0')
        return 1;
    for (; units->letter != 0; units++)
        if (suffix[0] == units->letter && suffix[1] == '\0')
            return units->factor;
    return NAN;
}

static int
read_number(const struct reader *r, const struct yaml_node *at, const char *key,
            const struct unit *units, json_t **out)
{
    char *end = NULL;

    if (at->kind == YAML_TEXT) {
        errno = 0;
        const double value = strtod(at->text, &end) * factor_of(units, end);
        if (end != at->text && errno == 0 && value >= 0 && value <= 1e15
            && value == floor(value)) {
            *out = json_integer((json_int_t)value);
            return 0;
        }
    }
    return yaml_error(r->err, at, "`%s` is a whole number that is not negative%s", key,
                      units == seconds ? ", as 90, 30m, 8h or 2d"
                      : units == bytes ? ", as 512M or 8G"
                                       : "");
}

static int
read_count(const struct reader *r, const struct yaml_node *at, const char *key,
           json_t **out)
{
    return read_number(r, at, key, no_units, out);
}

static int
read_retries(const struct reader *r, const struct yaml_node *at, const char *key,
             json_t **out)
{
    if (read_count(r, at, key, out) != 0)
        return -1;
    if (json_integer_value(*out) <= MAX_RETRIES)
        return 0;
    json_decref(*out);
    return yaml_error(r->err, at, "`%s` is at most %d", key, MAX_RETRIES);
}

static int
read_seconds(const struct reader *r, const struct yaml_node *at, const char *key,
             json_t **out)
{
    return read_number(r, at, key, seconds, out);
}

static int
read_bytes(const struct reader *r, const struct yaml_node *at, const char *key,
           json_t **out)
{
    return read_number(r, at, key, bytes, out);
}

static int
read_word(const struct reader *r, const struct yaml_node *at, const char *key,
          json_t **out)
{
    if (at->kind != YAML_TEXT || at->text[0] == '\0' || strlen(at->text) > 31
        || strpbrk(at->text, ", \t") != NULL)
        return yaml_error(r->err, at, "`%s` is a word of at most 31 characters", key);
    *out = json_string(at->text);
    return 0;
}

/* A list of words; one word stands for a list of one. */
static int
read_words(const struct reader *r, const struct yaml_node *at, const char *key,
           json_t **out)
{
    const struct yaml_node *const one[] = {at};
    const struct yaml_node *const *items =
        at->kind == YAML_LIST ? (const struct yaml_node *const *)at->items : one;
    const size_t n = at->kind == YAML_LIST ? at->n : 1;
    json_t *word = NULL;

    if (n > MAX_LABELS)
        return yaml_error(r->err, at, "`%s` has more than %d words", key, MAX_LABELS);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        if (read_word(r, items[i], key, &word) != 0) {
            json_decref(list);
            return -1;
        }
        json_array_append_new(list, word);
    }
    *out = list;
    return 0;
}

/* ---- stages and terms -------------------------------------------------------------- */

static int
check_stage(const struct reader *r, const struct yaml_node *at)
{
    const char *names[64] = {NULL};
    size_t n = 0;

    for (size_t m = 0; m < r->n_methods; m++)
        for (size_t s = 0; s < r->methods[m]->n_stages; s++) {
            const char *name = r->methods[m]->stages[s].name;
            if (strcmp(name, at->text) == 0)
                return 0;
            if (n < 63)
                names[n++] = name;
        }
    return yaml_error(r->err, at, "`%.100s` is no stage%s", at->text,
                      word_hint(word_nearest(names, at->text)).text);
}

static void
put_term(struct reader *r, const char *stage, const char *name, json_t *value)
{
    json_t *of = json_object_get(r->terms, stage);

    if (of == NULL)
        json_object_set_new(r->terms, stage, of = json_object());
    json_object_set_new(of, name, value);
}

typedef int read_fn(const struct reader *r, const struct yaml_node *at, const char *key,
                    json_t **out);

/* The rows of `needs` and `retries`; timeout and stall stand at the top of the file. */
static const struct term {
    const char *key, *name;
    read_fn *read;
} needs[] = {{"memory", "memory_bytes", read_bytes},
             {"threads", "threads", read_count},
             {"labels", "labels", read_words},
             {"backend", "backend", read_word},
             {NULL, NULL, NULL}},
  retries[] = {{"error", "retries_error", read_retries},
               {"lost", "retries_lost", read_retries},
               {"oom", "retries_oom", read_retries},
               {"timeout", "retries_timeout", read_retries},
               {NULL, NULL, NULL}},
  timeout = {"timeout", "timeout_s", read_seconds},
  stall = {"stall", "stall_s", read_seconds};

/* A value for all stages, or a map of `all` and stages. */
static int
read_by_stage(struct reader *r, const struct yaml_node *at, const struct term *t)
{
    json_t *value = NULL;

    if (at == NULL)
        return 0;
    if (at->kind != YAML_MAP) {
        if (t->read(r, at, t->key, &value) != 0)
            return -1;
        put_term(r, "all", t->name, value);
        return 0;
    }
    for (size_t i = 0; i < at->n; i++) {
        if ((strcmp(at->keys[i]->text, "all") != 0 && check_stage(r, at->keys[i]) != 0)
            || t->read(r, at->items[i], t->key, &value) != 0)
            return -1;
        put_term(r, at->keys[i]->text, t->name, value);
    }
    return 0;
}

static int
unknown_key(const struct reader *r, const struct yaml_node *at,
            const char *const *known, const char *where)
{
    return yaml_error(r->err, at, "unknown key `%.100s` in `%s`%s", at->text, where,
                      word_hint(word_nearest(known, at->text)).text);
}

/* A map with these rows as keys. */
static int
read_terms(struct reader *r, const struct yaml_node *map, const struct term *rows,
           const char *where, const char *example)
{
    const char *known[8] = {NULL};

    for (size_t k = 0; rows[k].key != NULL; k++)
        known[k] = rows[k].key;
    if (map == NULL)
        return 0;
    if (map->kind != YAML_MAP)
        return yaml_error(r->err, map, "`%s` is a map like %s", where, example);
    for (size_t i = 0; i < map->n; i++) {
        size_t k = 0;
        while (known[k] != NULL && strcmp(known[k], map->keys[i]->text) != 0)
            k++;
        if (known[k] == NULL)
            return unknown_key(r, map->keys[i], known, where);
        if (read_by_stage(r, map->items[i], &rows[k]) != 0)
            return -1;
    }
    return 0;
}

/* ---- limits ----------------------------------------------------------------------- */

static int
add_limit(struct reader *r, json_t *limits, const char *stage, const char *label,
          const struct yaml_node *value)
{
    json_t *most = NULL;

    if (read_count(r, value, "limits", &most) != 0)
        return -1;
    json_array_append_new(limits, json_pack("{s:s, s:s, s:o}", "stage", stage, "label",
                                            label, "most", most));
    return 0;
}

static int
add_limits(struct reader *r, json_t *limits, const char *key,
           const struct yaml_node *map)
{
    const bool stages = strcmp(key, "stage") == 0;

    if (map->kind != YAML_MAP)
        return yaml_error(r->err, map, "`%s` in `limits` is a map of names to numbers",
                          key);
    for (size_t i = 0; i < map->n; i++) {
        const char *name = map->keys[i]->text;
        if ((stages && check_stage(r, map->keys[i]) != 0)
            || add_limit(r, limits, stages ? name : "", stages ? "" : name,
                         map->items[i])
                   != 0)
            return -1;
    }
    return 0;
}

static int
read_limits(struct reader *r, const struct yaml_node *map)
{
    static const char *const known[] = {"jobs", "stage", "label", NULL};
    json_t *limits = json_array();

    if (map == NULL) {
        json_decref(limits);
        return 0;
    }
    json_object_set_new(r->policy, "limits", limits);
    if (map->kind != YAML_MAP)
        return yaml_error(r->err, map,
                          "`limits` is a map like {jobs: 8, stage: {teacher: 4}}");
    for (size_t i = 0; i < map->n; i++) {
        const char *key = map->keys[i]->text;
        int rc;
        if (strcmp(key, "jobs") == 0)
            rc = add_limit(r, limits, "", "", map->items[i]);
        else if (strcmp(key, "stage") == 0 || strcmp(key, "label") == 0)
            rc = add_limits(r, limits, key, map->items[i]);
        else
            rc = unknown_key(r, map->keys[i], known, "limits");
        if (rc != 0)
            return -1;
    }
    return 0;
}

/* ---- on_failure, order ------------------------------------------------------------- */

static int
read_stop_if(struct reader *r, const struct yaml_node *map, json_t *rule)
{
    static const char *const known[] = {"failed", "percent", NULL};
    json_t *value = NULL;

    for (size_t i = 0; i < map->n; i++) {
        const char *key = map->keys[i]->text;
        if (strcmp(key, "failed") != 0 && strcmp(key, "percent") != 0)
            return unknown_key(r, map->keys[i], known, "stop_if");
        if (read_count(r, map->items[i], key, &value) != 0)
            return -1;
        json_object_set_new(rule, key, value);
    }
    return 0;
}

static int
read_on_failure(struct reader *r, const struct yaml_node *at)
{
    if (at == NULL || (at->kind == YAML_TEXT && strcmp(at->text, "continue") == 0))
        return 0;
    const struct yaml_node *stop_if = yaml_get(at, "stop_if");
    const bool stop = at->kind == YAML_TEXT && strcmp(at->text, "stop") == 0;

    if (!stop && (stop_if == NULL || at->n != 1 || stop_if->kind != YAML_MAP))
        return yaml_error(r->err, at,
                          "`on_failure` is continue, stop, or {stop_if: {failed: 10, "
                          "percent: 50}}: so many, and so many of those that began");
    json_t *rule = json_pack("{s:i, s:i}", "failed", 1, "percent", 0);
    json_object_set_new(r->policy, "on_failure", rule);
    return stop ? 0 : read_stop_if(r, stop_if, rule);
}

static int
read_order(struct reader *r, const struct yaml_node *at)
{
    if (at == NULL || (at->kind == YAML_TEXT && strcmp(at->text, "file") == 0))
        return 0;
    if (at->kind != YAML_TEXT || strcmp(at->text, "spread") != 0)
        return yaml_error(r->err, at,
                          "`order` is file, or spread: budgets from all over the range "
                          "first");
    json_object_set_new(r->policy, "order", json_string("spread"));
    return 0;
}

static int
read_verify(struct reader *r, const struct yaml_node *at)
{
    char *end = NULL;

    if (at == NULL)
        return 0;
    if (at->kind == YAML_TEXT) {
        errno = 0;
        const double percent = strtod(at->text, &end);
        if (end != at->text && strcmp(end, "%") == 0 && errno == 0 && percent >= 0
            && percent <= 100) {
            json_object_set_new(r->policy, "verify", json_real(percent));
            return 0;
        }
    }
    return yaml_error(
        r->err, at,
        "`verify` is a share of the jobs, as 2%%: they are done again and "
        "their numbers compared");
}

int
policy_read(json_t **out, const struct yaml_node *const *nodes,
            const struct catalog_method *const *methods, size_t n_methods,
            struct err *err)
{
    struct reader r = {.methods = methods,
                       .n_methods = n_methods,
                       .policy = json_object(),
                       .terms = json_object(),
                       .err = err};

    json_object_set_new(r.policy, "terms", r.terms);
    if (read_limits(&r, nodes[POLICY_LIMITS]) == 0
        && read_terms(&r, nodes[POLICY_NEEDS], needs, "needs", "{memory: 8G}") == 0
        && read_terms(&r, nodes[POLICY_RETRIES], retries, "retries", "{error: 2}") == 0
        && read_by_stage(&r, nodes[POLICY_TIMEOUT], &timeout) == 0
        && read_by_stage(&r, nodes[POLICY_STALL], &stall) == 0
        && read_on_failure(&r, nodes[POLICY_ON_FAILURE]) == 0
        && read_order(&r, nodes[POLICY_ORDER]) == 0
        && read_verify(&r, nodes[POLICY_VERIFY]) == 0) {
        *out = r.policy;
        return 0;
    }
    json_decref(r.policy);
    *out = NULL;
    return -1;
}
