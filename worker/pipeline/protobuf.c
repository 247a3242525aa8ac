/* protobuf.c - fields of Protocol Buffers; see protobuf.h. Knows no message. */
#include "worker/pipeline/protobuf.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are little-endian");

enum wire_type { VARINT = 0, LENGTH = 2, FOUR_BYTES = 5 };

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static void
varint(struct buf *m, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_putc(m, (char)(v | 0x80));
    buf_putc(m, (char)v);
}

static void
key(struct buf *m, int field, enum wire_type type)
{
    varint(m, (uint64_t)field << 3 | type);
}

void
pb_int(struct buf *m, int field, int64_t value)
{
    key(m, field, VARINT);
    varint(m, (uint64_t)value);
}

void
pb_float(struct buf *m, int field, float value)
{
    key(m, field, FOUR_BYTES);
    buf_add(m, &value, sizeof value);
}

void
pb_bytes(struct buf *m, int field, const void *bytes, size_t n)
{
    key(m, field, LENGTH);
    varint(m, n);
    buf_add(m, bytes, n);
}

void
pb_text(struct buf *m, int field, const char *text)
{
    pb_bytes(m, field, text, strlen(text));
}

void
pb_message(struct buf *m, int field, struct buf *inner)
{
    pb_bytes(m, field, inner->data, inner->len);
    buf_release(inner);
}
