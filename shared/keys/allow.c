/*
 * allow.c - the folder of allowed keys, kept in memory. Invariant: a file that is not a
 * sound public key allows nobody. Must not know sockets.
 */
#include "shared/keys/allow.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

enum {
    LOOK_MS = 250, /* between two looks at the folder */
    SETTLED_S = 2, /* a later change surely has a later time */
};

struct entry {
    char key[KEY_TEXT], name[ALLOW_NAME];
};

struct allow {
    char *dir;
    pthread_mutex_t lock;
    struct timespec changed; /* of the folder when it was read */
    bool settled; /* read so long after it that its time tells changes apart */
    int64_t looked_ms;
    struct entry *entries; /* by key */
    size_t n, capacity;
};

static int
by_key(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

/* Length of NAME in "NAME.pub", 0 for other files. */
static size_t
stem(const char *file)
{
    const char *dot = strrchr(file, '.');

    return dot != NULL && strcmp(dot, ".pub") == 0 && dot - file < ALLOW_NAME
                   && file[0] != '.'
               ? (size_t)(dot - file)
               : 0;
}

static void
read_entry(struct allow *a, const char *file)
{
    char *path = file_join(a->dir, file);
    struct entry e = {.name = ""};
    struct err err;

    memcpy(e.name, file, stem(file));
    if (keyfile_read_public(e.key, path, &err) == 0) {
        a->entries = xgrow(a->entries, &a->capacity, a->n + 1, sizeof *a->entries);
        a->entries[a->n++] = e;
    } else {
        log_warn("keys", "action=ignored why=\"%s\"", err.text);
    }
    free(path);
}

static void
read_folder(struct allow *a)
{
    DIR *d = opendir(a->dir);
    const struct dirent *e;

    a->n = 0;
    while (d != NULL && (e = readdir(d)) != NULL)
        if (stem(e->d_name) > 0)
            read_entry(a, e->d_name);
    if (d != NULL)
        closedir(d);
    if (a->n > 0)
        qsort(a->entries, a->n, sizeof *a->entries, by_key);
}

/* With the lock held. Two changes within a tick of the file system's clock have the same
 * time, so a folder that has just changed is read at every look. */
static void
look_again(struct allow *a)
{
    const int64_t now_ms = clock_mono_ms();
    struct stat st = {0};

    if (a->looked_ms != 0 && now_ms - a->looked_ms < LOOK_MS)
        return;
    (void)!stat(a->dir, &st); /* a folder that is not there has changed at time 0 */
    if (!a->settled || st.st_mtim.tv_sec != a->changed.tv_sec
        || st.st_mtim.tv_nsec != a->changed.tv_nsec)
        read_folder(a);
    a->changed = st.st_mtim;
    a->settled = llabs((long long)time(NULL) - st.st_mtim.tv_sec) > SETTLED_S;
    a->looked_ms = now_ms;
}

struct allow *
allow_open(const char *dir)
{
    struct allow *a = xcalloc(1, sizeof *a);

    a->dir = xstrdup(dir);
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void
allow_close(struct allow *a)
{
    if (a == NULL)
        return;
    pthread_mutex_destroy(&a->lock);
    free(a->entries);
    free(a->dir);
    free(a);
}

bool
allow_find(struct allow *a, const char *key, char name[ALLOW_NAME])
{
    struct entry wanted = {.name = ""};

    snprintf(wanted.key, sizeof wanted.key, "%s", key);
    pthread_mutex_lock(&a->lock);
    look_again(a);
    const struct entry *e =
        a->n > 0 ? bsearch(&wanted, a->entries, a->n, sizeof *a->entries, by_key)
                 : NULL;
    if (e != NULL)
        memcpy(name, e->name, ALLOW_NAME);
    pthread_mutex_unlock(&a->lock);
    return e != NULL;
}

/* ---- for people's commands ------------------------------------------------------- */

int
allow_add(const char *dir, const char *name, const char *key, struct err *err)
{
    char text[KEY_TEXT + 32], there[KEY_TEXT];
    int rc = -1;

    if (key_check_name(name, err) != 0 || file_make_dirs(dir, err) != 0)
        return -1;
    char *path = xasprintf("%s/%s.pub", dir, name);
    snprintf(text, sizeof text, "relusweep-public 1 %s\n", key);
    if (file_exists(path) && keyfile_read_public(there, path, err) == 0
        && strcmp(there, key) != 0)
        err_set(err, ERR_REFUSED,
                "`%s` is allowed with another key already; `relusweep keys revoke %s` "
                "first, or choose another --name",
                name, name);
    else
        rc = file_write(path, text, strlen(text), err);
    free(path);
    return rc;
}

int
allow_remove(const char *dir, const char *name, struct err *err)
{
    if (key_check_name(name, err) != 0)
        return -1;
    char *path = xasprintf("%s/%s.pub", dir, name);
    int rc = unlink(path);
    if (rc != 0 && errno == ENOENT)
        err_set(err, ERR_USAGE, "no key is allowed as `%s` (`relusweep keys list`)",
                name);
    else if (rc != 0)
        err_sys(err, "remove %s", path);
    free(path);
    return rc;
}

static int
is_public(const struct dirent *e)
{
    return stem(e->d_name) > 0;
}

int
allow_list(const char *dir, allow_list_fn *fn, void *ctx, struct err *err)
{
    struct dirent **files;
    const int n = scandir(dir, &files, is_public, alphasort);

    if (n < 0)
        return errno == ENOENT ? 0 : err_sys(err, "read folder %s", dir);
    for (int i = 0; i < n; i++) {
        char *path = file_join(dir, files[i]->d_name), key[KEY_TEXT];
        char name[ALLOW_NAME] = "";
        struct err ignored;
        memcpy(name, files[i]->d_name, stem(files[i]->d_name));
        if (keyfile_read_public(key, path, &ignored) == 0)
            fn(ctx, name, key);
        free(path);
        free(files[i]);
    }
    free(files);
    return 0;
}
