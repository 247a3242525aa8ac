#ifndef COORDINATOR_CLI_TFEVENTS_H
#define COORDINATOR_CLI_TFEVENTS_H

#include <stdint.h>

#include "shared/base/buf.h"

/*
 * TensorBoard's event files: records of
 *
 *   u64 length · u32 mask(crc32c(length)) · data · u32 mask(crc32c(data))
 *
 * little-endian, mask(c) = rotate right(c, 15) + 0xa282ead8; data is an Event of
 * protocol buffers. Append to `out`.
 */

/* The record that begins a file. wall: seconds since 1970. */
void tfevents_begin(struct buf *out, double wall);

void tfevents_scalar(struct buf *out, double wall, int64_t step, const char *tag,
                     float value);

/* CRC-32C (Castagnoli), as in RFC 3720. */
uint32_t tfevents_crc32c(const void *bytes, size_t n);

#endif
