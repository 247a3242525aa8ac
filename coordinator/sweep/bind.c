/*
 * bind.c - keys and words of a sweep file -> slots and values of one method. All checks
 * of names and values happen here; what a grid means is expand.c's.
 */
#include "coordinator/sweep/bind.h"
#include "shared/base/word.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct binder {
    struct binding *b;
    struct sweep_file *file;
    const struct bind_context *context;
};

static int
unknown_param(const struct binder *w, const struct yaml_node *key, struct err *err)
{
    const struct catalog_method *m = w->b->space->method;

    return yaml_error(err, key, "unknown parameter `%.100s` of method %s%s", key->text,
                      m->name, word_hint(catalog_nearest_param(m, key->text)).text);
}

/* Slot of a key; -1 where only other methods of the sweep know it. */
static int
find_slot(const struct binder *w, const struct yaml_node *key, int *slot,
          struct err *err)
{
    *slot = space_slot(w->b->space, key->text);
    if (*slot >= 0)
        return 0;
    for (size_t i = 0; i < w->context->n_methods; i++)
        if (catalog_find_param(w->context->methods[i], key->text) != NULL)
            return 0;
    return unknown_param(w, key, err);
}

/* A list that holds just this node. */
static const struct yaml_node *
list_of(const struct binder *w, const struct yaml_node *node)
{
    struct yaml_node *list = arena_alloc(&w->file->mem, sizeof *list);

    *list = *node;
    list->kind = YAML_LIST;
    list->items = arena_alloc(&w->file->mem, sizeof(struct yaml_node *));
    list->items[0] = (struct yaml_node *)node;
    list->n = 1;
    return list;
}

/* A value that may not be several: fixed. */
static int
resolve_fixed(const struct binder *w, struct term *t, struct err *err)
{
    const struct param *p = w->b->space->params[t->slot].param;

    if (t->node->kind == YAML_LIST && p->type == PARAM_SET)
        t->node = list_of(w, t->node);
    if (t->node->kind == YAML_MAP)
        return yaml_error(err, t->node, "`%s` must be a word, not a map", p->name);
    if (values_count(&t->count, t->node, p, err) != 0)
        return -1;
    if (t->count != 1)
        return yaml_error(err, t->node,
                          "`%s` has %" PRId64 " values; several go under `grid`",
                          p->name, t->count);
    return 0;
}

/* An axis: values, or {values: ..., when: ...}. */
static int
resolve_axis(const struct binder *w, struct term *t, struct err *err)
{
    const struct param *p = w->b->space->params[t->slot].param;
    const struct yaml_node *map = t->node;

    if (map->kind != YAML_MAP)
        return values_count(&t->count, t->node, p, err);
    t->node = yaml_get(map, "values");
    t->condition = yaml_get(map, "when");
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->keys[i]->text, "values") != 0
            && strcmp(map->keys[i]->text, "when") != 0)
            return yaml_error(err, map->keys[i],
                              "unknown key `%.100s`; an axis is a list of values, or "
                              "{values: [...], when: \"condition\"}",
                              map->keys[i]->text);
    if (t->node == NULL)
        return yaml_error(err, map, "axis `%s` has no `values`", p->name);
    return values_count(&t->count, t->node, p, err);
}

/* --set: one value stays what the key was before; several make an axis. */
static int
resolve_set(const struct binder *w, struct term *t, struct err *err)
{
    const struct param *p = w->b->space->params[t->slot].param;

    t->node = values_split(t->node, p, &w->file->mem);
    if (values_count(&t->count, t->node, p, err) != 0)
        return -1;
    t->axis = t->axis || t->count > 1;
    return 0;
}

static struct term *
add_term(struct terms *terms, struct term t)
{
    terms->items =
        xgrow(terms->items, &terms->capacity, terms->n + 1, sizeof *terms->items);
    terms->items[terms->n] = t;
    return &terms->items[terms->n++];
}

/* Makes the term of an entry; its values are read later. */
static int
resolve(const struct binder *w, const struct sweep_entry *entry, struct err *err)
{
    int slot;

    if (find_slot(w, entry->key, &slot, err) != 0)
        return -1;
    if (slot < 0)
        return 0;
    struct term *t = add_term(&w->b->terms, (struct term){.slot = slot,
                                                          .key = entry->key,
                                                          .node = entry->value,
                                                          .axis = entry->axis});
    switch (entry->kind) {
    case ENTRY_FIXED: return resolve_fixed(w, t, err);
    case ENTRY_GRID: return resolve_axis(w, t, err);
    case ENTRY_SET: break;
    }
    return resolve_set(w, t, err);
}

/* Refuses what would not fit, from the sizes of the axes alone. */
static int
check_size(const struct binder *w, const struct terms *terms,
           const struct yaml_node *at, const char *what, struct err *err)
{
    double cells = 1;

    for (size_t i = 0; i < terms->n; i++)
        cells *= (double)terms->items[i].count;
    if (cells <= (double)w->context->max_cells)
        return 0;
    return yaml_error(err, at,
                      "%s has %.6g cells, more than the limit of %" PRId64
                      "; make it smaller, or raise --max-cells",
                      what, cells, w->context->max_cells);
}

static int
read_values(const struct binder *w, struct terms *terms, struct err *err)
{
    for (size_t i = 0; i < terms->n; i++) {
        struct term *t = &terms->items[i];
        if (values_read(&t->values, t->node, w->b->space, t->slot, w->context->notes,
                        err)
            != 0)
            return -1;
    }
    return 0;
}

struct order_check {
    const struct binding *b;
    const struct term *own;
    struct err *err;
};

/* A condition may read what is known when its axis is reached. */
static int
check_order(void *ctx, int slot)
{
    const struct order_check *c = ctx;

    for (const struct term *t = c->own; t < c->b->terms.items + c->b->terms.n; t++)
        if (t->slot == slot && (t->axis || t == c->own))
            return yaml_error(
                c->err, c->own->condition, "the condition of `%s` reads `%s`, which %s",
                c->own->key->text, t->key->text,
                t == c->own ? "is the axis itself" : "comes later; move it above");
    return 0;
}

static int
read_conditions(const struct binder *w, struct err *err)
{
    for (size_t i = 0; i < w->b->terms.n; i++) {
        struct term *t = &w->b->terms.items[i];
        struct order_check check = {w->b, t, err};
        if (t->condition == NULL)
            continue;
        if (when_parse(&t->when, t->condition, w->b->space, &w->file->mem, err) != 0
            || when_slots(t->when, check_order, &check) != 0)
            return -1;
    }
    return 0;
}

/* Whether a rule's `method` key, if any, names this method. */
static int
rule_applies(const struct binder *w, const struct yaml_node *map, bool *applies,
             struct err *err)
{
    const struct yaml_node *node = yaml_get(map, "method");

    *applies = node == NULL;
    if (node == NULL)
        return 0;
    const struct yaml_node *list = node->kind == YAML_LIST ? node : list_of(w, node);
    for (size_t i = 0; i < list->n; i++) {
        const struct yaml_node *item = list->items[i];
        if (item->kind != YAML_TEXT
            || catalog_find_method(w->context->catalog, item->text) == NULL)
            return yaml_error(err, item, "this is no known method");
        *applies = *applies || strcmp(item->text, w->b->space->method->name) == 0;
    }
    return 0;
}

static int
bind_rule_key(const struct binder *w, struct rule *r, const struct yaml_node *key,
              const struct yaml_node *node, bool exclude, struct err *err)
{
    int slot;

    if (strcmp(key->text, "method") == 0)
        return 0;
    if (exclude && strcmp(key->text, "when") == 0)
        return when_parse(&r->when, node, w->b->space, &w->file->mem, err);
    if (find_slot(w, key, &slot, err) != 0)
        return -1;
    r->never = r->never || (exclude && slot < 0);
    if (slot < 0)
        return 0;
    struct term *t =
        add_term(&r->terms, (struct term){.slot = slot, .key = key, .node = node});
    return values_count(&t->count, node, w->b->space->params[slot].param, err);
}

static int
bind_rule(const struct binder *w, struct rules *rules, const struct yaml_node *map,
          bool exclude, struct err *err)
{
    bool applies;

    if (rule_applies(w, map, &applies, err) != 0)
        return -1;
    if (!applies)
        return 0;
    rules->items =
        xgrow(rules->items, &rules->capacity, rules->n + 1, sizeof *rules->items);
    struct rule *r = &rules->items[rules->n++];
    *r = (struct rule){.at = map};
    for (size_t i = 0; i < map->n; i++)
        if (bind_rule_key(w, r, map->keys[i], map->items[i], exclude, err) != 0)
            return -1;
    if (check_size(w, &r->terms, map, "this element", err) != 0)
        return -1;
    return read_values(w, &r->terms, err);
}

static int
bind_rules(const struct binder *w, struct rules *rules, const struct yaml_node *list,
           bool exclude, struct err *err)
{
    for (size_t i = 0; list != NULL && i < list->n; i++)
        if (bind_rule(w, rules, list->items[i], exclude, err) != 0)
            return -1;
    return 0;
}

int
bind_method(struct binding *out, struct sweep_file *file, struct space *space,
            const struct bind_context *context, struct err *err)
{
    const struct binder w = {out, file, context};

    *out = (struct binding){.space = space};
    for (size_t i = 0; i < file->n_entries; i++)
        if (strcmp(file->entries[i].key->text, "method") != 0
            && resolve(&w, &file->entries[i], err) != 0)
            return -1;
    const struct yaml_node *grid = yaml_get(file->root, "grid");
    if (check_size(&w, &out->terms, grid ? grid : file->root, "the grid", err) != 0
        || read_values(&w, &out->terms, err) != 0 || read_conditions(&w, err) != 0
        || bind_rules(&w, &out->exclude, file->exclude, true, err) != 0)
        return -1;
    return bind_rules(&w, &out->include, file->include, false, err);
}

static const struct yaml_node *
origin_in(const struct terms *terms, int slot, uint32_t number)
{
    for (size_t i = 0; i < terms->n; i++) {
        const struct term *t = &terms->items[i];
        for (size_t k = 0; t->slot == slot && k < t->values.n; k++)
            if (t->values.items[k].number == number)
                return t->values.items[k].at;
    }
    return NULL;
}

const struct yaml_node *
bind_origin(const struct binding *b, int slot, uint32_t number)
{
    const struct yaml_node *at = origin_in(&b->terms, slot, number);

    for (size_t i = 0; at == NULL && i < b->include.n; i++)
        at = origin_in(&b->include.items[i].terms, slot, number);
    return at;
}

static void
release_terms(struct terms *terms)
{
    for (size_t i = 0; i < terms->n; i++)
        values_release(&terms->items[i].values);
    free(terms->items);
}

static void
release_rules(struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        release_terms(&rules->items[i].terms);
    free(rules->items);
}

void
bind_release(struct binding *b)
{
    release_terms(&b->terms);
    release_rules(&b->exclude);
    release_rules(&b->include);
    *b = (struct binding){0};
}
