/*
 * cifar.c - records of label bytes and pixels. A file must have exactly the published
 * number of records, so a truncated or padded one is found before anything is trained.
 */
#include "worker/data/cifar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "worker/data/locate.h"

static int64_t
record_size(const struct cifar_set *set)
{
    return set->label_bytes + CIFAR_PIXELS;
}

static char *
find_folder(const struct cifar_set *set, const char *dir)
{
    return locate_folder(dir, set->layouts, set->test);
}

static int
check_size(const struct cifar_set *set, const char *path, int64_t records,
           int64_t found, struct err *err)
{
    const int64_t expected = records * record_size(set);

    if (found == expected)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: expected %" PRId64 " bytes (%" PRId64 " records of %" PRId64
                   "), found %" PRId64 "; fetch the file again",
                   path, expected, records, record_size(set), found);
}

/* Copies one file's records to images [first, first + records). */
static int
take_records(struct dataset *d, const struct cifar_set *set, const char *path,
             int64_t first, int64_t records, struct err *err)
{
    struct buf bytes = {0};
    int rc = file_read(&bytes, path, err);

    if (rc == 0)
        rc = check_size(set, path, records, (int64_t)bytes.len, err);
    for (int64_t i = 0; rc == 0 && i < records; i++) {
        const int64_t offset = i * record_size(set);
        const uint8_t *record = (const uint8_t *)bytes.data + offset;
        const uint8_t label = record[set->label_bytes - 1];
        if (label >= set->classes)
            rc = err_set(err, ERR_DATA,
                         "%s: offset %" PRId64 ": expected a label 0..%" PRId64
                         ", found %d; fetch the file again",
                         path, offset + set->label_bytes - 1, set->classes - 1, label);
        d->labels[first + i] = label;
        memcpy(d->images + (first + i) * CIFAR_PIXELS, record + set->label_bytes,
               CIFAR_PIXELS);
    }
    buf_release(&bytes);
    return rc;
}

static int64_t
count_files(const char *const *files)
{
    int64_t n = 0;

    while (files[n] != NULL)
        n++;
    return n;
}

int
cifar_load(struct dataset *out, const struct cifar_set *set, const char *dir,
           enum dataset_part part, struct err *err)
{
    const char *const *files = part == DATASET_TRAIN ? set->train : set->test;
    const int64_t each =
        part == DATASET_TRAIN ? set->per_file_train : set->per_file_test;
    char *folder = find_folder(set, dir);
    int rc = 0;

    if (folder == NULL)
        return locate_missing(dir, set->where, err);
    *out = (struct dataset){.n = each * count_files(files),
                            .c = 3,
                            .h = CIFAR_SIDE,
                            .w = CIFAR_SIDE,
                            .classes = set->classes};
    out->images = mem_large_alloc((size_t)(out->n * CIFAR_PIXELS));
    out->labels = mem_large_alloc((size_t)out->n * sizeof *out->labels);
    if (out->images == NULL || out->labels == NULL)
        rc = err_set(err, ERR_OOM, "no memory for %" PRId64 " images", out->n);
    for (int64_t i = 0; rc == 0 && files[i] != NULL; i++) {
        char *path = file_join(folder, files[i]);
        rc = take_records(out, set, path, i * each, each, err);
        free(path);
    }
    free(folder);
    return rc;
}

static int
check_file(struct buf *report, const struct cifar_set *set, const char *folder,
           const char *name, int64_t records, struct err *err)
{
    char *path = file_join(folder, name);
    struct stat st;
    int rc = 0;

    if (stat(path, &st) != 0)
        buf_printf(report, "  %s: missing; %s\n", path, set->where);
    else if ((rc = check_size(set, path, records, (int64_t)st.st_size, err)) != 0)
        buf_printf(report, "  CORRUPT: %s\n", err->text);
    else
        buf_printf(report, "  %s: %" PRId64 " bytes, size ok\n", path,
                   (int64_t)st.st_size);
    free(path);
    return rc;
}

static int
check_files(struct buf *report, const struct cifar_set *set, const char *folder,
            const char *const *files, int64_t records, struct err *err)
{
    struct err each;
    int rc = 0;

    for (; *files != NULL; files++)
        if (check_file(report, set, folder, *files, records, &each) != 0 && rc == 0) {
            *err = each;
            rc = -1;
        }
    return rc;
}

int
cifar_check(struct buf *report, const struct cifar_set *set, const char *dir,
            struct err *err)
{
    char *folder = find_folder(set, dir);
    struct err other;

    if (folder == NULL) {
        (void)locate_missing(dir, set->where, &other);
        buf_printf(report, "  %s\n", other.text);
        return 0;
    }
    int rc = check_files(report, set, folder, set->train, set->per_file_train, err);
    if (check_files(report, set, folder, set->test, set->per_file_test, &other) != 0
        && rc == 0) {
        *err = other;
        rc = -1;
    }
    free(folder);
    return rc;
}
