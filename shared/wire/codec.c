/*
 * codec.c - msgpack values. Responsible for never trusting a length: codec_check bounds
 * every frame before the reader allocates, because msgpack-c's own unpacker reserves
 * memory by what a frame declares (five bytes can ask for gigabytes). Writing goes
 * through msgpack-c's packer. Must not know any message.
 */
#include "shared/wire/codec.h"

#include <assert.h>
#include <string.h>

#include <msgpack.h>

/* ---- one item's head -------------------------------------------------------------- */

enum item_kind {
    ITEM_BAD, /* 0xc1 and extension types */
    ITEM_NIL,
    ITEM_BOOL,
    ITEM_UINT,
    ITEM_INT,
    ITEM_FLOAT32,
    ITEM_FLOAT64,
    ITEM_TEXT,
    ITEM_BYTES,
    ITEM_ARRAY,
    ITEM_MAP,
};

/* What the first byte says: how many bytes of number or length follow it. */
struct head {
    enum item_kind kind;
    unsigned width;     /* bytes of big-endian number that follow */
    uint64_t immediate; /* the number itself when width is 0 */
};

/* Heads of 0xc0 .. 0xdf, from the msgpack specification's table of formats. */
static const struct head heads[32] = {
    [0x00] = {ITEM_NIL, 0, 0},     [0x02] = {ITEM_BOOL, 0, 0},
    [0x03] = {ITEM_BOOL, 0, 1},    [0x04] = {ITEM_BYTES, 1, 0},
    [0x05] = {ITEM_BYTES, 2, 0},   [0x06] = {ITEM_BYTES, 4, 0},
    [0x0a] = {ITEM_FLOAT32, 4, 0}, [0x0b] = {ITEM_FLOAT64, 8, 0},
    [0x0c] = {ITEM_UINT, 1, 0},    [0x0d] = {ITEM_UINT, 2, 0},
    [0x0e] = {ITEM_UINT, 4, 0},    [0x0f] = {ITEM_UINT, 8, 0},
    [0x10] = {ITEM_INT, 1, 0},     [0x11] = {ITEM_INT, 2, 0},
    [0x12] = {ITEM_INT, 4, 0},     [0x13] = {ITEM_INT, 8, 0},
    [0x19] = {ITEM_TEXT, 1, 0},    [0x1a] = {ITEM_TEXT, 2, 0},
    [0x1b] = {ITEM_TEXT, 4, 0},    [0x1c] = {ITEM_ARRAY, 2, 0},
    [0x1d] = {ITEM_ARRAY, 4, 0},   [0x1e] = {ITEM_MAP, 2, 0},
    [0x1f] = {ITEM_MAP, 4, 0},
};

static struct head
head_of(unsigned char b)
{
    if (b <= 0x7f)
        return (struct head){ITEM_UINT, 0, b};
    if (b <= 0x8f)
        return (struct head){ITEM_MAP, 0, b & 15u};
    if (b <= 0x9f)
        return (struct head){ITEM_ARRAY, 0, b & 15u};
    if (b <= 0xbf)
        return (struct head){ITEM_TEXT, 0, b & 31u};
    if (b <= 0xdf)
        return heads[b - 0xc0];
    return (struct head){ITEM_INT, 0, (uint64_t)(int64_t)(signed char)b};
}

static uint64_t
big_endian(const unsigned char *p, unsigned width)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < width; i++)
        v = v << 8 | p[i];
    return v;
}

/* Reads the head at *pos and its number, and moves *pos behind them. Kind ITEM_BAD when
 * the bytes end too early. */
static enum item_kind
next_item(const unsigned char *data, size_t size, size_t *pos, uint64_t *number)
{
    if (*pos >= size)
        return ITEM_BAD;
    const struct head h = head_of(data[*pos]);
    if (h.kind == ITEM_BAD || size - *pos - 1 < h.width)
        return ITEM_BAD;
    *number = h.width > 0 ? big_endian(data + *pos + 1, h.width) : h.immediate;
    if (h.kind == ITEM_INT && h.width > 0 && h.width < 8) {
        const unsigned unused = 64 - 8 * h.width;
        *number = (uint64_t)((int64_t)(*number << unused) >> unused);
    }
    *pos += 1 + h.width;
    return h.kind;
}

/* ---- the pre-scan ----------------------------------------------------------------- */

/* How many items and how many raw bytes belong to an item of this kind. */
static uint64_t
children_of(enum item_kind kind, uint64_t number)
{
    if (kind == ITEM_ARRAY)
        return number;
    return kind == ITEM_MAP ? 2 * number : 0;
}

static uint64_t
payload_of(enum item_kind kind, uint64_t number)
{
    return kind == ITEM_TEXT || kind == ITEM_BYTES ? number : 0;
}

bool
codec_check(const void *data, size_t size)
{
    uint64_t left[CODEC_MAX_DEPTH + 1] = {1}, number;
    size_t pos = 0, items = 0;
    int depth = 0;

    for (;;) {
        while (depth > 0 && left[depth] == 0)
            depth--;
        if (left[depth] == 0)
            return pos == size;
        left[depth]--;
        const enum item_kind kind = next_item(data, size, &pos, &number);
        if (kind == ITEM_BAD || ++items > CODEC_MAX_ITEMS)
            return false;
        const uint64_t children = children_of(kind, number);
        const uint64_t payload = payload_of(kind, number);
        if (children > size - pos || payload > size - pos)
            return false;
        pos += payload;
        if (children > 0) {
            if (depth == CODEC_MAX_DEPTH)
                return false;
            left[++depth] = children;
        }
    }
}

/* ---- reading ---------------------------------------------------------------------- */

void
codec_reader_init(struct codec_reader *r, const void *data, size_t size)
{
    *r = (struct codec_reader){.data = data, .size = size, .left = {1}};
}

/* The next item of the open array. False at its end and after a failure. */
static bool
take(struct codec_reader *r, enum item_kind *kind, uint64_t *number)
{
    if (r->failed || r->left[r->depth] == 0)
        return false;
    r->left[r->depth]--;
    *kind = next_item(r->data, r->size, &r->pos, number);
    if (*kind == ITEM_BAD)
        r->failed = true;
    return !r->failed;
}

size_t
codec_open(struct codec_reader *r)
{
    enum item_kind kind;
    uint64_t n = 0;

    assert(r->depth < CODEC_MAX_DEPTH);
    if (take(r, &kind, &n) && kind != ITEM_ARRAY)
        r->failed = true;
    if (r->failed)
        n = 0;
    r->left[++r->depth] = n;
    return n;
}

static void
skip_item(struct codec_reader *r)
{
    uint64_t number, todo = 1;

    for (r->left[r->depth]--; todo > 0 && !r->failed; todo--) {
        const enum item_kind kind = next_item(r->data, r->size, &r->pos, &number);
        if (kind == ITEM_BAD || payload_of(kind, number) > r->size - r->pos)
            r->failed = true;
        if (r->failed)
            return;
        r->pos += payload_of(kind, number);
        todo += children_of(kind, number);
    }
}

void
codec_close(struct codec_reader *r)
{
    assert(r->depth > 0);
    while (r->left[r->depth] > 0 && !r->failed)
        skip_item(r);
    r->depth--;
}

int64_t
codec_read_int(struct codec_reader *r)
{
    enum item_kind kind;
    uint64_t number;

    if (!take(r, &kind, &number))
        return 0;
    if (kind == ITEM_INT || (kind == ITEM_UINT && number <= INT64_MAX))
        return (int64_t)number;
    r->failed = true;
    return 0;
}

static double
real_of(enum item_kind kind, uint64_t number)
{
    float single;
    double real;

    switch (kind) {
    case ITEM_UINT: return (double)number;
    case ITEM_INT: return (double)(int64_t)number;
    case ITEM_FLOAT32: {
        const uint32_t bits = (uint32_t)number;
        memcpy(&single, &bits, sizeof single);
        return (double)single;
    }
    default: memcpy(&real, &number, sizeof real); return real;
    }
}

double
codec_read_real(struct codec_reader *r)
{
    enum item_kind kind;
    uint64_t number;

    if (!take(r, &kind, &number))
        return 0;
    if (kind == ITEM_FLOAT64 || kind == ITEM_FLOAT32 || kind == ITEM_UINT
        || kind == ITEM_INT)
        return real_of(kind, number);
    r->failed = true;
    return 0;
}

bool
codec_read_bool(struct codec_reader *r)
{
    enum item_kind kind;
    uint64_t number;

    if (!take(r, &kind, &number))
        return false;
    if (kind != ITEM_BOOL)
        r->failed = true;
    return !r->failed && number != 0;
}

/* The payload of an item of `want`, in place; NULL when missing or failed. */
static const unsigned char *
take_payload(struct codec_reader *r, enum item_kind want, size_t max, size_t *n)
{
    enum item_kind kind;
    uint64_t number;

    *n = 0;
    if (!take(r, &kind, &number))
        return NULL;
    if (kind != want || number > max || number > r->size - r->pos) {
        r->failed = true;
        return NULL;
    }
    const unsigned char *payload = r->data + r->pos;
    *n = number;
    r->pos += number;
    return payload;
}

/* Bytes at the start of s that are valid UTF-8. Eight at once where they are ASCII, as
 * they mostly are. */
static size_t
valid_bytes(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n) {
        uint64_t eight = UINT64_MAX;
        if (n - i >= sizeof eight)
            memcpy(&eight, s + i, sizeof eight);
        const size_t step = (eight & 0x8080808080808080u) == 0
                                ? sizeof eight
                                : codec_utf8_char(s + i, n - i);
        if (step == 0)
            break;
        i += step;
    }
    return i;
}

/* Our texts end with a NUL, so none may be inside. */
static bool
is_text(const char *s, size_t n)
{
    return memchr(s, '\0', n) == NULL && valid_bytes(s, n) == n;
}

const char *
codec_read_text(struct codec_reader *r, size_t max, struct arena *mem)
{
    size_t n;
    const char *payload = (const char *)take_payload(r, ITEM_TEXT, max, &n);

    if (payload != NULL && !is_text(payload, n)) {
        r->failed = true;
        n = 0;
    }
    char *copy = arena_alloc(mem, n + 1);
    if (payload != NULL)
        memcpy(copy, payload, n);
    return copy;
}

const void *
codec_read_bytes(struct codec_reader *r, size_t max, size_t *n, struct arena *mem)
{
    const unsigned char *payload = take_payload(r, ITEM_BYTES, max, n);
    void *copy = arena_alloc(mem, *n + 1);

    if (payload != NULL)
        memcpy(copy, payload, *n);
    return copy;
}

/* ---- UTF-8 ------------------------------------------------------------------------ */

/* RFC 3629, section 4: no surrogates, no overlong forms, nothing above U+10FFFF. */
size_t
codec_utf8_char(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned char low = 0x80, high = 0xbf;
    size_t len;

    if (n == 0)
        return 0;
    if (p[0] <= 0x7f)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        len = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        len = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        len = 4;
    else
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (n < len || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

/* ---- writing ---------------------------------------------------------------------- */

static int
append(void *buf, const char *data, size_t n)
{
    buf_add(buf, data, n);
    return 0;
}

static msgpack_packer
packer_on(struct buf *out)
{
    msgpack_packer p;

    msgpack_packer_init(&p, out, append);
    return p;
}

void
codec_put_array(struct buf *out, size_t n)
{
    msgpack_packer p = packer_on(out);

    msgpack_pack_array(&p, n);
}

void
codec_put_int(struct buf *out, int64_t v)
{
    msgpack_packer p = packer_on(out);

    msgpack_pack_int64(&p, v);
}

void
codec_put_real(struct buf *out, double v)
{
    msgpack_packer p = packer_on(out);

    msgpack_pack_double(&p, v);
}

void
codec_put_bool(struct buf *out, bool v)
{
    msgpack_packer p = packer_on(out);

    if (v)
        msgpack_pack_true(&p);
    else
        msgpack_pack_false(&p);
}

void
codec_put_bytes(struct buf *out, const void *data, size_t n)
{
    msgpack_packer p = packer_on(out);

    msgpack_pack_bin(&p, n);
    if (n > 0)
        msgpack_pack_bin_body(&p, data, n);
}

/* Bytes of `text` that fit into `max` without cutting a character. */
static size_t
fitting(const char *text, size_t max)
{
    const size_t n = strlen(text);
    size_t used = 0;

    if (n <= max)
        return n;
    while (used < max) {
        const size_t step = codec_utf8_char(text + used, n - used);
        if (used + (step > 0 ? step : 1) > max)
            break;
        used += step > 0 ? step : 1;
    }
    return used;
}

void
codec_put_text(struct buf *out, const char *text, size_t max)
{
    const size_t n = text != NULL ? fitting(text, max) : 0;
    msgpack_packer p = packer_on(out);

    msgpack_pack_str(&p, n);
    for (size_t i = 0; i < n;) {
        const size_t valid = valid_bytes(text + i, n - i);
        buf_add(out, text + i, valid);
        i += valid;
        if (i < n)
            buf_putc(out, '?');
        i += i < n;
    }
}
