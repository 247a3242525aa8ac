#ifndef SHARED_BASE_JSON_H
#define SHARED_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "shared/base/err.h"

/* Helpers over jansson. Values returned through json_t** are owned by the caller. */

/* Parses `text` (what: "catalogue", a file name, ... for the error text). Duplicate keys
 * and depth over 64 are errors. */
MUST_CHECK int json_parse(json_t **out, const char *text, size_t size, const char *what,
                          struct err *err);
MUST_CHECK int json_load(json_t **out, const char *path, struct err *err);

/* Canonical form for digests: sorted keys, no spaces, doubles as the shortest text that
 * reads back to the same value. Caller frees. */
char *json_canonical(const json_t *value);

/* Writes to a temporary file in the same folder, then renames. */
MUST_CHECK int json_save(const json_t *value, const char *path, struct err *err);

/* Member access with the error a person needs ("what: key `k` is missing"). Borrowed. */
MUST_CHECK int json_need_string(const char **out, const json_t *obj, const char *key,
                                const char *what, struct err *err);
MUST_CHECK int json_need_int(int64_t *out, const json_t *obj, const char *key,
                             const char *what, struct err *err);

/* "" / fallback when absent or of another type. */
const char *json_str(const json_t *obj, const char *key, const char *fallback);
double json_num(const json_t *obj, const char *key, double fallback);
int64_t json_int(const json_t *obj, const char *key, int64_t fallback);

/* Is one of the items of `list` this text? False where it is no list. */
bool json_has_text(const json_t *list, const char *text);

#endif
