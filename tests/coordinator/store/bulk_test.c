/* Blob transfer against a real database, into rows and into files: order, resuming, wrong
 * bytes, reading, and what is deleted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "coordinator/db/blobfile.h"
#include "coordinator/db/blobfolder.h"
#include "coordinator/db/blobrange.h"
#include "coordinator/db/check.h"
#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "coordinator/db/orphans.h"
#include "coordinator/store/bulk.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "tests/support/db_fixture.h"

enum { SIZE = 2 * BLOB_CHUNK_BYTES + 12345 };

struct world {
    struct db *db;
    struct bulk bulk;
    struct arena mem;
    char *folder; /* of files, NULL: blobs go into rows */
    char *bytes;
    struct sha256 digest;
};

static struct db *database; /* of all tests */

static const struct sock_peer peer = {.id = "p", .n = 1};

static int
make_world(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);

    w->db = database;
    db_fixture_script(w->db,
                      "TRUNCATE blob, blob_chunk, blob_folder, blob_gone CASCADE");
    w->bytes = xmalloc(SIZE);
    for (int i = 0; i < SIZE; i++)
        w->bytes[i] = (char)(i * 7 + i / 1000);
    w->digest = sha256_bytes(w->bytes, SIZE);
    *state = w;
    return 0;
}

static void
in_transaction(struct world *w, int rc, struct err *err)
{
    if (rc != 0 || pg_commit(w->db->pg, err) != 0)
        fail_msg("%s", err->text);
}

/* The same with files. */
static int
make_world_of_files(void **state)
{
    struct err err;

    make_world(state);
    struct world *w = *state;
    w->folder = xstrdup("/tmp/relusweep-bulk.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    assert_int_equal(blobfolder_join(w->db->pg, w->folder, &w->bulk.folder, &err), 0);
    return 0;
}

static int
free_world(void **state)
{
    struct world *w = *state;
    struct err err;

    if (w->folder != NULL)
        assert_int_equal(file_remove_tree(w->folder, &err), 0);
    free(w->folder);
    bulk_release(&w->bulk);
    arena_release(&w->mem);
    free(w->bytes);
    free(w);
    return 0;
}

/* One message in a transaction of its own, if it needs one; the first reply. */
static const struct msg *
ask(struct world *w, const struct msg *m)
{
    const bool rows = bulk_needs_rows(&w->bulk, m, 1);
    struct pg *pg =
        rows ? w->db->pg : NULL; /* whoever uses it all the same will fail */
    struct err err = {0};

    w->bulk.n_replies = 0;
    if ((rows && pg_begin(pg, &err) != 0)
        || bulk_take(&w->bulk, pg, &peer, m, &w->mem, 1, &err) != 0
        || (rows && (bulk_settle(&w->bulk, pg, &err) != 0 || pg_commit(pg, &err) != 0)))
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
store(struct world *w)
{
    put(w, SIZE);
    for (int64_t at = 0; at < SIZE; at += BLOB_CHUNK_BYTES)
        chunk(w, at);
}

static char *
file_of(const struct world *w)
{
    return blobfile_path(w->folder, w->digest.hex);
}

/* One byte of what is stored. */
static void
damage(struct world *w)
{
    if (w->folder == NULL) {
        db_fixture_script(w->db, "UPDATE blob_chunk SET data = set_byte(data, 3, 9)"
                                 " WHERE place = 1");
        return;
    }
    char *path = file_of(w);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 77, SEEK_SET), 0);
    assert_int_equal(fputc(~w->bytes[77] & 0xff, file), ~w->bytes[77] & 0xff);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static void
a_stored_blob_can_be_saved_to_a_file(void **state)
{
    struct world *w = *state;
    char *path = xasprintf("%s/saved-%d", "/tmp", (int)getpid());
    struct buf back = {0};
    struct err err;

    store(w);
    assert_int_equal(db_blob_save(w->db, w->digest.hex, path, &err), 0);
    assert_int_equal(file_read(&back, path, &err), 0);
    assert_int_equal(back.len, SIZE);
    assert_memory_equal(back.data, w->bytes, SIZE);
    remove(path);
    damage(w);
    assert_int_equal(db_blob_save(w->db, w->digest.hex, path, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_false(file_exists(path));
    buf_release(&back);
    free(path);
}

static void
a_part_can_be_read_across_pieces(void **state)
{
    struct world *w = *state;
    struct buf part = {0};
    struct err err;

    store(w);
    assert_int_equal(db_blob_range(w->db, w->digest.hex, BLOB_CHUNK_BYTES - 5,
                                   BLOB_CHUNK_BYTES + 10, &part, &err),
                     0);
    assert_int_equal(part.len, BLOB_CHUNK_BYTES + 10);
    assert_memory_equal(part.data, w->bytes + BLOB_CHUNK_BYTES - 5, part.len);
    buf_release(&part);
}

static int64_t
faults(struct world *w, bool deep)
{
    struct err err;
    json_t *doc;

    if (db_check(w->db, deep, &doc, &err) != 0)
        fail_msg("%s", err.text);
    const int64_t found = json_int(doc, "found", -1);
    json_decref(doc);
    return found;
}

static void
a_damaged_blob_is_found_by_a_deep_check(void **state)
{
    struct world *w = *state;

    store(w);
    assert_int_equal(faults(w, false) + faults(w, true), 0);
    damage(w);
    assert_int_equal(faults(w, false), 0);
    assert_int_equal(faults(w, true), 1);
}

/* ---- files alone -------------------------------------------------------------------- */

static int64_t
size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void
small_blobs_stay_in_the_database(void **state)
{
    struct world *w = *state;

    w->bulk.folder_min_bytes = SIZE + 1;
    store(w);
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM blob_chunk"), 3);
    w->bulk.folder_min_bytes = SIZE; /* the row says where it is, not the setting */
    assert_int_equal(get(w, 0)->size, SIZE);
}

static void
a_file_has_its_name_when_it_is_verified(void **state)
{
    struct world *w = *state;
    char *path = file_of(w);

    put(w, SIZE);
    chunk(w, 0);
    assert_int_equal(size_of(path), -1);
    chunk(w, BLOB_CHUNK_BYTES);
    chunk(w, 2 * BLOB_CHUNK_BYTES);
    assert_int_equal(size_of(path), SIZE);
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM blob_chunk"), 0);
    assert_int_equal(db_fixture_number(w->db, "SELECT received FROM blob"), SIZE);
    free(path);
}

static void
a_piece_that_was_cut_is_sent_again(void **state)
{
    struct world *w = *state;
    char *part = xasprintf("%s/part/%s", w->folder, w->digest.hex);

    put(w, SIZE);
    chunk(w, 0);
    chunk(w, BLOB_CHUNK_BYTES);
    bulk_forget(&w->bulk);
    assert_int_equal(truncate(part, 2 * BLOB_CHUNK_BYTES - 100), 0);
    assert_int_equal(put(w, SIZE), BLOB_CHUNK_BYTES);
    chunk(w, BLOB_CHUNK_BYTES);
    assert_int_equal(chunk(w, 2 * BLOB_CHUNK_BYTES), SIZE);
    free(part);
}

/* The transaction was lost after the file had got its name. */
static void
a_file_without_its_row_costs_one_piece(void **state)
{
    struct world *w = *state;

    store(w);
    db_fixture_script(w->db, "UPDATE blob SET stored = false, received = 0");
    assert_int_equal(get(w, 0)->size, -1);
    assert_int_equal(put(w, SIZE), 2 * BLOB_CHUNK_BYTES);
    assert_int_equal(chunk(w, 2 * BLOB_CHUNK_BYTES), SIZE);
    assert_int_equal(faults(w, true), 0);
}

static void
two_coordinators_do_not_write_one_file(void **state)
{
    struct world *w = *state;
    struct bulk other = {.folder = w->bulk.folder};
    const struct msg m = {.type = MSG_PUT, .u.put = {w->digest.hex, SIZE}};
    struct err err;

    put(w, SIZE);
    assert_int_equal(pg_begin(w->db->pg, &err), 0);
    assert_int_equal(bulk_take(&other, w->db->pg, &peer, &m, &w->mem, 1, &err), -1);
    assert_non_null(strstr(err.text, "another coordinator still writes"));
    pg_rollback(w->db->pg);
    bulk_release(&w->bulk); /* it has ended */
    assert_int_equal(pg_begin(w->db->pg, &err), 0);
    in_transaction(w, bulk_take(&other, w->db->pg, &peer, &m, &w->mem, 1, &err), &err);
    bulk_release(&other);
}

static void
the_file_of_a_deleted_blob_goes(void **state)
{
    struct world *w = *state;
    char *path = file_of(w);
    struct err err;
    int64_t n;

    store(w);
    db_fixture_script(w->db, "DELETE FROM blob");
    assert_int_equal(size_of(path), SIZE); /* not before the rows are gone for good */
    assert_int_equal(pg_begin(w->db->pg, &err), 0);
    in_transaction(w, blobfolder_clear(w->db->pg, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_int_equal(size_of(path), -1);
    free(path);
}

static void
a_blob_that_comes_back_keeps_its_file(void **state)
{
    struct world *w = *state;
    struct err err;
    int64_t n;

    store(w);
    db_fixture_script(w->db, "DELETE FROM blob");
    store(w);
    assert_int_equal(pg_begin(w->db->pg, &err), 0);
    in_transaction(w, blobfolder_clear(w->db->pg, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM blob_gone"), 0);
    assert_int_equal(faults(w, true), 0);
}

static void
files_that_no_blob_names_go_when_they_are_old(void **state)
{
    struct world *w = *state;
    char *path = file_of(w);
    struct err err;
    int64_t n;

    store(w);
    assert_int_equal(orphans_delete(w->db, -10, &n, &err), 0);
    assert_int_equal(n, 0); /* it has a row */
    db_fixture_script(w->db, "DELETE FROM blob; DELETE FROM blob_gone");
    assert_int_equal(orphans_delete(w->db, ORPHANS_GRACE_S, &n, &err), 0);
    assert_int_equal(n, 0); /* it is new */
    assert_int_equal(orphans_delete(w->db, -10, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(size_of(path), -1);
    free(path);
}

static void
a_file_that_is_missing_is_said_to_be(void **state)
{
    struct world *w = *state;
    char *path = file_of(w);

    store(w);
    assert_int_equal(remove(path), 0);
    assert_int_equal(faults(w, false), 1);
    assert_int_equal(get(w, 0)->size, -1);
    free(path);
}

static int
join(struct world *w, const char *folder, int64_t *id, struct err *err)
{
    return blobfolder_join(w->db->pg, folder, id, err);
}

static void
another_folder_of_the_same_path_is_refused(void **state)
{
    struct world *w = *state;
    char *moved = xasprintf("%s.moved", w->folder);
    struct err err;
    int64_t id;

    assert_int_equal(join(w, w->folder, &id, &err), 0);
    assert_int_equal(id, w->bulk.folder);
    assert_int_equal(rename(w->folder, moved), 0);
    assert_int_equal(join(w, w->folder, &id, &err), -1); /* as on another machine */
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_non_null(strstr(err.text, "shared"));
    assert_int_equal(rmdir(w->folder), 0);
    assert_int_equal(join(w, moved, &id, &err), 0); /* it was moved */
    assert_int_equal(id, w->bulk.folder);
    free(w->folder);
    w->folder = moved;
    db_fixture_script(w->db, "DELETE FROM blob_folder"); /* as another database */
    assert_int_equal(join(w, moved, &id, &err), -1);
    assert_non_null(strstr(err.text, "another database"));
}

/* Between the mark, the commit of its row and the name that is kept. */
static void
a_program_that_dies_while_it_joins_leaves_a_folder_that_can_be_joined(void **state)
{
    struct world *w = *state;
    char *mark = file_join(w->folder, "relusweep-folder");
    char *due = xasprintf("%s.due", mark);
    struct err err;
    int64_t id;

    assert_int_equal(rename(mark, due), 0); /* after the commit */
    assert_int_equal(join(w, w->folder, &id, &err), 0);
    assert_int_equal(id, w->bulk.folder);
    assert_true(file_exists(mark) && !file_exists(due));
    assert_int_equal(rename(mark, due), 0); /* before it */
    db_fixture_script(w->db, "DELETE FROM blob_folder");
    assert_int_equal(join(w, w->folder, &id, &err), 0);
    assert_int_not_equal(id, w->bulk.folder);
    w->bulk.folder = id;
    assert_int_equal(join(w, w->folder, &id, &err), 0);
    assert_int_equal(id, w->bulk.folder);
    free(mark);
    free(due);
}

/* A file system of 1 MiB; where no mount is allowed there is nothing to see. */
static void
a_full_disk_loses_nothing_and_says_what_to_do(void **state)
{
    struct world *w = *state;
    char *part = file_join(w->folder, "part");
    struct msg m = {.type = MSG_CHUNK,
                    .u.chunk = {.sha = w->digest.hex,
                                .offset = BLOB_CHUNK_BYTES,
                                .size = SIZE,
                                .data = w->bytes + BLOB_CHUNK_BYTES,
                                .data_size = BLOB_CHUNK_BYTES}};
    struct err err;

    assert_int_equal(mkdir(part, 0700), 0);
    if (mount("none", part, "tmpfs", 0, "size=1088k") != 0) {
        free(part);
        skip();
    }
    put(w, SIZE);
    assert_int_equal(chunk(w, 0), BLOB_CHUNK_BYTES);
    const int rc = bulk_take(&w->bulk, w->db->pg, &peer, &m, &w->mem, 1, &err);
    bulk_forget(&w->bulk);
    const int64_t later = put(w, SIZE);
    bulk_forget(&w->bulk);
    assert_int_equal(umount(part), 0);
    assert_int_equal(rc, -1);
    assert_non_null(strstr(err.text, "make room"));
    assert_non_null(strstr(err.text, w->folder));
    assert_int_equal(later, BLOB_CHUNK_BYTES);
    free(part);
}

static int
open_database(void **state)
{
    (void)state;
    database = db_fixture_new("bulk", NULL);
    return 0;
}

static int
close_database(void **state)
{
    (void)state;
    db_close(database);
    return 0;
}

/* In rows and in files alike. */
#define TEST(name)                                                    \
    cmocka_unit_test_setup_teardown(name, make_world, free_world),    \
    {                                                                 \
#name " (files)", name, make_world_of_files, free_world, NULL \
    }
#define FILES(name) \
    cmocka_unit_test_setup_teardown(name, make_world_of_files, free_world)

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
        TEST(a_part_can_be_read_across_pieces),
        TEST(a_damaged_blob_is_found_by_a_deep_check),
        FILES(small_blobs_stay_in_the_database),
        FILES(a_file_has_its_name_when_it_is_verified),
        FILES(a_piece_that_was_cut_is_sent_again),
        FILES(a_file_without_its_row_costs_one_piece),
        FILES(two_coordinators_do_not_write_one_file),
        FILES(the_file_of_a_deleted_blob_goes),
        FILES(a_blob_that_comes_back_keeps_its_file),
        FILES(files_that_no_blob_names_go_when_they_are_old),
        FILES(a_file_that_is_missing_is_said_to_be),
        FILES(another_folder_of_the_same_path_is_refused),
        FILES(a_program_that_dies_while_it_joins_leaves_a_folder_that_can_be_joined),
        FILES(a_full_disk_loses_nothing_and_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, open_database, close_database);
}
