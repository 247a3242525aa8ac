/* readings.c - open files of blobs that somebody downloads. */
#include "coordinator/store/readings.h"

#include <string.h>
#include <unistd.h>

#include "coordinator/db/blobfile.h"

static void
close_one(struct reading *r)
{
    if (r->sha[0] != '\0')
        close(r->fd);
    *r = (struct reading){0};
}

const struct reading *
readings_find(struct readings *r, const char *sha, int64_t now_ms)
{
    for (size_t i = 0; i < READINGS; i++)
        if (sha[0] != '\0' && strcmp(r->items[i].sha, sha) == 0) {
            r->items[i].used_ms = now_ms;
            return &r->items[i];
        }
    return NULL;
}

/* A free one, which was never used, is older than any other. */
static struct reading *
oldest(struct readings *r)
{
    struct reading *out = &r->items[0];

    for (size_t i = 1; i < READINGS; i++)
        if (r->items[i].used_ms < out->used_ms)
            out = &r->items[i];
    return out;
}

int
readings_open(struct readings *r, const struct blob_row *row, int64_t now_ms,
              const struct reading **out, struct err *err)
{
    struct reading *place = oldest(r);
    int fd;

    if (blobfile_open(&fd, row->folder, row->sha, row->size, err) != 0)
        return -1;
    close_one(place);
    *place = (struct reading){.fd = fd, .size = row->size, .used_ms = now_ms};
    memcpy(place->sha, row->sha, sizeof place->sha);
    *out = place;
    return 0;
}

void
readings_close(struct readings *r, int64_t since_ms)
{
    for (size_t i = 0; i < READINGS; i++)
        if (r->items[i].used_ms < since_ms)
            close_one(&r->items[i]);
}
