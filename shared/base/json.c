/* json.c - helpers over jansson: errors for people, canonical text for digests. */
#include "shared/base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

int
json_parse(json_t **out, const char *text, size_t size, const char *what,
           struct err *err)
{
    json_error_t je;

    *out = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
    if (*out == NULL)
        return err_set(err, ERR_DATA, "%s:%d:%d: %s", what, je.line, je.column,
                       je.text);
    return 0;
}

int
json_load(json_t **out, const char *path, struct err *err)
{
    struct buf text = {0};

    *out = NULL;
    if (file_read(&text, path, err) != 0)
        return -1;
    const int rc = json_parse(out, buf_str(&text), text.len, path, err);
    buf_release(&text);
    return rc;
}

/* Shortest decimal text that reads back to the same double. */
static void
put_real(struct buf *b, double v)
{
    char text[40];

    if (v == 0)
        v = 0; /* -0 and 0 are the same parameter */
    if (v == floor(v) && fabs(v) < 1e15) {
        buf_printf(b, "%.1f", v);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_puts(b, text);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_value(struct buf *b, const json_t *v);

static void
put_text(struct buf *b, const char *s)
{
    json_t *text = json_string(s);
    char *quoted = json_dumps(text, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

    buf_puts(b, quoted != NULL ? quoted : "\"\"");
    free(quoted);
    json_decref(text);
}

static void
put_object(struct buf *b, const json_t *v)
{
    const size_t n = json_object_size(v);
    const char **keys = xcalloc(n, sizeof *keys);
    const char *key;
    json_t *member;
    size_t i = 0;

    json_object_foreach((json_t *)v, key, member) keys[i++] = key;
    qsort(keys, n, sizeof *keys, by_name);
    buf_putc(b, '{');
    for (i = 0; i < n; i++) {
        if (i > 0)
            buf_putc(b, ',');
        put_text(b, keys[i]);
        buf_putc(b, ':');
        put_value(b, json_object_get(v, keys[i]));
    }
    buf_putc(b, '}');
    free(keys);
}

static void
put_array(struct buf *b, const json_t *v)
{
    buf_putc(b, '[');
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (i > 0)
            buf_putc(b, ',');
        put_value(b, json_array_get(v, i));
    }
    buf_putc(b, ']');
}

static void
put_value(struct buf *b, const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT: put_object(b, v); break;
    case JSON_ARRAY: put_array(b, v); break;
    case JSON_STRING: put_text(b, json_string_value(v)); break;
    case JSON_INTEGER: buf_printf(b, "%" PRId64, (int64_t)json_integer_value(v)); break;
    case JSON_REAL: put_real(b, json_real_value(v)); break;
    case JSON_TRUE: buf_puts(b, "true"); break;
    case JSON_FALSE: buf_puts(b, "false"); break;
    case JSON_NULL: buf_puts(b, "null"); break;
    }
}

char *
json_canonical(const json_t *value)
{
    struct buf b = {0};

    put_value(&b, value);
    return buf_take(&b);
}

int
json_save(const json_t *value, const char *path, struct err *err)
{
    char *text = json_dumps(value, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    if (text == NULL)
        return err_set(err, ERR_BUG, "%s: value cannot be written as JSON", path);
    const int rc = file_write(path, text, strlen(text), err);
    free(text);
    return rc;
}

int
json_need_string(const char **out, const json_t *obj, const char *key, const char *what,
                 struct err *err)
{
    const json_t *v = json_object_get(obj, key);

    if (v == NULL)
        return err_set(err, ERR_DATA, "%s: key `%s` is missing", what, key);
    if (!json_is_string(v))
        return err_set(err, ERR_DATA, "%s: key `%s` must be a string", what, key);
    *out = json_string_value(v);
    return 0;
}

int
json_need_int(int64_t *out, const json_t *obj, const char *key, const char *what,
              struct err *err)
{
    const json_t *v = json_object_get(obj, key);

    if (v == NULL)
        return err_set(err, ERR_DATA, "%s: key `%s` is missing", what, key);
    if (!json_is_integer(v))
        return err_set(err, ERR_DATA, "%s: key `%s` must be an integer", what, key);
    *out = json_integer_value(v);
    return 0;
}

const char *
json_str(const json_t *obj, const char *key, const char *fallback)
{
    const char *s = json_string_value(json_object_get(obj, key));

    return s != NULL ? s : fallback;
}

double
json_num(const json_t *obj, const char *key, double fallback)
{
    const json_t *v = json_object_get(obj, key);

    return json_is_number(v) ? json_number_value(v) : fallback;
}

int64_t
json_int(const json_t *obj, const char *key, int64_t fallback)
{
    const json_t *v = json_object_get(obj, key);

    return json_is_integer(v) ? (int64_t)json_integer_value(v) : fallback;
}

bool
json_has_text(const json_t *list, const char *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *found = json_string_value(item);
        if (found != NULL && strcmp(found, text) == 0)
            return true;
    }
    return false;
}
