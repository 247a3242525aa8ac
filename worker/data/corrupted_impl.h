#ifndef WORKER_DATA_CORRUPTED_IMPL_H
#define WORKER_DATA_CORRUPTED_IMPL_H

#include <stdbool.h>

#include "worker/data/corrupted.h"
#include "worker/data/image_list.h"

/* Inside of corrupted.c and of the formats that it reads, one file each. */
struct corrupted {
    const struct corrupted_format *format; /* NULL: images are made */
    const struct dataset *test;            /* borrowed */
    char *folder;                          /* NULL: nothing lies on disk */
    bool ours;                             /* the folder was filled by `data corrupt` */
    const struct corruption *kind;         /* what was selected */
    int severity;
    bool made;               /* ... and it is made: the format has no file of it */
    uint8_t *images;         /* npy: (n,h,w,3) of the selected severity */
    struct image_list files; /* folders: the pictures of the selected severity */
};

struct corrupted_format {
    /* One line a corruption to `report` (may be NULL); -1 with the first fault. Files
     * that are missing are faults unless the folder is ours. */
    int (*check)(struct buf *report, const struct corrupted *c, struct err *err);
    /* Makes kind and severity ready, or sets `made`. */
    int (*select)(struct corrupted *c, struct err *err);
    /* x (3,h,w) = test image `sample`. Called from several threads at once. */
    int (*fill)(float *x, const struct corrupted *c, int64_t sample, struct err *err);
};
extern const struct corrupted_format corrupted_npy, corrupted_folders;

#endif
