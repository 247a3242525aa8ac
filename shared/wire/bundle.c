/* bundle.c - the form of a frame that holds several messages. Pure. */
#include "shared/wire/bundle.h"

#include <stdint.h>

enum { MARK = 0xc1, LENGTH_BYTES = 4 };

void
bundle_add(struct buf *bundle, const void *message, size_t size)
{
    const unsigned char length[LENGTH_BYTES] = {
        (unsigned char)size, (unsigned char)(size >> 8), (unsigned char)(size >> 16),
        (unsigned char)(size >> 24)};

    if (bundle->len == 0)
        buf_putc(bundle, (char)MARK);
    buf_add(bundle, length, sizeof length);
    buf_add(bundle, message, size);
}

bool
bundle_is(const void *frame, size_t size)
{
    return size > 0 && *(const unsigned char *)frame == MARK;
}

int
bundle_next(const void *frame, size_t frame_size, size_t *pos, const void **message,
            size_t *size)
{
    const unsigned char *bytes = frame;
    const size_t at = *pos > 0 ? *pos : 1;

    if (at == frame_size)
        return 0;
    if (frame_size - at < LENGTH_BYTES)
        return -1;
    *size = (size_t)bytes[at] | (size_t)bytes[at + 1] << 8 | (size_t)bytes[at + 2] << 16
            | (size_t)bytes[at + 3] << 24;
    if (*size > frame_size - at - LENGTH_BYTES)
        return -1;
    *message = bytes + at + LENGTH_BYTES;
    *pos = at + LENGTH_BYTES + *size;
    return 1;
}
