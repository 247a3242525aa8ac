/*
 * msg.c - the messages as tables of their fields. Responsible for the order, type and
 * bound of every field on the wire; one row of a table is the encoder and the decoder of
 * that field, so the two cannot disagree. Adding a field is a row at a table's end,
 * adding a message is a struct and a line in msg.h and a table here. A frame:
 *
 *   [protocol, type, field, field, ...]     one msgpack array
 *        a struct inside a message          [field, field, ...]
 *        a list                             [item, item, ...]
 *
 * Must not know sockets, sessions or what the messages are for.
 */
#include "shared/wire/msg.h"

#include <assert.h>
#include <inttypes.h>

#include "shared/base/mem.h"
#include "shared/wire/codec.h"

/* Bounds of texts, bytes. */
enum {
    MAX_NAME = 256,          /* names, hosts, digests, versions, words */
    MAX_TEXT = 8192,         /* sentences for people */
    MAX_DOCUMENT = 64 << 10, /* provenance */
    MAX_SPEC = 256 << 10,
    MAX_CATALOG = 1 << 20,
};

/* Bounds of lists, items. */
enum { MAX_RUNS = 4096, MAX_INPUTS = 256, MAX_PROGRESS = 1024 };

enum field_kind {
    FIELD_INT,
    FIELD_REAL,
    FIELD_BOOL,
    FIELD_TEXT,
    FIELD_BYTES,
    FIELD_STRUCT,
    FIELD_LIST
};

struct field {
    enum field_kind kind;
    size_t offset;
    size_t max;                  /* bytes of TEXT and BYTES, items of LIST */
    size_t n_offset;             /* where BYTES and LIST keep their size_t count */
    size_t item_size;            /* of LIST */
    const struct layout *layout; /* of STRUCT and of a LIST's items */
    const char *name;
};

struct layout {
    const struct field *fields;
    size_t n;
};

/* Rows of layouts. The _Generic makes a member of another type a compile error. */
#define AT(T, m, ctype) _Generic(((T *)0)->m, ctype : offsetof(T, m))
/* clang-format off */
#define INT(T, m)  {.kind = FIELD_INT, .offset = AT(T, m, int64_t), .name = #m}
#define REAL(T, m) {.kind = FIELD_REAL, .offset = AT(T, m, double), .name = #m}
#define BOOL(T, m) {.kind = FIELD_BOOL, .offset = AT(T, m, bool), .name = #m}
#define TEXT(T, m, bound) \
    {.kind = FIELD_TEXT, .offset = AT(T, m, const char *), .max = bound, .name = #m}
#define BYTES(T, m, m_n, bound) \
    {.kind = FIELD_BYTES, .offset = AT(T, m, const void *), \
     .n_offset = AT(T, m_n, size_t), .max = bound, .name = #m}
#define STRUCT(T, m, item) \
    {.kind = FIELD_STRUCT, .offset = AT(T, m, struct msg_##item), \
     .layout = &item##_layout, .name = #m}
#define LIST(T, m, item, bound) \
    {.kind = FIELD_LIST, .offset = AT(T, m, struct msg_##item *), \
     .n_offset = AT(T, n_##m, size_t), .item_size = sizeof(struct msg_##item), \
     .layout = &item##_layout, .max = bound, .name = #m}
/* clang-format on */
#define LAYOUT(name)                             \
    static const struct layout name##_layout = { \
        .fields = name##_fields, .n = sizeof name##_fields / sizeof name##_fields[0]}

/* ---- parts of messages ------------------------------------------------------------ */

#define T struct msg_run
static const struct field run_fields[] = {INT(T, job), INT(T, attempt)};
LAYOUT(run);
#undef T

#define T struct msg_input
static const struct field input_fields[] = {
    TEXT(T, stage, MAX_NAME),
    TEXT(T, name, MAX_NAME),
    TEXT(T, sha, MAX_NAME),
    INT(T, size),
};
LAYOUT(input);
#undef T

#define T struct msg_progress
static const struct field progress_fields[] = {
    STRUCT(T, run, run), INT(T, epoch),         INT(T, epochs),
    INT(T, step),        INT(T, steps),         REAL(T, images_per_second),
    REAL(T, loss),       REAL(T, seconds_left),
};
LAYOUT(progress);
#undef T

#define T struct msg_point
static const struct field point_fields[] = {
    TEXT(T, name, MAX_NAME), INT(T, step), REAL(T, value), TEXT(T, unit, MAX_NAME),
    TEXT(T, goal, MAX_NAME),
};
LAYOUT(point);
#undef T

#define T struct msg_artifact
static const struct field artifact_fields[] = {
    TEXT(T, name, MAX_NAME),
    TEXT(T, sha, MAX_NAME),
    INT(T, size),
};
LAYOUT(artifact);
#undef T

/* ---- messages --------------------------------------------------------------------- */

#define T struct msg_hello
static const struct field hello_fields[] = {
    TEXT(T, name, MAX_NAME),
    TEXT(T, boot, MAX_NAME),
    TEXT(T, host, MAX_NAME),
    TEXT(T, version, MAX_NAME),
    TEXT(T, catalog, MAX_CATALOG),
    INT(T, slots),
    INT(T, threads),
    LIST(T, running, run, MAX_RUNS),
    LIST(T, held, run, MAX_RUNS),
    INT(T, memory_bytes),
    TEXT(T, labels, MAX_NAME),
    TEXT(T, backend, MAX_NAME),
};
LAYOUT(hello);
#undef T

#define T struct msg_welcome
static const struct field welcome_fields[] = {
    INT(T, session),         INT(T, heartbeat_ms),         INT(T, lease_ms),
    TEXT(T, bulk, MAX_NAME), LIST(T, kill, run, MAX_RUNS), INT(T, word_ms),
};
LAYOUT(welcome);
#undef T

#define T struct msg_ready
static const struct field ready_fields[] = {INT(T, session), INT(T, free)};
LAYOUT(ready);
#undef T

#define T struct msg_grant
static const struct field grant_fields[] = {
    STRUCT(T, run, run),
    TEXT(T, spec, MAX_SPEC),
    TEXT(T, digest, MAX_NAME),
    LIST(T, inputs, input, MAX_INPUTS),
    TEXT(T, resume_sha, MAX_NAME),
    INT(T, resume_size),
    INT(T, resume_step),
    INT(T, timeout_s),
    INT(T, stall_s),
};
LAYOUT(grant);
#undef T

#define T struct msg_started
static const struct field started_fields[] = {
    INT(T, session),
    STRUCT(T, run, run),
    INT(T, pid),
    TEXT(T, provenance, MAX_DOCUMENT),
};
LAYOUT(started);
#undef T

#define T struct msg_heartbeat
static const struct field heartbeat_fields[] = {
    INT(T, session),
    LIST(T, progress, progress, MAX_PROGRESS),
    INT(T, heartbeat_ms),
    INT(T, word_ms),
};
LAYOUT(heartbeat);
#undef T

#define T struct msg_metrics
static const struct field metrics_fields[] = {
    INT(T, session),
    STRUCT(T, run, run),
    INT(T, seq),
    LIST(T, points, point, MSG_MAX_POINTS),
};
LAYOUT(metrics);
#undef T

#define T struct msg_log
static const struct field log_fields[] = {
    INT(T, session),
    STRUCT(T, run, run),
    INT(T, offset),
    TEXT(T, text, MSG_MAX_LOG),
};
LAYOUT(log);
#undef T

#define T struct msg_checkpoint
static const struct field checkpoint_fields[] = {
    INT(T, session),        STRUCT(T, run, run), INT(T, step),
    TEXT(T, sha, MAX_NAME), INT(T, size),
};
LAYOUT(checkpoint);
#undef T

#define T struct msg_result
static const struct field result_fields[] = {
    INT(T, session),
    STRUCT(T, run, run),
    TEXT(T, outcome, MAX_NAME),
    TEXT(T, text, MAX_TEXT),
    INT(T, exit_code),
    INT(T, signal),
    REAL(T, seconds),
    INT(T, peak_rss_bytes),
    LIST(T, finals, point, MSG_MAX_POINTS),
    LIST(T, artifacts, artifact, MSG_MAX_ARTIFACTS),
};
LAYOUT(result);
#undef T

#define T struct msg_ack
static const struct field ack_fields[] = {
    STRUCT(T, run, run),
    TEXT(T, what, MAX_NAME),
    INT(T, seq),
    TEXT(T, disposition, MAX_NAME),
    TEXT(T, detail, MAX_TEXT),
};
LAYOUT(ack);
#undef T

#define T struct msg_cancel
static const struct field cancel_fields[] = {
    STRUCT(T, run, run),
    BOOL(T, hard),
    TEXT(T, reason, MAX_TEXT),
};
LAYOUT(cancel);
#undef T

#define T struct msg_bye
static const struct field bye_fields[] = {
    INT(T, session),
    TEXT(T, reason, MAX_TEXT),
    LIST(T, returned, run, MAX_RUNS),
};
LAYOUT(bye);
#undef T

#define T struct msg_reject
static const struct field reject_fields[] = {
    TEXT(T, code, MAX_NAME),
    TEXT(T, text, MAX_TEXT),
};
LAYOUT(reject);
#undef T

#define T struct msg_put
static const struct field put_fields[] = {TEXT(T, sha, MAX_NAME), INT(T, size)};
LAYOUT(put);
#undef T

#define T struct msg_put_state
static const struct field put_state_fields[] = {
    TEXT(T, sha, MAX_NAME),
    INT(T, offset),
    TEXT(T, text, MAX_TEXT),
};
LAYOUT(put_state);
#undef T

#define T struct msg_chunk
static const struct field chunk_fields[] = {
    TEXT(T, sha, MAX_NAME),
    INT(T, offset),
    INT(T, size),
    BYTES(T, data, data_size, MSG_CHUNK_BYTES),
};
LAYOUT(chunk);
#undef T

#define T struct msg_get
static const struct field get_fields[] = {TEXT(T, sha, MAX_NAME), INT(T, offset)};
LAYOUT(get);
#undef T

/* ---- the table of messages -------------------------------------------------------- */

static const struct {
    const char *name;
    const struct layout *layout;
} types[MSG_TYPE_COUNT] = {[MSG_NONE] = {.name = "none"},
#define AS_ROW(id, text, who) [id] = {.name = #text, .layout = &text##_layout},
                           MSG_TYPES(AS_ROW)
#undef AS_ROW
};

const char *
msg_type_name(enum msg_type type)
{
    return types[type].name;
}

/* ---- encoding --------------------------------------------------------------------- */

static void write_fields(struct buf *out, const struct layout *l, const char *from);

static void
write_list(struct buf *out, const struct field *f, const char *from)
{
    const char *items = *(const char *const *)(const void *)(from + f->offset);
    const size_t n = *(const size_t *)(const void *)(from + f->n_offset);

    assert(n <= f->max);
    codec_put_array(out, n);
    for (size_t i = 0; i < n; i++) {
        codec_put_array(out, f->layout->n);
        write_fields(out, f->layout, items + i * f->item_size);
    }
}

static void
write_field(struct buf *out, const struct field *f, const char *from)
{
    const void *at = from + f->offset;

    switch (f->kind) {
    case FIELD_INT: codec_put_int(out, *(const int64_t *)at); break;
    case FIELD_REAL: codec_put_real(out, *(const double *)at); break;
    case FIELD_BOOL: codec_put_bool(out, *(const bool *)at); break;
    case FIELD_TEXT: codec_put_text(out, *(const char *const *)at, f->max); break;
    case FIELD_BYTES:
        codec_put_bytes(out, *(const void *const *)at,
                        *(const size_t *)(const void *)(from + f->n_offset));
        break;
    case FIELD_STRUCT:
        codec_put_array(out, f->layout->n);
        write_fields(out, f->layout, at);
        break;
    case FIELD_LIST: write_list(out, f, from); break;
    }
}

static void
write_fields(struct buf *out, const struct layout *l, const char *from)
{
    for (size_t i = 0; i < l->n; i++)
        write_field(out, &l->fields[i], from);
}

void
msg_encode(struct buf *out, const struct msg *m)
{
    assert(m->type > MSG_NONE && m->type < MSG_TYPE_COUNT);
    const struct layout *l = types[m->type].layout;
    codec_put_array(out, 2 + l->n);
    codec_put_int(out, MSG_PROTOCOL);
    codec_put_int(out, m->type);
    write_fields(out, l, (const char *)&m->u);
}

/* ---- decoding --------------------------------------------------------------------- */

static const char *read_fields(struct codec_reader *r, const struct layout *l, char *to,
                               struct arena *mem);

static void
read_list(struct codec_reader *r, const struct field *f, char *to, struct arena *mem)
{
    size_t n = codec_open(r);

    if (n > f->max) {
        r->failed = true;
        n = 0;
    }
    char *items = arena_alloc(mem, n * f->item_size);
    for (size_t i = 0; i < n && !r->failed; i++) {
        codec_open(r);
        (void)read_fields(r, f->layout, items + i * f->item_size, mem);
        codec_close(r);
    }
    codec_close(r);
    *(void **)(void *)(to + f->offset) = items;
    *(size_t *)(void *)(to + f->n_offset) = n;
}

static void
read_field(struct codec_reader *r, const struct field *f, char *to, struct arena *mem)
{
    void *at = to + f->offset;

    switch (f->kind) {
    case FIELD_INT: *(int64_t *)at = codec_read_int(r); break;
    case FIELD_REAL: *(double *)at = codec_read_real(r); break;
    case FIELD_BOOL: *(bool *)at = codec_read_bool(r); break;
    case FIELD_TEXT: *(const char **)at = codec_read_text(r, f->max, mem); break;
    case FIELD_BYTES:
        *(const void **)at =
            codec_read_bytes(r, f->max, (size_t *)(void *)(to + f->n_offset), mem);
        break;
    case FIELD_STRUCT:
        codec_open(r);
        (void)read_fields(r, f->layout, at, mem);
        codec_close(r);
        break;
    case FIELD_LIST: read_list(r, f, to, mem); break;
    }
}

/* NULL, or the name of the field that could not be read. */
static const char *
read_fields(struct codec_reader *r, const struct layout *l, char *to, struct arena *mem)
{
    for (size_t i = 0; i < l->n; i++) {
        read_field(r, &l->fields[i], to, mem);
        if (r->failed)
            return l->fields[i].name;
    }
    return NULL;
}

static int
read_head(struct codec_reader *r, enum msg_type *type, struct err *err)
{
    codec_open(r);
    const int64_t protocol = codec_read_int(r), number = codec_read_int(r);
    if (r->failed)
        return err_set(err, ERR_DATA, "message: does not begin with [protocol, type]");
    if (protocol != MSG_PROTOCOL)
        return err_set(err, ERR_REFUSED,
                       "message of protocol %" PRId64
                       ", this program speaks %d; install "
                       "the same version of relusweep on both sides",
                       protocol, MSG_PROTOCOL);
    *type =
        number > MSG_NONE && number < MSG_TYPE_COUNT ? (enum msg_type)number : MSG_NONE;
    return 0;
}

int
msg_decode(struct msg *out, struct arena *mem, const void *frame, size_t size,
           struct err *err)
{
    struct codec_reader r;

    *out = (struct msg){.type = MSG_NONE};
    if (size > MSG_MAX_BYTES)
        return err_set(err, ERR_DATA, "message of %zu bytes, more than the %d allowed",
                       size, MSG_MAX_BYTES);
    if (!codec_check(frame, size))
        return err_set(err, ERR_DATA, "message: %zu bytes that are not msgpack", size);
    codec_reader_init(&r, frame, size);
    if (read_head(&r, &out->type, err) != 0)
        return -1;
    if (out->type == MSG_NONE)
        return 0;
    const char *wrong = read_fields(&r, types[out->type].layout, (char *)&out->u, mem);
    if (wrong != NULL)
        return err_set(err, ERR_DATA,
                       "message %s: field `%s` has another type, is too "
                       "long or is not UTF-8",
                       types[out->type].name, wrong);
    return 0;
}
