#ifndef WORKER_PIPELINE_SAFETENSORS_H
#define WORKER_PIPELINE_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/json.h"

/* Reader and writer of the safetensors format (ECOSYSTEM: header length u64 LE, JSON
 * header, data; no holes, no overlaps; every bound checked before use). */
enum st_dtype { ST_F32, ST_F16, ST_BF16, ST_F64, ST_I64, ST_I32, ST_U8, ST_BOOL };

struct st_tensor {
    const char *name;
    enum st_dtype dtype;
    int64_t dims[8];
    int n_dims;
    int64_t count; /* numbers */
    const void *data;
    size_t bytes;
};

struct st_file; /* a file read whole */

MUST_CHECK int st_read(struct st_file **out, const char *path, struct err *err);
MUST_CHECK int st_parse(struct st_file **out, const void *bytes, size_t size,
                        const char *what, struct err *err); /* copies the bytes */
void st_free(struct st_file *f);
size_t st_count(const struct st_file *f);
const struct st_tensor *st_at(const struct st_file *f, size_t i); /* sorted by name */
const struct st_tensor *st_find(const struct st_file *f, const char *name);
const char *st_metadata(const struct st_file *f, const char *key); /* NULL if absent */

/* Float values of a tensor that must exist with exactly these numbers; F32 only. */
MUST_CHECK int st_need_f32(const float **out, const struct st_file *f, const char *name,
                           int64_t count, struct err *err);

/* Collects tensors (data borrowed until the write) and writes them all or nothing. */
struct st_writer;
struct st_writer *st_writer_new(void);
void st_writer_free(struct st_writer *w);
void st_writer_add(struct st_writer *w, const char *name, enum st_dtype dtype,
                   const int64_t *dims, int n_dims, const void *data);
void st_writer_metadata(struct st_writer *w, const char *key, const char *value);
MUST_CHECK int st_writer_save(struct st_writer *w, const char *path, struct err *err);

#endif
