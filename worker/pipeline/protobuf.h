#ifndef WORKER_PIPELINE_PROTOBUF_H
#define WORKER_PIPELINE_PROTOBUF_H

#include <stdint.h>

#include "shared/base/buf.h"

/*
 * Writer of Protocol Buffers' wire format, as far as ONNX needs it. A message is the
 * concatenation of its fields: a varint key (number << 3 | type), then the value. Every
 * function appends one field to the message in `m`.
 */

/* int64, int32, enum: a varint; negative numbers take ten bytes. */
void pb_int(struct buf *m, int field, int64_t value);

/* float: four bytes, little-endian. */
void pb_float(struct buf *m, int field, float value);

/* string, bytes: length and contents. */
void pb_bytes(struct buf *m, int field, const void *bytes, size_t n);
void pb_text(struct buf *m, int field, const char *text);

/* A message inside: `inner` is appended and released. */
void pb_message(struct buf *m, int field, struct buf *inner);

#endif
