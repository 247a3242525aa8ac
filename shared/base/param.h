#ifndef SHARED_BASE_PARAM_H
#define SHARED_BASE_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/json.h"

/*
 * A parameter table is the only place where an option's name, type, default, range
 * and sentence are written. The same table parses command lines (args.h), validates
 * sweep files (through the catalogue), fills config structs, prints help, and decides
 * what enters a job's digest.
 */
enum param_type {
    PARAM_BOOL,     /* field bool;         "true|false"; a flag on a command line */
    PARAM_INT,      /* field int64_t;      "128", "50k", "1m" */
    PARAM_REAL,     /* field double;       "0.05", "8/255" */
    PARAM_STRING,   /* field const char *; anything printable */
    PARAM_CHOICE,   /* field const char *; one of .choices */
    PARAM_BUDGET,   /* field const char *; ReLU count "50k", share "10%", or "all" */
    PARAM_SET,      /* field const char *; "clean,pgd-7", each one of .choices */
    PARAM_SUM,      /* field const char *; "0.5*ce+kl", each term one of .choices */
    PARAM_PERCENTS, /* field const char *; "62.5,75,87.5", rising, or "none" */
    PARAM_TYPE_COUNT,
};

struct param {
    const char *name;
    enum param_type type;
    size_t offset;              /* into the config struct */
    const char *dflt;           /* as a person would write it; NULL: none, required */
    double min, max;            /* inclusive, for INT and REAL */
    const char *const *choices; /* NULL-terminated, for CHOICE, SET, SUM */
    const char *doc;            /* unit and meaning, one line */
};

/* Rows of a table. The _Generic makes a field of another type a compile error. */
#define PARAM_FIELD(T, field, ctype) \
    _Generic(((T *)0)->field, ctype : offsetof(T, field))
/* clang-format off */
#define PARAM_ROW_BOOL(T, f, d, text) \
    {.name = #f, .type = PARAM_BOOL, .offset = PARAM_FIELD(T, f, bool), \
     .dflt = d, .doc = text}
#define PARAM_ROW_INT(T, f, d, lo, hi, text) \
    {.name = #f, .type = PARAM_INT, .offset = PARAM_FIELD(T, f, int64_t), \
     .dflt = d, .min = lo, .max = hi, .doc = text}
#define PARAM_ROW_REAL(T, f, d, lo, hi, text) \
    {.name = #f, .type = PARAM_REAL, .offset = PARAM_FIELD(T, f, double), \
     .dflt = d, .min = lo, .max = hi, .doc = text}
#define PARAM_ROW_STRING(T, f, d, text) \
    {.name = #f, .type = PARAM_STRING, .offset = PARAM_FIELD(T, f, const char *), \
     .dflt = d, .doc = text}
#define PARAM_ROW_CHOICE(T, f, d, list, text) \
    {.name = #f, .type = PARAM_CHOICE, .offset = PARAM_FIELD(T, f, const char *), \
     .dflt = d, .choices = list, .doc = text}
#define PARAM_ROW_SET(T, f, d, list, text) \
    {.name = #f, .type = PARAM_SET, .offset = PARAM_FIELD(T, f, const char *), \
     .dflt = d, .choices = list, .doc = text}
#define PARAM_ROW_SUM(T, f, d, list, text) \
    {.name = #f, .type = PARAM_SUM, .offset = PARAM_FIELD(T, f, const char *), \
     .dflt = d, .choices = list, .doc = text}
#define PARAM_ROW_PERCENTS(T, f, d, text) \
    {.name = #f, .type = PARAM_PERCENTS, .offset = PARAM_FIELD(T, f, const char *), \
     .dflt = d, .doc = text}
#define PARAM_ROW_BUDGET(T, f, d, text) \
    {.name = #f, .type = PARAM_BUDGET, .offset = PARAM_FIELD(T, f, const char *), \
     .dflt = d, .doc = text}
/* clang-format on */
#define PARAM_COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *param_type_name(enum param_type type);

/* Row called `name`, or NULL. */
const struct param *param_find(const struct param *params, size_t n, const char *name);

/* The name nearest to `wrong` among n rows when it is near enough to be a slip of the
 * finger, else NULL. */
const char *param_nearest(const struct param *params, size_t n, const char *wrong);

/* Reads `text` as a value of this parameter: canonical JSON (bool, integer, real,
 * string; a budget becomes the string "50000", "10%" or "all"; sets and sums are put
 * into the order of .choices), new reference in *out. Two spellings of one value give
 * equal JSON. ERR_USAGE says the allowed values. */
MUST_CHECK int param_read(json_t **out, const struct param *p, const char *text,
                          struct err *err);

/* Fills `config` from the object `values`; absent members take their default; unknown
 * members are an error naming the nearest one. Every row's canonical value is put into
 * `values`, and strings are borrowed from there. `what` names the object in errors. */
MUST_CHECK int param_apply(const struct param *params, size_t n, json_t *values,
                           void *config, const char *what, struct err *err);

/* [{"name","type","default","min","max","choices","doc"}, ...], new reference. */
json_t *param_table_to_json(const struct param *params, size_t n);

/* The reverse, for catalogues. All memory comes from `mem`. ERR_DATA if malformed. */
struct arena;
MUST_CHECK int param_table_from_json(struct param **out, size_t *n, const json_t *rows,
                                     struct arena *mem, struct err *err);

/* The next item of a canonical SET or SUM at *cursor (start: the text): its name goes to
 * `name` (size bytes), its weight, NaN where none was written, to *weight (may be NULL).
 * Returns false at the end. */
bool param_next_item(const char **cursor, char *name, size_t size, double *weight);

/* "50k", "1.5m", "10000" -> 50000, ...; -1 when it is not a whole number >= 0. */
int64_t param_parse_count(const char *text);

#endif
