/*
 * safetensors.c - reader and writer of the safetensors format: u64 LE length N, N bytes
 * of JSON header, data. Invariant of the reader: no byte of the header is believed
 * before it was checked, and every byte of the data belongs to exactly one tensor. The
 * writer keeps the reference writer's order (wide types first, then by name), so that
 * equal contents give equal bytes. Must not know what the tensors mean.
 */
#include "worker/pipeline/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "data are little-endian");

enum { LENGTH_BYTES = 8, MAX_HEADER = 100000000, ALIGN = 64 };

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [ST_F32] = {"F32", 4}, [ST_F16] = {"F16", 2},   [ST_BF16] = {"BF16", 2},
    [ST_F64] = {"F64", 8}, [ST_I64] = {"I64", 8},   [ST_I32] = {"I32", 4},
    [ST_U8] = {"U8", 1},   [ST_BOOL] = {"BOOL", 1},
};

/* ---- reader ---------------------------------------------------------------------- */

struct st_file {
    json_t *header; /* owns the names */
    struct st_tensor *tensors;
    size_t n;
    char *block; /* the data, every tensor aligned */
    char *what;  /* for errors */
};

/* Where a tensor's bytes lie, relative to the data's start. */
struct place {
    int64_t begin, end;
    struct st_tensor *tensor;
};

static int
by_name(const void *a, const void *b)
{
    const struct st_tensor *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static int
by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static int
read_dtype(struct st_tensor *t, const json_t *info, struct err *err)
{
    const char *name = json_str(info, "dtype", NULL);

    for (size_t i = 0; name != NULL && i < sizeof dtypes / sizeof dtypes[0]; i++) {
        if (strcmp(dtypes[i].name, name) != 0)
            continue;
        t->dtype = (enum st_dtype)i;
        return 0;
    }
    return err_set(err, ERR_DATA, "tensor `%s`: dtype `%s` is not known", t->name,
                   name != NULL ? name : "(none)");
}

static int
read_shape(struct st_tensor *t, const json_t *info, struct err *err)
{
    const json_t *shape = json_object_get(info, "shape");
    const size_t rank = json_array_size(shape);
    const size_t max_rank = sizeof t->dims / sizeof t->dims[0];

    if (!json_is_array(shape) || rank > max_rank)
        return err_set(err, ERR_DATA, "tensor `%s`: shape must list at most %zu sizes",
                       t->name, max_rank);
    t->n_dims = (int)rank;
    t->count = 1;
    for (size_t i = 0; i < rank; i++) {
        const json_t *dim = json_array_get(shape, i);
        t->dims[i] = json_integer_value(dim);
        if (!json_is_integer(dim) || t->dims[i] < 0
            || __builtin_mul_overflow(t->count, t->dims[i], &t->count))
            return err_set(err, ERR_DATA, "tensor `%s`: impossible shape", t->name);
    }
    if (__builtin_mul_overflow((size_t)t->count, dtypes[t->dtype].size, &t->bytes)
        || t->bytes > INT64_MAX)
        return err_set(err, ERR_DATA, "tensor `%s`: impossible size", t->name);
    return 0;
}

static int
read_place(struct place *p, const json_t *info, int64_t data_size, struct err *err)
{
    const json_t *offsets = json_object_get(info, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);

    p->begin = json_integer_value(begin);
    p->end = json_integer_value(end);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin)
        || !json_is_integer(end) || p->begin < 0 || p->end < p->begin
        || p->end > data_size)
        return err_set(err, ERR_DATA,
                       "tensor `%s`: data_offsets lie outside the %" PRId64
                       " bytes of data",
                       p->tensor->name, data_size);
    if ((size_t)(p->end - p->begin) != p->tensor->bytes)
        return err_set(err, ERR_DATA,
                       "tensor `%s`: has %" PRId64 " bytes, its shape needs %zu",
                       p->tensor->name, p->end - p->begin, p->tensor->bytes);
    return 0;
}

static int
check_metadata(const json_t *metadata, struct err *err)
{
    const char *key;
    json_t *value;

    if (metadata != NULL && !json_is_object(metadata))
        return err_set(err, ERR_DATA, "__metadata__ is not an object");
    json_object_foreach((json_t *)metadata, key, value)
    {
        if (!json_is_string(value))
            return err_set(err, ERR_DATA, "__metadata__: `%s` is not a string", key);
    }
    return 0;
}

/* Fills f->tensors (order of the header) and `places` from the header. */
static int
read_rows(struct st_file *f, struct place *places, int64_t data_size, struct err *err)
{
    const char *name;
    json_t *info;

    if (check_metadata(json_object_get(f->header, "__metadata__"), err) != 0)
        return -1;
    json_object_foreach(f->header, name, info)
    {
        struct st_tensor *t = &f->tensors[f->n];
        struct place *p = &places[f->n];
        if (strcmp(name, "__metadata__") == 0)
            continue;
        t->name = name;
        p->tensor = t;
        if (!json_is_object(info) || json_object_size(info) != 3)
            return err_set(err, ERR_DATA,
                           "tensor `%s`: must have dtype, shape and data_offsets only",
                           name);
        if (read_dtype(t, info, err) != 0 || read_shape(t, info, err) != 0
            || read_place(p, info, data_size, err) != 0)
            return -1;
        f->n++;
    }
    return 0;
}

/* Sorts the places and checks that they tile the data: no hole, no overlap. */
static int
check_tiling(struct place *places, size_t n, int64_t data_size, struct err *err)
{
    int64_t at = 0;

    qsort(places, n, sizeof *places, by_place);
    for (size_t i = 0; i < n; i++) {
        if (places[i].begin != at)
            return err_set(err, ERR_DATA, "tensor `%s`: %s at byte %" PRId64 " of data",
                           places[i].tensor->name,
                           places[i].begin < at ? "overlaps another" : "follows a hole",
                           places[i].begin);
        at = places[i].end;
    }
    if (at != data_size)
        return err_set(err, ERR_DATA, "%" PRId64 " bytes of data belong to no tensor",
                       data_size - at);
    return 0;
}

static size_t
round_up(size_t bytes)
{
    return (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* Copies the data so that every tensor starts at an aligned address. */
static int
copy_data(struct st_file *f, const struct place *places, const char *data,
          struct err *err)
{
    size_t total = 0;

    for (size_t i = 0; i < f->n; i++)
        total += round_up(places[i].tensor->bytes);
    f->block = mem_large_alloc(total);
    if (f->block == NULL)
        return err_set(err, ERR_OOM, "no memory for %zu bytes of tensors", total);
    char *to = f->block;
    for (size_t i = 0; i < f->n; i++) {
        struct st_tensor *t = places[i].tensor;
        memcpy(to, data + places[i].begin, t->bytes);
        t->data = to;
        to += round_up(t->bytes);
    }
    return 0;
}

/* Parses the JSON header in front of the data. *data_at: offset of the data. */
static int
read_header(struct st_file *f, const char *bytes, size_t size, size_t *data_at,
            struct err *err)
{
    uint64_t length;

    if (size < LENGTH_BYTES)
        return err_set(err, ERR_DATA, "only %zu bytes long", size);
    memcpy(&length, bytes, LENGTH_BYTES);
    if (length > MAX_HEADER || length > size - LENGTH_BYTES)
        return err_set(err, ERR_DATA,
                       "header of %" PRIu64 " bytes does not fit a file of %zu", length,
                       size);
    if (length == 0 || bytes[LENGTH_BYTES] != '{')
        return err_set(err, ERR_DATA, "header does not start with `{`");
    *data_at = LENGTH_BYTES + (size_t)length;
    return json_parse(&f->header, bytes + LENGTH_BYTES, (size_t)length, "header", err);
}

static int
parse(struct st_file *f, const char *bytes, size_t size, struct err *err)
{
    size_t data_at = 0;

    if (read_header(f, bytes, size, &data_at, err) != 0)
        return -1;
    const int64_t data_size = (int64_t)(size - data_at);
    const size_t rows = json_object_size(f->header);
    struct place *places = xcalloc(rows, sizeof *places);
    f->tensors = xcalloc(rows, sizeof *f->tensors);
    int rc = -1;
    if (read_rows(f, places, data_size, err) == 0
        && check_tiling(places, f->n, data_size, err) == 0)
        rc = copy_data(f, places, bytes + data_at, err);
    free(places);
    if (rc == 0)
        qsort(f->tensors, f->n, sizeof *f->tensors, by_name);
    return rc;
}

int
st_parse(struct st_file **out, const void *bytes, size_t size, const char *what,
         struct err *err)
{
    struct st_file *f = xcalloc(1, sizeof *f);

    *out = NULL;
    f->what = xstrdup(what);
    if (parse(f, bytes, size, err) != 0) {
        st_free(f);
        return err_wrap(err, "%s", what);
    }
    *out = f;
    return 0;
}

int
st_read(struct st_file **out, const char *path, struct err *err)
{
    struct buf bytes = {0};

    *out = NULL;
    int rc = file_read(&bytes, path, err);
    if (rc == 0)
        rc = st_parse(out, buf_str(&bytes), bytes.len, path, err);
    buf_release(&bytes);
    return rc;
}

void
st_free(struct st_file *f)
{
    if (f == NULL)
        return;
    mem_large_free(f->block);
    free(f->tensors);
    free(f->what);
    json_decref(f->header);
    free(f);
}

size_t
st_count(const struct st_file *f)
{
    return f->n;
}

const struct st_tensor *
st_at(const struct st_file *f, size_t i)
{
    return &f->tensors[i];
}

const struct st_tensor *
st_find(const struct st_file *f, const char *name)
{
    const struct st_tensor key = {.name = name};

    return bsearch(&key, f->tensors, f->n, sizeof key, by_name);
}

const char *
st_metadata(const struct st_file *f, const char *key)
{
    return json_str(json_object_get(f->header, "__metadata__"), key, NULL);
}

int
st_need_f32(const float **out, const struct st_file *f, const char *name, int64_t count,
            struct err *err)
{
    const struct st_tensor *t = st_find(f, name);

    if (t == NULL)
        return err_set(err, ERR_DATA, "%s: tensor `%s` is missing", f->what, name);
    if (t->dtype != ST_F32 || t->count != count)
        return err_set(err, ERR_DATA,
                       "%s: tensor `%s` holds %" PRId64 " %s, needed are %" PRId64
                       " F32",
                       f->what, name, t->count, dtypes[t->dtype].name, count);
    *out = t->data;
    return 0;
}

/* ---- writer ---------------------------------------------------------------------- */

struct st_writer {
    struct st_tensor *tensors;
    size_t n, capacity;
    json_t *metadata;
    struct arena names;
};

struct st_writer *
st_writer_new(void)
{
    struct st_writer *w = xcalloc(1, sizeof *w);

    w->metadata = json_object();
    return w;
}

void
st_writer_free(struct st_writer *w)
{
    if (w == NULL)
        return;
    free(w->tensors);
    json_decref(w->metadata);
    arena_release(&w->names);
    free(w);
}

void
st_writer_add(struct st_writer *w, const char *name, enum st_dtype dtype,
              const int64_t *dims, int n_dims, const void *data)
{
    w->tensors = xgrow(w->tensors, &w->capacity, w->n + 1, sizeof *w->tensors);
    struct st_tensor *t = &w->tensors[w->n++];
    *t = (struct st_tensor){.name = arena_strdup(&w->names, name),
                            .dtype = dtype,
                            .n_dims = n_dims,
                            .count = 1,
                            .data = data};
    for (int i = 0; i < n_dims; i++) {
        t->dims[i] = dims[i];
        t->count *= dims[i];
    }
    t->bytes = (size_t)t->count * dtypes[dtype].size;
}

void
st_writer_metadata(struct st_writer *w, const char *key, const char *value)
{
    json_object_set_new(w->metadata, key, json_string(value));
}

/* Wide types first keeps every tensor aligned; names make the order total. */
static int
by_width_and_name(const void *a, const void *b)
{
    const struct st_tensor *x = a, *y = b;
    const size_t wx = dtypes[x->dtype].size, wy = dtypes[y->dtype].size;

    if (wx != wy)
        return wx > wy ? -1 : 1;
    return strcmp(x->name, y->name);
}

static json_t *
header_row(const struct st_tensor *t, size_t begin)
{
    json_t *shape = json_array();

    for (int i = 0; i < t->n_dims; i++)
        json_array_append_new(shape, json_integer(t->dims[i]));
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", dtypes[t->dtype].name, "shape",
                     shape, "data_offsets", (json_int_t)begin,
                     (json_int_t)begin + (json_int_t)t->bytes);
}

/* Appends length and header, padded with spaces so that the data start at 8 k. */
static int
put_header(struct buf *out, const struct st_writer *w, struct err *err)
{
    json_t *header = json_object();
    size_t begin = 0;

    if (json_object_size(w->metadata) > 0)
        json_object_set(header, "__metadata__", w->metadata);
    for (size_t i = 0; i < w->n; i++) {
        const struct st_tensor *t = &w->tensors[i];
        if (json_object_get(header, t->name) != NULL) {
            json_decref(header);
            return err_set(err, ERR_BUG, "two tensors are called `%s`", t->name);
        }
        json_object_set_new(header, t->name, header_row(t, begin));
        begin += t->bytes;
    }
    char *text = json_dumps(header, JSON_COMPACT);
    const uint64_t length = (strlen(text) + 7) & ~(uint64_t)7;
    buf_add(out, &length, sizeof length);
    buf_puts(out, text);
    while (out->len < LENGTH_BYTES + length)
        buf_putc(out, ' ');
    free(text);
    json_decref(header);
    return 0;
}

/* The tensors go to the file from where they lie: they may be most of the memory. */
static int
write_tensors(const struct st_writer *w, const struct buf *header, const char *path,
              struct err *err)
{
    struct file_part *parts = xcalloc(w->n + 1, sizeof *parts);

    parts[0] = (struct file_part){header->data, header->len};
    for (size_t i = 0; i < w->n; i++)
        parts[i + 1] = (struct file_part){w->tensors[i].data, w->tensors[i].bytes};
    const int rc = file_write_parts(path, parts, w->n + 1, err);
    free(parts);
    return rc;
}

int
st_writer_save(struct st_writer *w, const char *path, struct err *err)
{
    struct buf header = {0};

    if (w->n > 0)
        qsort(w->tensors, w->n, sizeof *w->tensors, by_width_and_name);
    int rc = put_header(&header, w, err);
    if (rc == 0)
        rc = write_tensors(w, &header, path, err);
    buf_release(&header);
    return rc == 0 ? 0 : err_wrap(err, "write %s", path);
}
