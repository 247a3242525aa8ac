/*
 * yaml.c - our tree over libyaml's events. Keeps positions, bounds depth, size and
 * alias expansion while reading, so that nothing downstream has to fear the file.
 * It must not know what a sweep is.
 */
#include "coordinator/sweep/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct anchor {
    const char *name;
    struct yaml_node *node;
    bool complete; /* false while its own contents are being read */
};

struct reader {
    yaml_parser_t parser;
    const char *file;
    struct arena *mem;
    struct anchor anchors[YAML_MAX_ANCHORS];
    size_t n_anchors, n_nodes;
};

const char *
yaml_kind_name(enum yaml_kind kind)
{
    static const char *const names[] = {"a word", "a list", "a map"};

    return names[kind];
}

const char *
yaml_where(char *to, size_t size, const struct yaml_node *at)
{
    if (at->line > 0)
        snprintf(to, size, "%s:%d:%d", at->file, at->line, at->column);
    else
        snprintf(to, size, "%s", at->file);
    return to;
}

int
yaml_error(struct err *err, const struct yaml_node *at, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(err, ERR_USAGE, "%s", text);
    return yaml_error_wrap(err, at);
}

int
yaml_error_wrap(struct err *err, const struct yaml_node *at)
{
    char where[512];

    err->kind = ERR_USAGE;
    return err_wrap(err, "%s", yaml_where(where, sizeof where, at));
}

struct yaml_node *
yaml_text(const char *where, const char *text, struct arena *mem)
{
    struct yaml_node *node = arena_alloc(mem, sizeof *node);

    *node = (struct yaml_node){.kind = YAML_TEXT,
                               .file = arena_strdup(mem, where),
                               .text = arena_strdup(mem, text),
                               .weight = 1};
    return node;
}

const struct yaml_node *
yaml_get(const struct yaml_node *map, const char *key)
{
    for (size_t i = 0; map->kind == YAML_MAP && i < map->n; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    return NULL;
}

/* An error at a mark of the parser, where there is no node yet. */
static int
mark_error(const struct reader *r, yaml_mark_t mark, struct err *err, const char *text)
{
    return err_set(err, ERR_USAGE, "%s:%zu:%zu: %s", r->file, mark.line + 1,
                   mark.column + 1, text);
}

static int
syntax_error(const struct reader *r, struct err *err)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem != NULL ? p->problem : "not readable as YAML";
    const char *hint = "";

    if (p->error == YAML_READER_ERROR)
        return err_set(err, ERR_USAGE, "%s: byte %zu: %s; the file must be UTF-8 text",
                       r->file, p->problem_offset, problem);
    if (strstr(problem, "cannot start any token") != NULL)
        hint = " (tabs cannot indent; text that begins with @, ` or % needs quotes)";
    return err_set(err, ERR_USAGE, "%s:%zu:%zu: %s%s%s%s", r->file,
                   p->problem_mark.line + 1, p->problem_mark.column + 1,
                   p->context != NULL ? p->context : "", p->context != NULL ? ": " : "",
                   problem, hint);
}

static int
next_event(struct reader *r, yaml_event_t *event, struct err *err)
{
    return yaml_parser_parse(&r->parser, event) ? 0 : syntax_error(r, err);
}

static struct yaml_node *
new_node(struct reader *r, enum yaml_kind kind, const yaml_event_t *event)
{
    struct yaml_node *node = arena_alloc(r->mem, sizeof *node);

    *node = (struct yaml_node){.kind = kind,
                               .file = r->file,
                               .line = (int)event->start_mark.line + 1,
                               .column = (int)event->start_mark.column + 1,
                               .weight = 1};
    return node;
}

/* Remembers an anchor; *index is the place to complete later, -1 without anchor. */
static int
open_anchor(struct reader *r, const yaml_char_t *name, struct yaml_node *node,
            int *index, struct err *err)
{
    *index = -1;
    if (name == NULL)
        return 0;
    if (r->n_anchors == YAML_MAX_ANCHORS)
        return yaml_error(err, node, "more than %d anchors", YAML_MAX_ANCHORS);
    *index = (int)r->n_anchors;
    r->anchors[r->n_anchors++] = (struct anchor){
        .name = arena_strdup(r->mem, (const char *)name),
        .node = node,
    };
    return 0;
}

static int
find_alias(struct reader *r, const yaml_event_t *event, struct yaml_node **out,
           struct err *err)
{
    const char *name = (const char *)event->data.alias.anchor;
    char text[160];

    for (size_t i = r->n_anchors; i-- > 0;) {
        if (strcmp(r->anchors[i].name, name) != 0)
            continue;
        *out = r->anchors[i].node;
        if (r->anchors[i].complete)
            return 0;
        snprintf(text, sizeof text, "alias *%.60s contains itself", name);
        return mark_error(r, event->start_mark, err, text);
    }
    snprintf(text, sizeof text, "alias *%.60s has no anchor &%.60s before it", name,
             name);
    return mark_error(r, event->start_mark, err, text);
}

/* Adds the child to node->items (and its key), keeping count of expanded nodes. */
static int
add_child(struct yaml_node *node, size_t *capacity, struct yaml_node *key,
          struct yaml_node *item, struct err *err)
{
    if (node->n == *capacity) {
        node->items = xgrow(node->items, capacity, node->n + 1, sizeof *node->items);
        if (node->kind == YAML_MAP)
            node->keys = xrealloc(node->keys, *capacity * sizeof(struct yaml_node *));
    }
    if (key != NULL)
        node->keys[node->n] = key;
    node->items[node->n++] = item;
    node->weight += item->weight + (key != NULL);
    if (node->weight > YAML_MAX_NODES)
        return yaml_error(err, node, "the file has more than %d nodes%s",
                          YAML_MAX_NODES, " when its aliases are written out");
    return 0;
}

/* Moves the growing arrays into the arena, on success and on failure alike. */
static void
settle(struct reader *r, struct yaml_node *node)
{
    const size_t size = node->n * sizeof(struct yaml_node *);
    struct yaml_node **items = node->items, **keys = node->keys;

    node->items = arena_alloc(r->mem, size + 1);
    if (size > 0)
        memcpy(node->items, items, size);
    if (node->kind == YAML_MAP) {
        node->keys = arena_alloc(r->mem, size + 1);
        if (size > 0)
            memcpy(node->keys, keys, size);
    }
    free(items);
    free(keys);
}

static int
check_key(const struct yaml_node *map, const struct yaml_node *key, struct err *err)
{
    if (key->kind != YAML_TEXT)
        return yaml_error(err, key, "a key must be a word, not %s",
                          yaml_kind_name(key->kind));
    if (strcmp(key->text, "<<") == 0)
        return yaml_error(err, key,
                          "merge keys (<<) are not read; name a preset with `base:`");
    if (map->n >= YAML_MAX_KEYS)
        return yaml_error(err, key, "a map of more than %d keys", YAML_MAX_KEYS);
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->keys[i]->text, key->text) == 0)
            return yaml_error(err, key, "key `%.100s` is already there in line %d",
                              key->text, map->keys[i]->line);
    return 0;
}

static int read_node(struct reader *r, yaml_event_t *event, int depth,
                     struct yaml_node **out, struct err *err);

/* Reads the next node, or sets *out to NULL at the end of the list or map. */
static int
read_next(struct reader *r, int depth, struct yaml_node **out, struct err *err)
{
    yaml_event_t event;

    *out = NULL;
    if (next_event(r, &event, err) != 0)
        return -1;
    int rc = 0;
    if (event.type != YAML_SEQUENCE_END_EVENT && event.type != YAML_MAPPING_END_EVENT)
        rc = read_node(r, &event, depth, out, err);
    yaml_event_delete(&event);
    return rc;
}

static int
read_children(struct reader *r, struct yaml_node *node, int depth, struct err *err)
{
    struct yaml_node *key = NULL, *item;
    size_t capacity = 0;
    int rc;

    for (;;) {
        rc = read_next(r, depth + 1, &item, err);
        if (rc != 0 || item == NULL)
            break;
        if (node->kind == YAML_MAP) {
            key = item;
            rc = check_key(node, key, err);
            if (rc == 0)
                rc = read_next(r, depth + 1, &item, err);
        }
        if (rc == 0)
            rc = add_child(node, &capacity, key, item, err);
        if (rc != 0)
            break;
    }
    settle(r, node);
    return rc;
}

static int
read_text(struct reader *r, const yaml_event_t *event, struct yaml_node *node,
          struct err *err)
{
    const char *text = (const char *)event->data.scalar.value;

    if (strlen(text) != event->data.scalar.length)
        return yaml_error(err, node, "the text contains a zero byte");
    node->text = arena_strdup(r->mem, text);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return 0;
}

/* Anchor and tag of the three kinds of node stand at different places in libyaml. */
static void
properties(const yaml_event_t *event, const yaml_char_t **anchor,
           const yaml_char_t **tag, enum yaml_kind *kind)
{
    if (event->type == YAML_SCALAR_EVENT) {
        *kind = YAML_TEXT;
        *anchor = event->data.scalar.anchor;
        *tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        *kind = YAML_LIST;
        *anchor = event->data.sequence_start.anchor;
        *tag = event->data.sequence_start.tag;
    } else {
        *kind = YAML_MAP;
        *anchor = event->data.mapping_start.anchor;
        *tag = event->data.mapping_start.tag;
    }
}

static int
read_node(struct reader *r, yaml_event_t *event, int depth, struct yaml_node **out,
          struct err *err)
{
    const yaml_char_t *name, *tag;
    enum yaml_kind kind;
    int anchor;

    if (event->type == YAML_ALIAS_EVENT)
        return find_alias(r, event, out, err);
    properties(event, &name, &tag, &kind);
    struct yaml_node *node = new_node(r, kind, event);
    if (depth > YAML_MAX_DEPTH)
        return yaml_error(err, node, "nested more than %d deep", YAML_MAX_DEPTH);
    if (++r->n_nodes > YAML_MAX_NODES)
        return yaml_error(err, node, "the file has more than %d nodes", YAML_MAX_NODES);
    if (tag != NULL)
        return yaml_error(err, node, "tags (%.60s) are not read; write plain text",
                          (const char *)tag);
    if (open_anchor(r, name, node, &anchor, err) != 0)
        return -1;
    const int rc = kind == YAML_TEXT ? read_text(r, event, node, err)
                                     : read_children(r, node, depth, err);
    if (anchor >= 0)
        r->anchors[anchor].complete = true;
    *out = node;
    return rc;
}

/* Reads stream start, at most one document, stream end. */
static int
read_stream(struct reader *r, struct yaml_node **out, struct err *err)
{
    bool done = false;
    int rc = 0;

    while (rc == 0 && !done) {
        yaml_event_t event;
        if (next_event(r, &event, err) != 0)
            return -1;
        if (event.type == YAML_DOCUMENT_START_EVENT && *out != NULL)
            rc = mark_error(r, event.start_mark, err,
                            "a second document begins; a sweep file holds one");
        else if (event.type == YAML_DOCUMENT_START_EVENT)
            rc = read_next(r, 1, out, err);
        else if (event.type == YAML_STREAM_END_EVENT)
            done = true;
        yaml_event_delete(&event);
    }
    return rc;
}

static struct yaml_node *
empty_map(const struct reader *r)
{
    struct yaml_node *node = arena_alloc(r->mem, sizeof *node);

    *node = (struct yaml_node){
        .kind = YAML_MAP, .file = r->file, .line = 1, .column = 1, .weight = 1};
    return node;
}

int
yaml_read(struct yaml_node **out, const char *text, size_t size, const char *file,
          struct arena *mem, struct err *err)
{
    *out = NULL;
    if (size > YAML_MAX_BYTES)
        return err_set(err, ERR_USAGE, "%s: larger than %d KiB", file,
                       YAML_MAX_BYTES / 1024);
    struct reader *r = arena_alloc(mem, sizeof *r);
    r->file = arena_strdup(mem, file);
    r->mem = mem;
    if (!yaml_parser_initialize(&r->parser))
        return err_set(err, ERR_OOM, "%s: no memory for the YAML parser", file);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, size);
    const int rc = read_stream(r, out, err);
    yaml_parser_delete(&r->parser);
    if (rc == 0 && *out == NULL)
        *out = empty_map(r);
    return rc;
}
