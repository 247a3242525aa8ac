#ifndef SHARED_WIRE_BUNDLE_H
#define SHARED_WIRE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/buf.h"

/*
 * Several messages in one frame, because a frame costs more than a message: a system call,
 * and with keys an encryption. A bundle begins with the byte 0xC1, which no msgpack value
 * begins with; then each message as its length (4 bytes, least significant first) and its
 * bytes. PROTOCOL.md, "Frames".
 */
enum { BUNDLE_MAX_BYTES = 64 << 10 }; /* when a sender closes it */

/* Appends a message; the first one opens the bundle. */
void bundle_add(struct buf *bundle, const void *message, size_t size);

bool bundle_is(const void *frame, size_t size);

/* Walks a frame that is one; borrowed. Start with pos 0. 1: *message and *size are the
 * next one; 0: there is none; -1: the frame is damaged. */
int bundle_next(const void *frame, size_t frame_size, size_t *pos, const void **message,
                size_t *size);

#endif
