/* workdir.c - where an agent keeps its files. Knows names of folders, not their use. */
#include "worker/agent/workdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "shared/base/file.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "worker/agent/spool.h"

static char *
default_dir(const char *name)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (state != NULL && state[0] == '/')
        return xasprintf("%s/relusweep/worker/%s", state, name);
    if (home != NULL && home[0] == '/')
        return xasprintf("%s/.local/state/relusweep/worker/%s", home, name);
    return NULL;
}

static int
take_lock(struct workdir *w, const char *dir, struct err *err)
{
    char *path = file_join(dir, "lock");
    int rc = 0;

    w->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (w->lock < 0)
        rc = err_sys(err, "open %s", path);
    else if (flock(w->lock, LOCK_EX | LOCK_NB) != 0)
        rc = err_set(err, ERR_REFUSED,
                     "another agent works in %s; give this one another --name or "
                     "--work-dir",
                     dir);
    free(path);
    return rc;
}

static int
make_folders(struct workdir *w, const char *dir, struct err *err)
{
    w->jobs = file_join(dir, "jobs");
    w->spool = file_join(dir, "spool");
    w->cache = file_join(dir, "cache");
    if (file_make_dirs(w->jobs, err) != 0 || file_make_dirs(w->spool, err) != 0
        || file_make_dirs(w->cache, err) != 0)
        return -1;
    return take_lock(w, dir, err);
}

int
workdir_open(struct workdir *w, const char *dir, const char *name, struct err *err)
{
    char *wanted = dir[0] != '\0' ? xstrdup(dir) : default_dir(name);
    char *absolute = NULL;
    int rc = -1;

    *w = (struct workdir){.lock = -1};
    if (wanted == NULL) {
        err_set(err, ERR_USAGE,
                "neither XDG_STATE_HOME nor HOME is set; give --work-dir");
        goto out;
    }
    if (file_make_dirs(wanted, err) != 0)
        goto out;
    absolute = realpath(wanted, NULL);
    if (absolute == NULL)
        err_sys(err, "find %s", wanted);
    else
        rc = make_folders(w, absolute, err);
out:
    if (rc != 0)
        workdir_release(w);
    free(absolute);
    free(wanted);
    return rc;
}

void
workdir_release(struct workdir *w)
{
    if (w->lock >= 0)
        close(w->lock);
    free(w->jobs);
    free(w->spool);
    free(w->cache);
    *w = (struct workdir){.lock = -1};
}

static bool
is_needed(const char *folder, const json_t *entries)
{
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const struct msg_run run = spool_run(json_array_get(entries, i));
        char *name = xasprintf("%" PRId64 "-%" PRId64, run.job, run.attempt);
        const bool same = strcmp(name, folder) == 0;
        free(name);
        if (same)
            return true;
    }
    return false;
}

void
workdir_sweep(const struct workdir *w, const json_t *entries)
{
    DIR *d = opendir(w->jobs);

    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        struct err err;
        if (e->d_name[0] == '.' || is_needed(e->d_name, entries))
            continue;
        char *path = file_join(w->jobs, e->d_name);
        if (file_remove_tree(path, &err) != 0)
            log_warn("workdir", "text=\"%s\"", err.text);
        free(path);
    }
    if (d != NULL)
        closedir(d);
}
