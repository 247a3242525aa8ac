#ifndef WORKER_DATA_IMAGE_LIST_H
#define WORKER_DATA_IMAGE_LIST_H

#include <stdint.h>

#include "worker/data/dataset.h"

/* Picture files with their labels, in the order of a data set. Initialise with {0}. */
struct image_list {
    struct image_file {
        char *path;
        uint16_t label;
    } * files;
    size_t n, capacity;
};

void image_list_add(struct image_list *l, const char *folder, const char *name,
                    uint16_t label);
void image_list_release(struct image_list *l);

/* Appends all pictures of `folder` with this label, sorted by name. *count (may be
 * NULL) receives how many. */
MUST_CHECK int image_list_add_folder(struct image_list *l, const char *folder,
                                     uint16_t label, int64_t *count, struct err *err);

/* out: all pictures decoded, each of h x w pixels; another size is ERR_DATA naming the
 * file. mean and std stay 0. `name` is that of the decoded cache (decoded.h), NULL:
 * none is kept. */
MUST_CHECK int image_list_load(struct dataset *out, const struct image_list *l,
                               int64_t h, int64_t w, int64_t classes, const char *name,
                               struct err *err);

/* Reads one of them to planes (3,h,w). */
MUST_CHECK int image_list_read(uint8_t *planes, const char *path, int64_t h, int64_t w,
                               struct err *err);

#endif
