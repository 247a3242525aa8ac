/* corrupted_about.c - about.json, which ties made images to what they were made of. */
#include "worker/data/corrupted_about.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/json.h"
#include "shared/base/sha256.h"

/* Of the labels, then the pixels. */
static struct sha256
digest_of(const struct dataset *d)
{
    struct sha256_stream *s = sha256_stream_new();

    sha256_stream_add(s, d->labels, (size_t)d->n * sizeof *d->labels);
    sha256_stream_add(s, d->images, (size_t)(d->n * d->c * d->h * d->w));
    return sha256_stream_end(s);
}

static int
compare(const json_t *about, const char *path, const struct dataset *test,
        struct err *err)
{
    const int64_t revision = json_int(about, "revision", -1);
    const int64_t seed = json_int(about, "seed", -1);

    if (revision != CORRUPTED_REVISION || seed != CORRUPTED_SEED)
        return err_set(err, ERR_DATA,
                       "%s: made by revision %" PRId64 " with seed %" PRId64
                       "; evaluation uses revision %d with seed %d: make the folder "
                       "again with `data corrupt`, or remove it",
                       path, revision, seed, CORRUPTED_REVISION, CORRUPTED_SEED);
    if (json_int(about, "images", -1) == test->n
        && strcmp(json_str(about, "sha256", ""), digest_of(test).hex) == 0)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: made of %" PRId64 " other test images; make the folder again "
                   "with `data corrupt`, or remove it",
                   path, json_int(about, "images", -1));
}

int
corrupted_about_read(bool *ours, const char *folder, const struct dataset *test,
                     struct err *err)
{
    char *path = file_join(folder, "about.json");
    json_t *about = NULL;
    int rc = 0;

    *ours = file_exists(path);
    if (*ours) {
        rc = json_load(&about, path, err);
        if (rc == 0)
            rc = compare(about, path, test, err);
    }
    json_decref(about);
    free(path);
    return rc;
}

int
corrupted_about_write(const char *folder, const char *name, const struct dataset *test,
                      uint64_t seed, struct err *err)
{
    const struct sha256 digest = digest_of(test);
    char *path = file_join(folder, "about.json");
    json_t *about =
        json_pack("{s:s, s:i, s:I, s:s, s:I, s:s}", "made_by", "relusweep data corrupt",
                  "revision", CORRUPTED_REVISION, "seed", (json_int_t)seed, "dataset",
                  name, "images", (json_int_t)test->n, "sha256", digest.hex);
    const int rc = json_save(about, path, err);

    json_decref(about);
    free(path);
    return rc;
}
