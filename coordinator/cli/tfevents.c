/* tfevents.c - records of TensorBoard's event files. Knows no jobs and no files. */
#include "coordinator/cli/tfevents.h"

#include <stddef.h>
#include <string.h>

/* Fields of Event, Summary and Summary.Value as protocol buffers number them: field
 * shifted by 3, type 0 varint, 1 eight bytes, 2 text or message, 5 four bytes. */
enum {
    EVENT_WALL_TIME = 1 << 3 | 1,
    EVENT_STEP = 2 << 3 | 0,
    EVENT_FILE_VERSION = 3 << 3 | 2,
    EVENT_SUMMARY = 5 << 3 | 2,
    SUMMARY_VALUE = 1 << 3 | 2,
    VALUE_TAG = 1 << 3 | 2,
    VALUE_SIMPLE = 2 << 3 | 5,
};

uint32_t
tfevents_crc32c(const void *bytes, size_t n)
{
    static const uint32_t reversed_polynomial = 0x82F63B78;
    const unsigned char *p = bytes;
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? reversed_polynomial : 0);
    }
    return ~crc;
}

static void
put_little(struct buf *out, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_putc(out, (char)(v >> 8 * i & 0xFF));
}

static void
put_varint(struct buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_putc(out, (char)((v & 0x7F) | 0x80));
    buf_putc(out, (char)v);
}

static void
put_bytes(struct buf *out, int field, const void *bytes, size_t n)
{
    buf_putc(out, (char)field);
    put_varint(out, n);
    buf_add(out, bytes, n);
}

static void
put_double(struct buf *out, int field, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    buf_putc(out, (char)field);
    put_little(out, bits, 8);
}

static void
put_masked_crc(struct buf *out, const void *bytes, size_t n)
{
    const uint32_t crc = tfevents_crc32c(bytes, n);

    put_little(out, (crc >> 15 | crc << 17) + 0xA282EAD8u, 4);
}

static void
put_record(struct buf *out, struct buf *event)
{
    struct buf length = {0};

    put_little(&length, event->len, 8);
    buf_add(out, length.data, length.len);
    put_masked_crc(out, length.data, length.len);
    buf_add(out, buf_str(event), event->len);
    put_masked_crc(out, event->data, event->len);
    buf_release(&length);
}

void
tfevents_begin(struct buf *out, double wall)
{
    static const char version[] = "brain.Event:2";
    struct buf event = {0};

    put_double(&event, EVENT_WALL_TIME, wall);
    put_bytes(&event, EVENT_FILE_VERSION, version, sizeof version - 1);
    put_record(out, &event);
    buf_release(&event);
}

void
tfevents_scalar(struct buf *out, double wall, int64_t step, const char *tag,
                float value)
{
    struct buf event = {0}, summary = {0}, scalar = {0};
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_bytes(&scalar, VALUE_TAG, tag, strlen(tag));
    buf_putc(&scalar, VALUE_SIMPLE);
    put_little(&scalar, bits, 4);
    put_bytes(&summary, SUMMARY_VALUE, scalar.data, scalar.len);
    put_double(&event, EVENT_WALL_TIME, wall);
    buf_putc(&event, EVENT_STEP);
    put_varint(&event, (uint64_t)step);
    put_bytes(&event, EVENT_SUMMARY, summary.data, summary.len);
    put_record(out, &event);
    buf_release(&scalar);
    buf_release(&summary);
    buf_release(&event);
}
