/* pg_fixture.c - initdb, pg_ctl and createdb of the newest installed PostgreSQL. */
#include "tests/support/pg_fixture.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/mem.h"

static char dir[64];
static pid_t owner; /* children of fork() must not stop the server at their exit */

/* Runs a shell command in the cluster's folder, as its user, with its programs on PATH. */
static int
run(const char *command)
{
    char *line = xasprintf(
        "cd %s && %s /bin/sh -c 'PATH=$(ls -d /usr/lib/postgresql/*/bin | sort -V | "
        "tail -n 1):$PATH; unset PGHOST PGPORT PGUSER PGDATABASE PGSERVICE; %s' "
        ">>%s/commands.log 2>&1 </dev/null",
        dir, geteuid() == 0 ? "runuser -u postgres --" : "env", command, dir);
    const int rc = system(line);

    free(line);
    return rc;
}

static void
stop_at_exit(void)
{
    char *command = xasprintf("rm -rf %s", dir);

    if (getpid() == owner) {
        (void)!run("pg_ctl -D data -m immediate -w stop");
        (void)!system(command);
    }
    free(command);
}

static void
give_up(const char *what)
{
    fprintf(stderr, "pg_fixture: %s failed; see %s/commands.log\n", what, dir);
    owner = 0; /* leaves the folder for a look */
    exit(1);
}

void
pg_fixture_start(void)
{
    char *command = xasprintf("pg_ctl -D data -w -l server.log -o \"-F -k %s -c "
                              "listen_addresses= -c max_connections=40\" start",
                              dir);

    if (run(command) != 0)
        give_up("pg_ctl start");
    free(command);
}

void
pg_fixture_crash(void)
{
    if (run("pg_ctl -D data -m immediate -w stop") != 0)
        give_up("pg_ctl stop");
}

static void
make_cluster(void)
{
    const struct passwd *pw = getpwnam("postgres");

    strcpy(dir, "/tmp/relusweep-test-XXXXXX");
    if (mkdtemp(dir) == NULL)
        give_up("mkdtemp");
    chmod(dir, 0755);
    if (geteuid() == 0 && (pw == NULL || chown(dir, pw->pw_uid, pw->pw_gid) != 0))
        give_up("chown to postgres");
    owner = getpid();
    atexit(stop_at_exit);
    if (run("initdb -D data -A trust -U test -N -E UTF8 --locale=C") != 0)
        give_up("initdb");
    pg_fixture_start();
}

const char *
pg_fixture_dir(void)
{
    if (dir[0] == '\0')
        make_cluster();
    return dir;
}

char *
pg_fixture_database(const char *name)
{
    char *command = xasprintf("createdb -h %s -U test %s", pg_fixture_dir(), name);

    if (run(command) != 0)
        give_up("createdb");
    free(command);
    return xasprintf("host=%s user=test dbname=%s", dir, name);
}
