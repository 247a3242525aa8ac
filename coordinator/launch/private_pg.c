/*
 * private_pg.c - the embedded default database is the real PostgreSQL. Two lock files
 * order everything: pg.start.lock is held (exclusive) while a cluster is made, started
 * or stopped; pg.users.lock is held (shared) by everyone who uses it.
 */
#include "coordinator/launch/private_pg.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/launch/paths.h"
#include "coordinator/launch/process.h"
#include "shared/base/file.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

enum { MIN_MAJOR = 15, MIN_FREE_MB = 100 };

struct private_pg {
    char *state_dir, *bindir, *data, *socket_dir, *log, *conninfo;
    struct process_user user; /* uid 0: as we are */
    int users_lock;
};

int
private_pg_bindir(char **out, struct err *err)
{
    glob_t found;
    int best = 0;

    *out = NULL;
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            const char *path = found.gl_pathv[i];
            const int major = atoi(path + strlen("/usr/lib/postgresql/"));
            if (major < MIN_MAJOR || major <= best)
                continue;
            best = major;
            free(*out);
            *out = xstrndup(path, strlen(path) - strlen("/initdb"));
        }
        globfree(&found);
    }
    if (*out == NULL)
        return err_set(err, ERR_DB,
                       "no PostgreSQL %d or newer is installed in /usr/lib/postgresql; "
                       "run `apt-get install postgresql-15`, or name a server with "
                       "--database or PGHOST",
                       MIN_MAJOR);
    return 0;
}

/* As root: the user that the server runs as. */
static int
find_user(struct private_pg *pg, struct err *err)
{
    const struct passwd *pw;

    if (geteuid() != 0)
        return 0;
    if ((pw = getpwnam("relusweep")) == NULL && (pw = getpwnam("postgres")) == NULL)
        return err_set(err, ERR_DB,
                       "PostgreSQL does not run as root, and there is no user "
                       "`relusweep` or `postgres` to run it as; install postgresql-15 "
                       "(makes the user) or run relusweep as an ordinary user");
    pg->user = (struct process_user){.uid = pw->pw_uid, .gid = pw->pw_gid};
    return 0;
}

/* Makes a folder that belongs to the server's user. Long state paths put it into /tmp,
 * where somebody else may have been first: then it is refused. */
static int
make_server_dir(const struct private_pg *pg, const char *path, struct err *err)
{
    struct stat st;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_sys(err, "make folder %s", path);
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode)
        || (st.st_uid != geteuid() && st.st_uid != pg->user.uid))
        return err_set(err, ERR_REFUSED,
                       "%s belongs to somebody else; have it removed, or choose "
                       "another --state-dir",
                       path);
    if (pg->user.uid != 0 && lchown(path, pg->user.uid, pg->user.gid) != 0)
        return err_sys(err, "give %s to user %u", path, (unsigned)pg->user.uid);
    return 0;
}

/* The server's user must be able to walk to the state folder. */
static int
check_reachable(const struct private_pg *pg, struct err *err)
{
    char *argv[] = {(char *)"test", (char *)"-x", pg->data, NULL};
    struct err ignored;

    if (pg->user.uid == 0 || process_run(argv, "/dev/null", &pg->user, &ignored) == 0)
        return 0;
    return err_set(err, ERR_DB,
                   "the user that PostgreSQL runs as (uid %u) cannot enter %s; choose "
                   "another --state-dir, for example /var/lib/relusweep, or open the "
                   "folders above it with `chmod o+x`",
                   (unsigned)pg->user.uid, pg->state_dir);
}

static int
lock_file(const struct private_pg *pg, const char *name, int how, struct err *err)
{
    char *path = file_join(pg->state_dir, name);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = fd;

    if (fd < 0)
        rc = err_set(err, ERR_DB,
                     "cannot open %s: %s; is this somebody else's state folder? "
                     "--state-dir or RELUSWEEP_STATE choose another",
                     path, strerror(errno));
    else if (flock(fd, how) != 0) {
        rc = err_sys(err, "lock %s", path);
        close(fd);
    }
    free(path);
    return rc;
}

/* `text` between quotes, for libpq's connection strings (escape: a backslash) and for
 * postgresql.conf (a quote again). Caller frees. */
static char *
quoted(const char *text, char escape)
{
    struct buf out = {0};

    buf_putc(&out, '\'');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'' || *c == '\\')
            buf_putc(&out, *c == '\\' ? '\\' : escape);
        buf_putc(&out, *c);
    }
    buf_putc(&out, '\'');
    return buf_take(&out);
}

static int
write_config(const struct private_pg *pg, struct err *err)
{
    char *path = file_join(pg->data, "postgresql.conf");
    char *sockets = quoted(pg->socket_dir, '\'');
    struct buf text = {0};
    int rc = file_read(&text, path, err);

    if (rc == 0) {
        buf_printf(&text,
                   "\n# relusweep: a private cluster\n"
                   "listen_addresses = ''\n"
                   "unix_socket_directories = %s\n"
                   "unix_socket_permissions = 0700\n"
                   "max_connections = 64\n"
                   "shared_buffers = 64MB\n"
                   "max_wal_size = 1GB\n"
                   "wal_buffers = 16MB\n" /* pieces of artifacts have 1 MiB */
                   "log_min_messages = warning\n",
                   sockets);
        rc = file_write(path, buf_str(&text), text.len, err);
    }
    if (rc == 0 && pg->user.uid != 0 && chown(path, pg->user.uid, pg->user.gid) != 0)
        rc = err_sys(err, "give %s to the server's user", path);
    buf_release(&text);
    free(sockets);
    free(path);
    return rc;
}

/* A new cluster takes 40 MB and a log of changes that grows: what initdb says about a
 * full disk is hard to understand. */
static int
check_space(const struct private_pg *pg, struct err *err)
{
    struct statvfs fs;

    if (statvfs(pg->state_dir, &fs) != 0)
        return err_sys(err, "look at the space in %s", pg->state_dir);
    const uint64_t free_mb = (uint64_t)fs.f_bavail * fs.f_frsize / (1024 * 1024);
    if (free_mb >= MIN_FREE_MB)
        return 0;
    return err_set(err, ERR_DB,
                   "only %llu MB are free in %s, and the database needs %d MB to begin "
                   "with; make room or choose another --state-dir",
                   (unsigned long long)free_mb, pg->state_dir, MIN_FREE_MB);
}

/* The marker is written last: a killed initdb is simply started over. */
static int
make_cluster(const struct private_pg *pg, struct err *err)
{
    char *initdb = file_join(pg->bindir, "initdb");
    char *argv[] = {initdb,         (char *)"-D",          pg->data,
                    (char *)"-A",   (char *)"trust",       (char *)"-E",
                    (char *)"UTF8", (char *)"--no-locale", (char *)"--data-checksums",
                    (char *)"-U",   (char *)"relusweep",   NULL};
    char *marker = file_join(pg->data, "relusweep.made");
    int rc = 0;

    if (!file_exists(marker)) {
        rc = check_space(pg, err);
        if (rc != 0)
            goto out;
        log_info("db", "making a private PostgreSQL cluster in %s", pg->data);
        rc = file_remove_tree(pg->data, err);
        if (rc == 0)
            rc = make_server_dir(pg, pg->data, err);
        if (rc == 0)
            rc = check_reachable(pg, err);
        if (rc == 0)
            rc = process_run(argv, pg->log, &pg->user, err);
        if (rc == 0)
            rc = write_config(pg, err);
        if (rc == 0)
            rc = file_write(marker, "", 0, err);
    }
out:
    free(marker);
    free(initdb);
    return rc;
}

static int
pg_ctl(const struct private_pg *pg, const char *what, const char *mode, struct err *err)
{
    char *program = file_join(pg->bindir, "pg_ctl");
    char *argv[] = {
        program,      (char *)"-D", pg->data, (char *)"-w", (char *)"-t",
        (char *)"30", (char *)"-l", pg->log,  (char *)what, mode ? (char *)"-m" : NULL,
        (char *)mode, NULL};
    const int rc = process_run(argv, pg->log, &pg->user, err);

    free(program);
    return rc;
}

static bool
is_running(const struct private_pg *pg)
{
    char *program = file_join(pg->bindir, "pg_ctl");
    char *argv[] = {program, (char *)"-D", pg->data, (char *)"status", NULL};
    struct err ignored;
    const bool running = process_run(argv, "/dev/null", &pg->user, &ignored) == 0;

    free(program);
    return running;
}

/* Database `relusweep` beside the default ones; there already is fine. */
static int
make_database(const struct private_pg *pg, struct err *err)
{
    char *program = file_join(pg->bindir, "createdb");
    char *made = file_join(pg->data, "relusweep.database");
    char *argv[] = {program,      (char *)"-h",        pg->socket_dir,
                    (char *)"-U", (char *)"relusweep", (char *)"relusweep",
                    NULL};
    int rc = 0;

    if (!file_exists(made)) {
        rc = process_run(argv, pg->log, NULL, err);
        if (rc != 0 && strstr(err->text, "already exists") != NULL)
            rc = 0;
        if (rc == 0)
            rc = file_write(made, "", 0, err);
    }
    free(made);
    free(program);
    return rc;
}

static int
bring_up_steps(const struct private_pg *pg, struct err *err)
{
    if (make_cluster(pg, err) != 0)
        return err_wrap(err, "private PostgreSQL in %s", pg->data);
    if (make_server_dir(pg, pg->socket_dir, err) != 0)
        return -1;
    if (!is_running(pg) && pg_ctl(pg, "start", NULL, err) != 0)
        return err_wrap(err, "private PostgreSQL (its log: %s)", pg->log);
    return make_database(pg, err);
}

/* Under the start lock: cluster made, server running, database there. To a script, a
 * server that does not come up is a database that cannot be reached. */
static int
bring_up(const struct private_pg *pg, struct err *err)
{
    const int rc = bring_up_steps(pg, err);

    if (rc != 0 && err->kind == ERR_SYS)
        err->kind = ERR_DB;
    return rc;
}

/* As root: the server's user may walk through the folder, whatever else it allows, and
 * may write the log. */
static int
open_to_server(const struct private_pg *pg, struct err *err)
{
    struct stat st;

    if (pg->user.uid == 0)
        return 0;
    if (stat(pg->state_dir, &st) != 0
        || ((st.st_mode & 0011) != 0011
            && chmod(pg->state_dir, (st.st_mode & 07777) | 0011) != 0))
        return err_sys(err, "open %s to the database's user", pg->state_dir);
    const int fd = open(pg->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const bool ok = fd >= 0 && fchown(fd, pg->user.uid, pg->user.gid) == 0;
    if (!ok)
        err_sys(err, "make %s", pg->log);
    if (fd >= 0)
        close(fd);
    return ok ? 0 : -1;
}

static int
prepare(struct private_pg *pg, const char *state_dir, bool create, struct err *err)
{
    pg->state_dir = xstrdup(state_dir);
    pg->data = file_join(state_dir, "pg");
    pg->log = file_join(state_dir, "pg.log");
    pg->socket_dir = paths_socket_dir(state_dir, "run");
    char *host = quoted(pg->socket_dir, '\\');
    pg->conninfo = xasprintf("host=%s user=relusweep dbname=relusweep", host);
    free(host);
    if (!create && !file_exists(pg->data))
        return err_set(
            err, ERR_DB,
            "there is no database yet: %s is not there; start with `relusweep "
            "run SWEEP.yaml`, or name a server with --database or PGHOST",
            pg->data);
    if (private_pg_bindir(&pg->bindir, err) != 0 || find_user(pg, err) != 0
        || paths_make_state_dir(state_dir, err) != 0)
        return -1;
    return open_to_server(pg, err);
}

int
private_pg_open(struct private_pg **out, const char *state_dir, bool create,
                struct err *err)
{
    struct private_pg *pg = xcalloc(1, sizeof *pg);
    int start = -1, rc = -1;

    pg->users_lock = -1;
    *out = NULL;
    if (prepare(pg, state_dir, create, err) != 0)
        goto out;
    if ((start = lock_file(pg, "pg.start.lock", LOCK_EX, err)) < 0
        || (pg->users_lock = lock_file(pg, "pg.users.lock", LOCK_SH, err)) < 0)
        goto out;
    rc = bring_up(pg, err);
out:
    if (start >= 0)
        close(start);
    if (rc == 0)
        *out = pg;
    else
        private_pg_close(pg);
    return rc;
}

int
private_pg_revive(struct private_pg *pg, struct err *err)
{
    const int start = lock_file(pg, "pg.start.lock", LOCK_EX, err);

    if (start < 0)
        return -1;
    const int rc = bring_up(pg, err);
    close(start);
    return rc;
}

const char *
private_pg_conninfo(const struct private_pg *pg)
{
    return pg->conninfo;
}

void
private_pg_close(struct private_pg *pg)
{
    struct err err;

    if (pg == NULL)
        return;
    if (pg->users_lock >= 0) {
        const int start = lock_file(pg, "pg.start.lock", LOCK_EX, &err);
        const bool last = flock(pg->users_lock, LOCK_EX | LOCK_NB) == 0;
        if (start >= 0 && last && is_running(pg)
            && pg_ctl(pg, "stop", "fast", &err) != 0)
            log_warn("db", "private PostgreSQL was not stopped: %s", err.text);
        close(pg->users_lock);
        if (start >= 0)
            close(start);
    }
    free(pg->state_dir);
    free(pg->bindir);
    free(pg->data);
    free(pg->socket_dir);
    free(pg->log);
    free(pg->conninfo);
    free(pg);
}
