/* cores.c - claims of cores by flock: file number i of the folder is locked as long as
 * somebody's job runs under that number. Numbers are taken from the lowest on and files
 * are never removed, so the count ends at the first number that has no file. A count
 * takes each lock for a moment; a claim that meets it takes the next number. */
#include "worker/agent/cores.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { MAX_CLAIMS = 4096, COUNT_MS = 500 };

struct cores {
    char *dir;
    int *fds; /* of our claims */
    int64_t *numbers;
    size_t n, fd_capacity, number_capacity;
    int64_t others, counted_ms;
};

/* ---- the folder --------------------------------------------------------------------- */

/* Workers with the same cores meet in one folder. */
static char *
folder_of_set(const char *base)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    (void)sched_getaffinity(0, sizeof set, &set);
    const struct sha256 id = sha256_bytes(&set, sizeof set);
    return xasprintf("%s/%.16s", base, id.hex);
}

static char *
default_base(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");

    return runtime != NULL && runtime[0] == '/'
               ? xasprintf("%s/relusweep-cores", runtime)
               : xasprintf("/tmp/relusweep-cores-%ld", (long)getuid());
}

int
cores_open(struct cores **out, const char *dir, struct err *err)
{
    char *base = dir[0] != '\0' ? xstrdup(dir) : default_base();
    struct cores *c = xcalloc(1, sizeof *c);
    struct stat st;

    c->dir = folder_of_set(base);
    int rc = file_make_dirs(c->dir, err);
    if (rc == 0 && stat(c->dir, &st) != 0)
        rc = err_sys(err, "look at %s", c->dir);
    if (rc == 0 && st.st_uid != getuid())
        rc = err_set(err, ERR_REFUSED, "%s belongs to another user", c->dir);
    free(base);
    if (rc == 0)
        *out = c;
    else
        cores_close(c);
    return rc;
}

void
cores_close(struct cores *c)
{
    if (c == NULL)
        return;
    while (c->n > 0)
        close(c->fds[--c->n]);
    free(c->fds);
    free(c->numbers);
    free(c->dir);
    free(c);
}

/* ---- claims -------------------------------------------------------------------------- */

static int
open_number(const struct cores *c, int64_t number, int flags)
{
    char *path = xasprintf("%s/%" PRId64, c->dir, number);
    const int fd = open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);

    free(path);
    return fd;
}

/* Locks the lowest number that is free; false where that does not work. */
static bool
claim_one(struct cores *c)
{
    for (int64_t i = 0; i < MAX_CLAIMS; i++) {
        const int fd = open_number(c, i, O_CREAT);
        if (fd < 0)
            return false;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            close(fd);
            continue;
        }
        c->fds = xgrow(c->fds, &c->fd_capacity, c->n + 1, sizeof *c->fds);
        c->numbers =
            xgrow(c->numbers, &c->number_capacity, c->n + 1, sizeof *c->numbers);
        c->fds[c->n] = fd;
        c->numbers[c->n++] = i;
        return true;
    }
    return false;
}

static bool
is_mine(const struct cores *c, int64_t number)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->numbers[i] == number)
            return true;
    return false;
}

static int64_t
count_others(const struct cores *c)
{
    int64_t others = 0;

    for (int64_t i = 0; i < MAX_CLAIMS; i++) {
        if (is_mine(c, i))
            continue;
        const int fd = open_number(c, i, 0);
        if (fd < 0)
            break;
        others += flock(fd, LOCK_SH | LOCK_NB) != 0;
        close(fd);
    }
    return others;
}

int64_t
cores_claim(struct cores *c, int64_t n, int64_t now_ms)
{
    const bool changed = (int64_t)c->n != n;

    while ((int64_t)c->n > n)
        close(c->fds[--c->n]);
    while ((int64_t)c->n < n && claim_one(c))
        continue;
    if (changed || c->counted_ms == 0 || now_ms - c->counted_ms >= COUNT_MS) {
        c->others = count_others(c);
        c->counted_ms = now_ms;
    }
    return c->others;
}

/* ---- how they are shared --------------------------------------------------------------- */

int64_t
cores_threads(int64_t cores, int64_t i, int64_t n, int64_t others)
{
    const int64_t each = cores / (n + others);
    const int64_t left =
        others == 0 ? cores % n : 0; /* whose else it is is not known */

    return each < 1 ? 1 : each + (i < left);
}

int64_t
cores_slots(int64_t cores, int64_t slots, int64_t others)
{
    const int64_t room = others > 0 ? cores - others : slots;

    return room < 1 ? 1 : room < slots ? room : slots;
}
