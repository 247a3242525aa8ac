/*
 * context.c - what every verb needs: where the database is, what the catalogue says,
 * how wide the terminal is. Everything is opened at first use and closed once.
 */
#include "coordinator/cli/context.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "coordinator/launch/private_pg.h"
#include "coordinator/launch/process.h"
#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"

const struct param global_params[] = {
    PARAM_ROW_STRING(
        struct global_options, database, "",
        "PostgreSQL to use, a libpq connection string; default: PGHOST and "
        "friends, else a private server in the state folder"),
    PARAM_ROW_STRING(struct global_options, state_dir, "",
                     "folder of the private server and of running programs; default: "
                     "RELUSWEEP_STATE, else the XDG state folder"),
    PARAM_ROW_BOOL(struct global_options, help, "false", "show this help"),
};
const size_t n_global_params = PARAM_COUNT(global_params);

struct cmd_ctx_private {
    struct db *db;
    struct private_pg *pg;
    const char *conninfo;
    struct catalog catalog;
    bool catalog_read;
    char *state_dir;
};

/* /var/lib/relusweep for root (the server's own user must reach it), else XDG. */
static char *
default_state_dir(void)
{
    const char *named = getenv("RELUSWEEP_STATE"), *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    if (named != NULL && named[0] != '\0')
        return xstrdup(named);
    if (geteuid() == 0)
        return xstrdup("/var/lib/relusweep");
    if (xdg != NULL && xdg[0] == '/')
        return xasprintf("%s/relusweep", xdg);
    if (home == NULL || home[0] != '/') {
        const struct passwd *pw = getpwuid(geteuid());
        home = pw != NULL ? pw->pw_dir : "/tmp";
    }
    return xasprintf("%s/.local/state/relusweep", home);
}

static char *
absolute(char *path, struct err *err)
{
    char cwd[PATH_MAX];

    if (path[0] == '/')
        return path;
    if (getcwd(cwd, sizeof cwd) == NULL) {
        err_sys(err, "find the current folder");
        free(path);
        return NULL;
    }
    char *full = xasprintf("%s/%s", cwd, path);
    free(path);
    return full;
}

/* Of the terminal, else what COLUMNS says, else 80. */
static int
columns_of(bool tty, const char *said)
{
    const long wide = said != NULL ? strtol(said, NULL, 10) : 0;
    struct winsize size;

    if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col;
    return wide > 20 && wide <= 10000 ? (int)wide : 80;
}

int
cmd_ctx_init(struct cmd_ctx *ctx, const struct global_options *options, struct err *err)
{
    const char *no_colour = getenv("NO_COLOR"), *columns = getenv("COLUMNS");
    char *dir =
        options->state_dir[0] ? xstrdup(options->state_dir) : default_state_dir();

    dir = absolute(dir, err);
    if (dir == NULL)
        return -1;
    *ctx = (struct cmd_ctx){.database = options->database[0] ? options->database : NULL,
                            .state_dir = dir,
                            .tty = isatty(STDOUT_FILENO),
                            .tty_err = isatty(STDERR_FILENO),
                            .priv = xcalloc(1, sizeof *ctx->priv)};
    ctx->priv->state_dir = dir;
    ctx->colour = ctx->tty && (no_colour == NULL || no_colour[0] == '\0');
    ctx->columns = columns_of(ctx->tty, columns);
    ctx->table_columns = ctx->tty || columns != NULL ? ctx->columns : 0;
    return 0;
}

void
cmd_ctx_release(struct cmd_ctx *ctx)
{
    struct cmd_ctx_private *priv = ctx->priv;

    if (priv == NULL)
        return;
    if (priv->db != NULL)
        db_close(priv->db);
    private_pg_close(priv->pg);
    if (priv->catalog_read)
        catalog_release(&priv->catalog);
    free(priv->state_dir);
    free(priv);
    ctx->priv = NULL;
}

/* Set by a user who has a server of his own. */
static bool
server_in_environment(void)
{
    static const char *const names[] = {"PGHOST", "PGHOSTADDR", "PGDATABASE",
                                        "PGSERVICE", "PGPORT"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return true;
    }
    return false;
}

/* Under a private server that we opened already, only the connection is missing. */
static int
find_server(struct cmd_ctx *ctx, bool create, struct err *err)
{
    struct cmd_ctx_private *priv = ctx->priv;

    if (ctx->database != NULL)
        priv->conninfo = ctx->database;
    else if (server_in_environment())
        priv->conninfo = "";
    else if (priv->pg == NULL
             && private_pg_open(&priv->pg, ctx->state_dir, create, err) != 0)
        return -1;
    else
        priv->conninfo = private_pg_conninfo(priv->pg);
    return 0;
}

int
cmd_ctx_db(struct cmd_ctx *ctx, bool create, struct db **out, struct err *err)
{
    struct cmd_ctx_private *priv = ctx->priv;

    *out = priv->db;
    if (priv->db != NULL)
        return 0;
    if (find_server(ctx, create, err) != 0
        || db_open(&priv->db, priv->conninfo, err) != 0)
        return -1;
    *out = priv->db;
    return create ? db_migrate(priv->db, err) : db_check_schema(priv->db, err);
}

int
cmd_ctx_db_again(struct cmd_ctx *ctx, struct db **out, struct err *err)
{
    struct cmd_ctx_private *priv = ctx->priv;

    *out = NULL;
    db_close(priv->db);
    priv->db = NULL;
    if (priv->pg != NULL && private_pg_revive(priv->pg, err) != 0)
        return -1;
    if (db_open(&priv->db, priv->conninfo, err) != 0)
        return -1;
    *out = priv->db;
    return 0;
}

bool
cmd_ctx_is_private(const struct cmd_ctx *ctx)
{
    return ctx->priv->pg != NULL;
}

const char *
cmd_ctx_conninfo(const struct cmd_ctx *ctx)
{
    return ctx->priv->conninfo;
}

/* Asks the worker program beside us. */
static int
catalog_from_worker(json_t **out, struct err *err)
{
    char *program = proc_sibling("relusweep-worker");
    char *argv[] = {program, (char *)"catalog", (char *)"--json", NULL};
    struct buf text = {0};
    int rc = process_output(&text, argv, err);

    if (rc == 0)
        rc = json_parse(out, buf_str(&text), text.len, "catalogue of relusweep-worker",
                        err);
    buf_release(&text);
    free(program);
    return rc;
}

int
cmd_ctx_catalog(struct cmd_ctx *ctx, const struct catalog **out, struct err *err)
{
    struct cmd_ctx_private *priv = ctx->priv;
    json_t *doc = NULL;
    struct db *db;

    *out = &priv->catalog;
    if (priv->catalog_read)
        return 0;
    if (catalog_from_worker(&doc, err) != 0) {
        struct err ignored;
        if (cmd_ctx_db(ctx, false, &db, &ignored) != 0
            || db_catalog_load(db, &doc, &ignored) != 0 || doc == NULL)
            return err_wrap(err,
                            "no catalogue of methods (there is no relusweep-worker "
                            "beside this program, and no worker has ever told the "
                            "database)");
    }
    const int rc = catalog_read(&priv->catalog, doc, err);
    json_decref(doc);
    priv->catalog_read = rc == 0;
    return rc;
}

void
cmd_print_json(const json_t *doc)
{
    json_dumpf(doc, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
    putchar('\n');
}
