/* Transfers against a bulk socket that this test plays, in one process. */
#include "worker/agent/blobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { SIZE = 10 * MSG_CHUNK_BYTES + 12345 };

struct world {
    char dir[64];
    char *endpoint, *cache, *file;
    struct sock *bulk;
    struct blobs *blobs;
    char *bytes; /* SIZE of them */
    struct sha256 sha;
    int64_t now;

    /* the coordinator's side */
    struct buf stored;
    size_t gets, chunks, puts;
    size_t most_unanswered; /* GETs received in one round */
    int64_t drop_at;        /* a chunk at this offset is lost once; -1 none */
    bool lies, refuses, lacks;
};

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err err;

    strcpy(w->dir, "/tmp/relusweep-blobs-XXXXXX");
    if (mkdtemp(w->dir) == NULL)
        return -1;
    w->endpoint = xasprintf("ipc://%s/bulk", w->dir);
    w->cache = file_join(w->dir, "cache");
    w->file = file_join(w->dir, "file");
    w->bytes = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        w->bytes[i] = (char)(i * 2654435761u >> 13);
    w->sha = sha256_bytes(w->bytes, SIZE);
    w->drop_at = -1;
    w->now = 1000;
    *state = w;
    return file_write(w->file, w->bytes, SIZE, &err) != 0
           || sock_bind(&w->bulk, w->endpoint, &err) != 0
           || blobs_new(&w->blobs, w->cache, (int64_t)1 << 30, &err) != 0
           || blobs_connect(w->blobs, w->endpoint, &err) != 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;
    struct err err;

    blobs_free(w->blobs);
    sock_close(w->bulk);
    buf_release(&w->stored);
    free(w->bytes);
    free(w->endpoint);
    free(w->cache);
    free(w->file);
    const int rc = file_remove_tree(w->dir, &err);
    free(w);
    return rc;
}

static void
serve_get(struct world *w, const struct sock_peer *peer, const struct msg_get *g)
{
    const int64_t left = SIZE - g->offset;
    const size_t n = left < MSG_CHUNK_BYTES ? (size_t)left : MSG_CHUNK_BYTES;
    char *bytes = w->bytes + g->offset;
    struct msg m = {MSG_CHUNK, .u.chunk = {g->sha, g->offset, SIZE, bytes, n}};

    w->gets++;
    if (w->lacks)
        m.u.chunk = (struct msg_chunk){.sha = g->sha, .size = -1};
    if (w->drop_at == g->offset) {
        w->drop_at = -1;
        return;
    }
    if (w->lies && g->offset == 0)
        bytes[0] ^= 1;
    assert_int_equal(sock_send(w->bulk, peer, &m), 0);
    if (w->lies && g->offset == 0)
        bytes[0] ^= 1;
}

static void
serve_chunk(struct world *w, const struct msg_chunk *c)
{
    w->chunks++;
    if (w->drop_at == c->offset)
        w->drop_at = -1;
    else if (c->offset == (int64_t)w->stored.len)
        buf_add(&w->stored, c->data, c->data_size);
}

/* One round of the coordinator. */
static void
serve(struct world *w)
{
    struct sock_peer peer;
    struct msg m;
    struct err err;
    size_t asked = 0;

    for (;;) {
        struct arena mem = {0};
        if (sock_recv(w->bulk, &peer, &m, &mem, &err) != 1) {
            arena_release(&mem);
            break;
        }
        if (m.type == MSG_GET) {
            asked++;
            serve_get(w, &peer, &m.u.get);
        } else {
            if (m.type == MSG_PUT)
                w->puts++;
            else
                serve_chunk(w, &m.u.chunk);
            const struct msg state = {
                MSG_PUT_STATE,
                .u.put_state = {w->sha.hex, w->refuses ? -1 : (int64_t)w->stored.len,
                                "the disk is full"}};
            assert_int_equal(sock_send(w->bulk, &peer, &state), 0);
        }
        arena_release(&mem);
    }
    if (asked > w->most_unanswered)
        w->most_unanswered = asked;
}

/* Both sides in turns until the transfer has ended; the clock moves 10 ms a round. */
static enum blob_state
run(struct world *w, const struct blob *t)
{
    for (int i = 0; i < 4000 && blob_state(t) == BLOB_BUSY; i++) {
        struct sock *socks[2] = {w->bulk, blobs_sock(w->blobs)};
        unsigned char ready[2];
        blobs_step(w->blobs, w->now);
        serve(w);
        (void)sock_wait(socks, 2, NULL, 0, ready, 1);
        w->now += 10;
    }
    return blob_state(t);
}

static void
check_file(const struct world *w, const char *path)
{
    struct buf text = {0};
    struct err err;

    assert_int_equal(file_read(&text, path, &err), 0);
    assert_int_equal(text.len, SIZE);
    assert_memory_equal(text.data, w->bytes, SIZE);
    buf_release(&text);
}

static void
a_blob_is_fetched_verified_and_cached(void **state)
{
    struct world *w = *state;
    struct blob *t = blobs_get(w->blobs, w->sha.hex, SIZE);

    assert_int_equal(run(w, t), BLOB_DONE);
    check_file(w, blob_path(t));
    assert_int_equal(w->gets, 11);
    assert_true(w->most_unanswered > 1); /* they are pipelined */
    assert_true(w->most_unanswered <= MSG_BULK_CREDIT);
    blob_free(w->blobs, t);
    t = blobs_get(w->blobs, w->sha.hex, SIZE);
    assert_int_equal(blob_state(t), BLOB_DONE); /* at once */
    assert_int_equal(w->gets, 11);
    blob_free(w->blobs, t);
}

static void
a_lost_piece_is_asked_for_again(void **state)
{
    struct world *w = *state;
    struct blob *t = blobs_get(w->blobs, w->sha.hex, SIZE);

    w->drop_at = 5 * MSG_CHUNK_BYTES;
    assert_int_equal(run(w, t), BLOB_DONE);
    check_file(w, blob_path(t));
    assert_true(w->gets > 11 && w->gets <= 11 + MSG_BULK_CREDIT);
    blob_free(w->blobs, t);
}

static void
a_download_goes_on_where_an_earlier_agent_was(void **state)
{
    struct world *w = *state;
    char *part = xasprintf("%s/%s.part", w->cache, w->sha.hex);
    struct err err;

    assert_int_equal(file_write(part, w->bytes, 8 * MSG_CHUNK_BYTES, &err), 0);
    struct blob *t = blobs_get(w->blobs, w->sha.hex, SIZE);
    assert_int_equal(run(w, t), BLOB_DONE);
    check_file(w, blob_path(t));
    assert_int_equal(w->gets, 3);
    blob_free(w->blobs, t);
    free(part);
}

static void
a_damaged_blob_is_never_cached(void **state)
{
    struct world *w = *state;
    struct blob *t = blobs_get(w->blobs, w->sha.hex, SIZE);

    w->lies = true;
    assert_int_equal(run(w, t), BLOB_FAILED);
    assert_int_equal(blob_error(t)->kind, ERR_DATA);
    assert_false(file_exists(blob_path(t)));
    blob_free(w->blobs, t);
}

static void
a_blob_that_is_not_stored_is_an_error(void **state)
{
    struct world *w = *state;
    struct blob *t = blobs_get(w->blobs, w->sha.hex, SIZE);

    w->lacks = true;
    assert_int_equal(run(w, t), BLOB_FAILED);
    assert_int_equal(blob_error(t)->kind, ERR_DATA);
    blob_free(w->blobs, t);
    t = blobs_get(w->blobs, "../../etc/passwd", 10);
    assert_int_equal(blob_state(t), BLOB_FAILED);
    blob_free(w->blobs, t);
}

static void
two_jobs_share_one_download(void **state)
{
    struct world *w = *state;
    struct blob *a = blobs_get(w->blobs, w->sha.hex, SIZE);
    struct blob *b = blobs_get(w->blobs, w->sha.hex, SIZE);

    assert_int_equal(run(w, b), BLOB_DONE);
    assert_int_equal(blob_state(a), BLOB_DONE);
    assert_int_equal(w->gets, 11);
    blob_free(w->blobs, a);
    blob_free(w->blobs, b);
}

static void
a_file_is_stored_in_pieces(void **state)
{
    struct world *w = *state;
    struct blob *t = blobs_put(w->blobs, w->sha.hex, SIZE, w->file);

    assert_int_equal(run(w, t), BLOB_DONE);
    assert_int_equal(w->stored.len, SIZE);
    assert_memory_equal(w->stored.data, w->bytes, SIZE);
    assert_int_equal(w->puts, 1);
    assert_int_equal(w->chunks, 11);
    blob_free(w->blobs, t);
    t = blobs_put(w->blobs, w->sha.hex, SIZE, w->file);
    assert_int_equal(run(w, t), BLOB_DONE);
    assert_int_equal(w->chunks, 11); /* it was there already */
    blob_free(w->blobs, t);
}

static void
an_upload_survives_a_lost_chunk(void **state)
{
    struct world *w = *state;
    struct blob *t = blobs_put(w->blobs, w->sha.hex, SIZE, w->file);

    w->drop_at = 7 * MSG_CHUNK_BYTES;
    assert_int_equal(run(w, t), BLOB_DONE);
    assert_memory_equal(w->stored.data, w->bytes, SIZE);
    assert_true(w->puts >= 2);
    blob_free(w->blobs, t);
}

static void
an_upload_goes_on_with_a_new_coordinator(void **state)
{
    struct world *w = *state;
    struct err err;
    struct blob *t = blobs_put(w->blobs, w->sha.hex, SIZE, w->file);

    while (w->stored.len < 4 * MSG_CHUNK_BYTES) {
        blobs_step(w->blobs, w->now += 10);
        serve(w);
        usleep(1000);
    }
    sock_close(w->bulk);
    usleep(300 * 1000); /* libzmq releases the address a moment later */
    assert_int_equal(sock_bind(&w->bulk, w->endpoint, &err), 0);
    assert_int_equal(blobs_connect(w->blobs, w->endpoint, &err), 0);
    assert_int_equal(run(w, t), BLOB_DONE);
    assert_memory_equal(w->stored.data, w->bytes, SIZE);
    blob_free(w->blobs, t);
}

static void
a_refused_upload_says_why(void **state)
{
    struct world *w = *state;
    struct blob *t = blobs_put(w->blobs, w->sha.hex, SIZE, w->file);

    w->refuses = true;
    assert_int_equal(run(w, t), BLOB_FAILED);
    assert_int_equal(blob_error(t)->kind, ERR_REFUSED);
    assert_non_null(strstr(blob_error(t)->text, "the disk is full"));
    blob_free(w->blobs, t);
}

static void
a_file_that_changed_is_not_sent(void **state)
{
    struct world *w = *state;
    struct blob *t = blobs_put(w->blobs, w->sha.hex, SIZE - 1, w->file);

    assert_int_equal(run(w, t), BLOB_FAILED);
    assert_int_equal(w->chunks, 0);
    blob_free(w->blobs, t);
}

static void
old_files_make_room(void **state)
{
    struct world *w = *state;
    char *kept = file_join(w->cache, w->sha.hex);
    struct blobs *small = NULL;
    struct err err;

    blobs_keep(w->blobs, w->sha.hex, w->file);
    assert_true(file_exists(kept));
    assert_int_equal(blobs_new(&small, w->cache, SIZE - 1, &err), 0);
    assert_false(file_exists(kept));
    assert_true(file_exists(w->file)); /* the other link lives */
    blobs_free(small);
    free(kept);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_blob_is_fetched_verified_and_cached),
        TEST(a_lost_piece_is_asked_for_again),
        TEST(a_download_goes_on_where_an_earlier_agent_was),
        TEST(a_damaged_blob_is_never_cached),
        TEST(a_blob_that_is_not_stored_is_an_error),
        TEST(two_jobs_share_one_download),
        TEST(a_file_is_stored_in_pieces),
        TEST(an_upload_survives_a_lost_chunk),
        TEST(an_upload_goes_on_with_a_new_coordinator),
        TEST(a_refused_upload_says_why),
        TEST(a_file_that_changed_is_not_sent),
        TEST(old_files_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
