#ifndef COORDINATOR_SWEEP_SPACE_H
#define COORDINATOR_SWEEP_SPACE_H

#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/json.h"
#include "shared/spec/catalog.h"

/*
 * The parameters of one method, each once, numbered by slots, and the values that a
 * sweep has for each, numbered from 1. Equal values of a slot have one number, so that
 * points of the space are short rows of numbers; 0 stands for a value that is absent.
 */
enum { SPACE_ABSENT = 0 };

struct space_value {
    json_t *json;
    char *text; /* canonical JSON */
};

struct space_param {
    const struct param *param;
    char *key;     /* "name": with quotes and colon, as in canonical JSON */
    uint32_t dflt; /* number of the default; SPACE_ABSENT: required */
    uint32_t n;    /* numbers are below this */
    size_t capacity;
    struct space_value *values; /* by number; the one of SPACE_ABSENT is empty */
    json_t *numbers;            /* {"canonical text": number} */
};

struct space {
    const struct catalog_method *method;
    json_t *name; /* of the method */
    struct space_param *params;
    size_t n;
    size_t *sorted; /* slots by their parameters' names, as canonical JSON has them */
    int preset;     /* slot of the method's presets, which may stay empty; -1: none */
};

MUST_CHECK int space_init(struct space *out, const struct catalog_method *m,
                          struct err *err);
void space_release(struct space *s);

/* Slot of a parameter, -1 where the method has none of this name. */
int space_slot(const struct space *s, const char *name);

/* Reads `text` as a value of the slot. */
MUST_CHECK int space_read(uint32_t *number, struct space *s, int slot, const char *text,
                          struct err *err);

/* The value of a number; NULL for SPACE_ABSENT. Borrowed. */
json_t *space_json(const struct space *s, size_t slot, uint32_t number);

/* Number of the slot's value that people write as this text, SPACE_ABSENT where no such
 * value has been read. */
uint32_t space_find(const struct space *s, int slot, const char *text);

#endif
