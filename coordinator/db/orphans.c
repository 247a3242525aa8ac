/*
 * orphans.c - files of blobs without a row. Invariant: only files whose name is a digest
 * are looked at, so nothing else in a folder is ever touched.
 */
#include "coordinator/db/orphans.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "coordinator/db/blobfile.h"
#include "coordinator/db/blobfolder.h"
#include "coordinator/db/handle.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { N_LEAVES = 256 + 1 /* 00 to ff, and part */ };

struct names {
    char **items;
    size_t n, capacity;
};

static void
names_release(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct names){0};
}

static void
add_if_old(struct names *names, DIR *dir, const char *name, int64_t before)
{
    struct stat st;

    if (!sha256_is_hex(name) || fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0
        || !S_ISREG(st.st_mode) || st.st_mtime > before)
        return;
    names->items =
        xgrow(names->items, &names->capacity, names->n + 1, sizeof *names->items);
    names->items[names->n++] = xstrdup(name);
}

static void
list_old(struct names *names, const char *path, int64_t before)
{
    const struct dirent *entry;
    DIR *dir = opendir(path);

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        add_if_old(names, dir, entry->d_name, before);
    if (dir != NULL)
        closedir(dir);
}

/* Those without a row go; nobody can make one meanwhile. */
static int
drop_unnamed(struct pg *pg, int64_t folder, const char *path, const struct names *names,
             int64_t *n, struct err *err)
{
    struct pg_rows rows;
    int rc = 0;

    if (blobfolder_lock(pg, err) != 0
        || pg_query(pg, &rows,
                    "SELECT n FROM unnest($2::text[]) n WHERE NOT EXISTS"
                    " (SELECT FROM blob b WHERE b.sha = n AND b.folder = $1)",
                    PG_ARGS(PG_INT(folder), PG_TEXTS(names->items, names->n)), err)
               != 0)
        return -1;
    for (int i = 0; rc == 0 && i < rows.n; i++, ++*n)
        rc = blobfile_drop(path, pg_text_at(&rows, i, 0), err);
    pg_rows_release(&rows);
    return rc;
}

static int
clean_leaf(struct pg *pg, int64_t folder, const char *path, int leaf, int64_t before,
           int64_t *n, struct err *err)
{
    char name[8];
    struct names names = {0};
    int rc = 0;

    snprintf(name, sizeof name, leaf < 256 ? "%02x" : "part", leaf);
    char *where = file_join(path, name);
    list_old(&names, where, before);
    if (names.n > 0) {
        rc = pg_begin(pg, err) == 0
                     && drop_unnamed(pg, folder, path, &names, n, err) == 0
                     && pg_commit(pg, err) == 0
                 ? 0
                 : -1;
        if (rc != 0)
            pg_rollback(pg);
    }
    names_release(&names);
    free(where);
    return rc;
}

struct cleaning {
    int64_t before; /* seconds: what is older is no upload that goes on */
    int64_t *n;
};

static int
clean_folder(struct pg *pg, int64_t folder, const char *path, void *ctx,
             struct err *err)
{
    const struct cleaning *c = ctx;

    for (int i = 0; i < N_LEAVES; i++)
        if (clean_leaf(pg, folder, path, i, c->before, c->n, err) != 0)
            return -1;
    return 0;
}

int
orphans_delete(struct db *db, int64_t grace_s, int64_t *n, struct err *err)
{
    struct cleaning c = {.before = (int64_t)time(NULL) - grace_s, .n = n};

    *n = 0;
    return blobfolder_each(db->pg, false, clean_folder, &c, err);
}
