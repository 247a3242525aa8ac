#ifndef COORDINATOR_SWEEP_YAML_H
#define COORDINATOR_SWEEP_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"
#include "shared/base/mem.h"

/*
 * A YAML file as a tree in which every node knows its file, line and column. Scalars
 * stay text: what `1e-4`, `on` or `015` mean is decided by the parameter that reads
 * them, never by YAML. Nodes live in the arena that yaml_read was given.
 */
enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    const char *file;
    int line, column;         /* counted from 1; line 0: not from a file, see `file` */
    const char *text;         /* TEXT */
    bool quoted;              /* TEXT: written in quotes */
    struct yaml_node **keys;  /* MAP: TEXT nodes, all different */
    struct yaml_node **items; /* LIST: elements; MAP: values, items[i] of keys[i] */
    size_t n;
    size_t weight; /* nodes below and including this one, aliases written out */
};

/* Limits of one file; beyond them reading stops with an error. */
enum {
    YAML_MAX_BYTES = 1 << 20,
    YAML_MAX_DEPTH = 32,
    YAML_MAX_NODES = 200 * 1000, /* with aliases written out */
    YAML_MAX_KEYS = 1000,        /* of one map */
    YAML_MAX_ANCHORS = 1000,
};

/* Reads one document; an empty file gives an empty map. ERR_USAGE with file:line:column
 * for what is not YAML, duplicate keys (with both lines), tags, merge keys, a second
 * document, aliases to themselves, and anything beyond the limits. */
MUST_CHECK int yaml_read(struct yaml_node **out, const char *text, size_t size,
                         const char *file, struct arena *mem, struct err *err);

/* A TEXT node that stands for something outside a file; `where` begins its errors. */
struct yaml_node *yaml_text(const char *where, const char *text, struct arena *mem);

/* Value of `key` in a map; NULL where there is none, or no map. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* "a word", "a list", "a map": for errors. */
const char *yaml_kind_name(enum yaml_kind kind);

/* Writes "file:line:column" to `to`, and returns it. */
const char *yaml_where(char *to, size_t size, const struct yaml_node *at);

/* ERR_USAGE with "file:line:column: " before the text. Returns -1. */
int yaml_error(struct err *err, const struct yaml_node *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts the same prefix before an error that has been set; makes it ERR_USAGE. */
int yaml_error_wrap(struct err *err, const struct yaml_node *at);

#endif
