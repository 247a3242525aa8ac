/* decoded.c - keeps decoded pictures. Invariant: pixels are only taken when they have
 * the digest that was written after them, for exactly the files that are there now. */
#include "worker/data/decoded.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/base/file.h"
#include "shared/base/json.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "worker/data/locate.h"
#include "worker/data/npy.h"
#include "worker/data/npy_writer.h"

enum { DIMS = 4 };

static void
dims_of(int64_t dims[DIMS], const struct dataset *d)
{
    dims[0] = d->n;
    dims[1] = d->c;
    dims[2] = d->h;
    dims[3] = d->w;
}

static int64_t
bytes_of(const struct dataset *d)
{
    return d->n * d->c * d->h * d->w;
}

static int
digest_files(struct sha256 *out, const struct image_list *l, struct err *err)
{
    struct sha256_stream *s = sha256_stream_new();
    struct buf line = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < l->n; i++) {
        const struct image_file *f = &l->files[i];
        struct stat st;
        if (stat(f->path, &st) != 0) {
            err_sys(err, "%s", f->path);
            err->kind = ERR_DATA;
            rc = -1;
            break;
        }
        buf_clear(&line);
        buf_printf(&line, "%s\n%d %" PRId64 " %" PRId64 ".%09ld\n", f->path, f->label,
                   (int64_t)st.st_size, (int64_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
        sha256_stream_add(s, line.data, line.len);
    }
    *out = sha256_stream_end(s);
    buf_release(&line);
    return rc;
}

int
decoded_init(struct decoded *d, const char *name, const struct image_list *l,
             struct err *err)
{
    char *folder = name != NULL ? locate_cache_folder() : NULL;

    *d = (struct decoded){0};
    if (folder == NULL)
        return 0;
    d->pixels = xasprintf("%s/%s.npy", folder, name);
    d->about = xasprintf("%s/%s.json", folder, name);
    free(folder);
    if (digest_files(&d->key, l, err) == 0)
        return 0;
    decoded_release(d);
    return -1;
}

void
decoded_release(struct decoded *d)
{
    free(d->pixels);
    free(d->about);
    *d = (struct decoded){0};
}

/* ---- reading --------------------------------------------------------------------- */

static int
read_pixels(const struct decoded *d, struct dataset *out, struct err *err)
{
    int64_t dims[DIMS];
    struct npy a;

    dims_of(dims, out);
    int rc = npy_open(&a, d->pixels, err);
    if (rc == 0 && (a.ndim != DIMS || memcmp(a.dims, dims, sizeof dims) != 0))
        rc = err_set(err, ERR_DATA, "%s: images of another shape", d->pixels);
    if (rc == 0)
        rc = npy_read_bytes(out->images, &a, 0, out->n, err);
    npy_close(&a);
    return rc;
}

/* 1: read; 0: these are the pixels of other files; -1: they cannot be used. */
static int
try_read(const struct decoded *d, struct dataset *out, struct err *err)
{
    json_t *about = NULL;
    int rc = json_load(&about, d->about, err);

    if (rc == 0 && strcmp(json_str(about, "files", ""), d->key.hex) == 0) {
        rc = read_pixels(d, out, err) == 0 ? 1 : -1;
        const struct sha256 found = sha256_bytes(out->images, (size_t)bytes_of(out));
        if (rc == 1 && strcmp(json_str(about, "pixels", ""), found.hex) != 0)
            rc = err_set(err, ERR_DATA, "%s: another digest than was written",
                         d->pixels);
    }
    json_decref(about);
    return rc;
}

bool
decoded_read(const struct decoded *d, struct dataset *out)
{
    struct err err;

    if (d->about == NULL || !file_exists(d->about))
        return false;
    const int rc = try_read(d, out, &err);
    if (rc < 0)
        log_warn("data", "cache=%s state=damaged error=\"%s\"; decoding again",
                 d->pixels, err.text);
    return rc == 1;
}

/* ---- writing --------------------------------------------------------------------- */

static int
write_pixels(const struct decoded *d, const struct dataset *set, struct err *err)
{
    struct npy_writer w;
    int64_t dims[DIMS];

    dims_of(dims, set);
    int rc = npy_writer_open(&w, d->pixels, DIMS, dims, err);
    if (rc == 0)
        rc = npy_writer_add(&w, set->images, bytes_of(set), err);
    if (rc == 0)
        rc = npy_writer_commit(&w, err);
    npy_writer_release(&w);
    return rc;
}

static int
write_about(const struct decoded *d, const struct dataset *set, struct err *err)
{
    const struct sha256 pixels = sha256_bytes(set->images, (size_t)bytes_of(set));
    json_t *about = json_pack("{s:s, s:s}", "files", d->key.hex, "pixels", pixels.hex);
    const int rc = json_save(about, d->about, err);

    json_decref(about);
    return rc;
}

void
decoded_write(const struct decoded *d, const struct dataset *set)
{
    struct err err;

    if (d->about == NULL)
        return;
    char *folder = xstrndup(d->about, (size_t)(strrchr(d->about, '/') - d->about));
    int rc = file_make_dirs(folder, &err);
    if (rc == 0)
        rc = write_pixels(d, set, &err);
    if (rc == 0)
        rc = write_about(d, set, &err);
    if (rc != 0)
        log_warn("data", "cache=%s state=not-written error=\"%s\"", d->pixels,
                 err.text);
    free(folder);
}
