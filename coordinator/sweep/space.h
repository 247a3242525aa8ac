#ifndef COORDINATOR_SWEEP_SPACE_H
#define COORDINATOR_SWEEP_SPACE_H

#include "shared/base/err.h"
#include "shared/base/json.h"
#include "shared/spec/catalog.h"

/*
 * The parameters of one method, each once, numbered by slots. A point of the space is
 * an array of one borrowed value a slot. Values are interned: within one pool equal
 * values of a parameter are the same json_t, so that points compare by pointers.
 */
struct space {
    const struct catalog_method *method;
    const struct param **params;
    json_t **defaults; /* borrowed from the pool; NULL: required */
    size_t n;
    int preset;   /* slot of the method's presets, which may stay empty; -1: none */
    json_t *pool; /* {"param": {"canonical text": value}}, borrowed */
};

MUST_CHECK int space_init(struct space *out, const struct catalog_method *m,
                          json_t *pool, struct err *err);
void space_release(struct space *s);

/* Slot of a parameter, -1 where the method has none of this name. */
int space_slot(const struct space *s, const char *name);

/* Reads `text` as a value of the slot; *out is borrowed from the pool. */
MUST_CHECK int space_read(json_t **out, const struct space *s, int slot,
                          const char *text, struct err *err);

#endif
