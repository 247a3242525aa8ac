/* Blob transfer against a real database: order, resuming, wrong bytes, reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "coordinator/store/bulk.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "tests/support/db_fixture.h"

enum { SIZE = 2 * BLOB_CHUNK_BYTES + 12345 };

struct world {
    struct db *db;
    struct bulk bulk;
    struct arena mem;
    char *bytes;
    struct sha256 digest;
};

static const struct sock_peer peer = {.id = "p", .n = 1};

static int
make_world(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);

    w->db = db_fixture_new("bulk", NULL);
    w->bytes = xmalloc(SIZE);
    for (int i = 0; i < SIZE; i++)
        w->bytes[i] = (char)(i * 7 + i / 1000);
    w->digest = sha256_bytes(w->bytes, SIZE);
    *state = w;
    return 0;
}

static int
free_world(void **state)
{
    struct world *w = *state;

    bulk_release(&w->bulk);
    arena_release(&w->mem);
    db_close(w->db);
    free(w->bytes);
    free(w);
    return 0;
}

/* One message in a transaction of its own; the first reply. */
static const struct msg *
ask(struct world *w, const struct msg *m)
{
    struct err err = {0};

    w->bulk.n_replies = 0;
    if (pg_begin(w->db->pg, &err) != 0
        || bulk_take(&w->bulk, w->db->pg, &peer, m, &w->mem, 1, &err) != 0
        || bulk_settle(&w->bulk, w->db->pg, &err) != 0
        || pg_commit(w->db->pg, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(w->bulk.n_replies, 1);
    return &w->bulk.replies[0].m;
}

/* The offset of the PUT_STATE. */
static int64_t
put(struct world *w, int64_t size)
{
    const struct msg m = {.type = MSG_PUT, .u.put = {w->digest.hex, size}};
    const struct msg *reply = ask(w, &m);

    assert_int_equal(reply->type, MSG_PUT_STATE);
    return reply->u.put_state.offset;
}

static int64_t
chunk(struct world *w, int64_t offset)
{
    const int64_t left = SIZE - offset;
    const struct msg m = {
        .type = MSG_CHUNK,
        .u.chunk = {.sha = w->digest.hex,
                    .offset = offset,
                    .size = SIZE,
                    .data = w->bytes + offset,
                    .data_size =
                        (size_t)(left < BLOB_CHUNK_BYTES ? left : BLOB_CHUNK_BYTES)}};

    return ask(w, &m)->u.put_state.offset;
}

static const struct msg_chunk *
get(struct world *w, int64_t offset)
{
    const struct msg m = {.type = MSG_GET, .u.get = {w->digest.hex, offset}};
    const struct msg *reply = ask(w, &m);

    assert_int_equal(reply->type, MSG_CHUNK);
    return &reply->u.chunk;
}

static void
a_blob_is_stored_when_all_of_it_is_verified(void **state)
{
    struct world *w = *state;

    assert_int_equal(put(w, SIZE), 0);
    assert_int_equal(chunk(w, 0), BLOB_CHUNK_BYTES);
    assert_int_equal(get(w, 0)->size, -1); /* not yet */
    assert_int_equal(chunk(w, BLOB_CHUNK_BYTES), 2 * BLOB_CHUNK_BYTES);
    assert_int_equal(chunk(w, 2 * BLOB_CHUNK_BYTES), SIZE);
    assert_int_equal(get(w, 0)->size, SIZE);
    assert_int_equal(put(w, SIZE), SIZE); /* once is enough */
    assert_int_equal(w->bulk.n_uploads, 0);
}

static void
repeats_and_gaps_are_answered_with_where_to_go_on(void **state)
{
    struct world *w = *state;

    put(w, SIZE);
    assert_int_equal(chunk(w, BLOB_CHUNK_BYTES), 0);
    assert_int_equal(chunk(w, 0), BLOB_CHUNK_BYTES);
    assert_int_equal(chunk(w, 0), BLOB_CHUNK_BYTES);
}

static void
an_upload_goes_on_after_a_restart(void **state)
{
    struct world *w = *state;

    put(w, SIZE);
    chunk(w, 0);
    bulk_forget(&w->bulk); /* memory is gone, rows are not */
    assert_int_equal(put(w, SIZE), BLOB_CHUNK_BYTES);
    assert_int_equal(chunk(w, BLOB_CHUNK_BYTES), 2 * BLOB_CHUNK_BYTES);
    bulk_forget(&w->bulk);
    assert_int_equal(chunk(w, 2 * BLOB_CHUNK_BYTES), SIZE); /* without a PUT */
    assert_true(get(w, 5)->size == SIZE);
}

static void
wrong_bytes_are_removed_and_may_be_sent_again(void **state)
{
    struct world *w = *state;

    put(w, SIZE);
    w->bytes[77] ^= 1;
    chunk(w, 0);
    w->bytes[77] ^= 1;
    chunk(w, BLOB_CHUNK_BYTES);
    assert_int_equal(chunk(w, 2 * BLOB_CHUNK_BYTES), -1);
    assert_int_equal(get(w, 0)->size, -1);
    assert_int_equal(put(w, SIZE), 0);
    chunk(w, 0);
    chunk(w, BLOB_CHUNK_BYTES);
    assert_int_equal(chunk(w, 2 * BLOB_CHUNK_BYTES), SIZE);
}

static void
any_offset_can_be_read(void **state)
{
    struct world *w = *state;
    const int64_t offsets[] = {0, 1, BLOB_CHUNK_BYTES - 1, BLOB_CHUNK_BYTES, SIZE - 1};

    put(w, SIZE);
    for (int64_t at = 0; at < SIZE; at += BLOB_CHUNK_BYTES)
        chunk(w, at);
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        const struct msg_chunk *c = get(w, offsets[i]);
        const int64_t left = SIZE - offsets[i];
        assert_int_equal(c->data_size,
                         left < BLOB_CHUNK_BYTES ? left : BLOB_CHUNK_BYTES);
        assert_memory_equal(c->data, w->bytes + offsets[i], c->data_size);
    }
    assert_int_equal(get(w, SIZE + 1)->size, -1);
}

static void
an_empty_blob_needs_no_pieces(void **state)
{
    struct world *w = *state;

    w->digest = sha256_bytes("", 0);
    assert_int_equal(put(w, 0), 0);
    assert_int_equal(get(w, 0)->size, 0);
}

static void
nonsense_is_refused(void **state)
{
    struct world *w = *state;
    const struct msg bad = {.type = MSG_PUT, .u.put = {"../etc/passwd", 5}};
    const struct msg hello = {.type = MSG_HELLO};

    assert_int_equal(ask(w, &bad)->u.put_state.offset, -1);
    assert_int_equal(put(w, -1), -1);
    assert_int_equal(ask(w, &hello)->type, MSG_REJECT);
}

static void
a_stored_blob_can_be_saved_to_a_file(void **state)
{
    struct world *w = *state;
    char *path = xasprintf("%s/saved-%d", "/tmp", (int)getpid());
    struct buf back = {0};
    struct err err;

    put(w, SIZE);
    for (int64_t at = 0; at < SIZE; at += BLOB_CHUNK_BYTES)
        chunk(w, at);
    assert_int_equal(db_blob_save(w->db, w->digest.hex, path, &err), 0);
    assert_int_equal(file_read(&back, path, &err), 0);
    assert_int_equal(back.len, SIZE);
    assert_memory_equal(back.data, w->bytes, SIZE);
    remove(path);
    assert_int_equal(pg_script(w->db->pg,
                               "UPDATE blob_chunk SET data = set_byte(data, 3, 9)"
                               " WHERE place = 1",
                               &err),
                     0);
    assert_int_equal(db_blob_save(w->db, w->digest.hex, path, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_false(file_exists(path));
    buf_release(&back);
    free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_blob_is_stored_when_all_of_it_is_verified),
        TEST(repeats_and_gaps_are_answered_with_where_to_go_on),
        TEST(an_upload_goes_on_after_a_restart),
        TEST(wrong_bytes_are_removed_and_may_be_sent_again),
        TEST(any_offset_can_be_read),
        TEST(an_empty_blob_needs_no_pieces),
        TEST(nonsense_is_refused),
        TEST(a_stored_blob_can_be_saved_to_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
