/* annotation_fuzz.c - the two text files of Tiny-ImageNet: up to the first NUL byte
 * wnids.txt, after it val_annotations.txt. There are two classes and one picture, a. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "worker/data/picture.h"
#include "worker/data/tiny.h"

/* In memory: what is loaded is written into a cache, which waits for the disk. */
static char folder[] = "/dev/shm/annotation_fuzz.XXXXXX";

static void
remove_folder(void)
{
    struct err err;

    if (file_remove_tree(folder, &err) != 0)
        fprintf(stderr, "%s\n", err.text);
}

static void
put(const char *name, const void *bytes, size_t n)
{
    char *path = file_join(folder, name);
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(bytes, 1, n, file) != n || fclose(file) != 0)
        abort();
    free(path);
}

static void
make_folder(void)
{
    static const uint8_t rgb[3] = {1, 2, 3};
    static bool made;
    struct err err;

    if (made)
        return;
    made = true;
    if (mkdtemp(folder) == NULL || setenv("RELUSWEEP_CACHE", folder, 1) != 0)
        abort();
    atexit(remove_folder);
    char *images = file_join(folder, "val/images");
    char *picture = file_join(images, "a");
    if (file_make_dirs(images, &err) != 0
        || picture_write_png(picture, rgb, 1, 1, &err) != 0)
        abort();
    free(picture);
    free(images);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const layouts[] = {"", NULL};
    const struct tiny_set set = {.name = "fuzz",
                                 .layouts = layouts,
                                 .classes = 2,
                                 .side = 1,
                                 .train_each = 1,
                                 .n_val = 1,
                                 .where = "nowhere"};
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    const size_t first = end != NULL ? (size_t)(end - data) : size;
    struct dataset d = {0};
    struct err err;

    make_folder();
    put("wnids.txt", data, first);
    put("val/val_annotations.txt", data + first, size - first);
    if (tiny_load(&d, &set, folder, DATASET_TEST, &err) == 0
        && (d.n != 1 || d.labels[0] > 1))
        abort();
    dataset_release(&d);
    return 0;
}
