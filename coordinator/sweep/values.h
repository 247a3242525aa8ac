#ifndef COORDINATOR_SWEEP_VALUES_H
#define COORDINATOR_SWEEP_VALUES_H

#include "coordinator/sweep/space.h"
#include "coordinator/sweep/yaml.h"

/*
 * The values that a node of a sweep file stands for: a word, a list, range(a,b,step)
 * (b is not reached), choice(a,b,c). For a parameter that is itself a set (evaluate) an
 * inner list is one value, its words joined by commas.
 */
struct value {
    uint32_t number; /* in the space */
    const struct yaml_node *at;
};

struct values {
    struct value *items;
    size_t n, capacity;
};

/* How many values there are, by arithmetic, without making them. */
MUST_CHECK int values_count(int64_t *n, const struct yaml_node *node,
                            const struct param *p, struct err *err);

/* Reads them all; a value that stands twice is an error. `notes` (JSON array) receives
 * a sentence where a word may not mean what it looks like (015). */
MUST_CHECK int values_read(struct values *out, const struct yaml_node *node,
                           struct space *s, int slot, json_t *notes, struct err *err);

/* Splits the text of a --set option at commas outside parentheses into a list. A single
 * value stays one word, and so does that of a set, string or percents parameter, in
 * which commas have a meaning of their own. */
const struct yaml_node *values_split(const struct yaml_node *text,
                                     const struct param *p, struct arena *mem);

void values_release(struct values *v);

#endif
