/*
 * model.c - the server: sessions, transactions, the leader's lock. Invariant: `model`
 * changes only by model_commit. A connection may break at any statement, and a commit may
 * succeed although nobody hears of it.
 */
#include "tests/sim/model.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/db/leader.h"
#include "coordinator/db/notes.h"
#include "coordinator/db/pg.h"
#include "shared/base/mem.h"
#include "tests/sim/statements.h"

enum { MAX_SESSIONS = 4096 };

static struct model rows[2];
struct model *model = &rows[0];
struct model_notes model_notes;

/* A session of the server. Its client may be gone before the server knows. */
static struct server {
    int64_t end_ms[MAX_SESSIONS]; /* of each session, by number */
    int64_t n_sessions, leader;   /* session that holds the lock, 0 none */
    int64_t away_ms, clock_ms;
} server;

struct pg {
    int64_t session;
    bool alive; /* as far as the client knows */
    bool in_transaction, failed;
};

void
model_reset(void)
{
    memset(rows, 0, sizeof rows);
    memset(&server, 0, sizeof server);
    model = &rows[0];
    model_notes = (struct model_notes){0};
}

/* ---- transactions ----------------------------------------------------------------- */

struct model *
model_begin(void)
{
    struct model *work = model == &rows[0] ? &rows[1] : &rows[0];

    *work = *model;
    return work;
}

void
model_commit(bool by_people)
{
    struct model *work = model == &rows[0] ? &rows[1] : &rows[0];

    check_commit(model, work, by_people);
    model = work;
}

/* ---- the server ------------------------------------------------------------------- */

int64_t
model_clock_ms(void)
{
    return world.now_ms + server.clock_ms;
}

void
model_jump_clock(int64_t ms)
{
    server.clock_ms += ms;
}

static bool
session_lives(int64_t session)
{
    return session != 0 && world.now_ms < server.end_ms[session];
}

bool
model_serves(const struct pg *pg)
{
    return pg->alive && session_lives(pg->session);
}

void
model_stop_server(int64_t until_ms)
{
    for (int64_t i = 1; i <= server.n_sessions; i++)
        server.end_ms[i] = world.now_ms;
    server.away_ms = until_ms;
}

void
model_kill_leader(void)
{
    if (session_lives(server.leader))
        server.end_ms[server.leader] = world.now_ms;
}

/* ---- pg.h ------------------------------------------------------------------------- */

int
pg_open(struct pg **out, const char *conninfo, const char *program, struct err *err)
{
    (void)conninfo;
    (void)program;
    *out = NULL;
    if (world.now_ms < server.away_ms || server.n_sessions + 1 == MAX_SESSIONS)
        return err_set(err, ERR_DB, "the server is away");
    struct pg *pg = xcalloc(1, sizeof *pg);
    pg->alive = true;
    pg->session = ++server.n_sessions;
    server.end_ms[pg->session] = INT64_MAX;
    *out = pg;
    return 0;
}

void
pg_close(struct pg *pg)
{
    if (pg == NULL)
        return;
    if (session_lives(pg->session)) /* the server notices when it likes */
        server.end_ms[pg->session] =
            world.now_ms + (world.calm ? 0 : world_random(4000));
    free(pg);
}

bool
pg_alive(const struct pg *pg)
{
    return pg->alive;
}

static int
lose(struct pg *pg, struct err *err)
{
    pg->alive = pg->in_transaction = false;
    return err_set(err, ERR_DB, "the connection is lost");
}

struct model *
statement(struct pg *pg, struct err *err)
{
    if (!pg->alive || !session_lives(pg->session) || world_fault(3)) {
        TRACE("connection lost");
        lose(pg, err);
        return NULL;
    }
    if (pg->failed || world_fault(2)) {
        pg->failed = pg->in_transaction;
        err_set(err, ERR_DB, "the statement failed");
        return NULL;
    }
    return pg->in_transaction ? (model == &rows[0] ? &rows[1] : &rows[0]) : model;
}

int
pg_begin(struct pg *pg, struct err *err)
{
    if (statement(pg, err) == NULL)
        return -1;
    pg->in_transaction = true;
    model_begin();
    return 0;
}

/* It makes no difference here: a transaction is one event. */
void
pg_commit_along(struct pg *pg)
{
    (void)pg;
}

int
pg_commit(struct pg *pg, struct err *err)
{
    if (statement(pg, err) == NULL)
        return -1;
    pg->in_transaction = false;
    model_commit(false);
    if (!world_fault(10))
        return 0;
    TRACE("committed, but the answer is lost");
    return lose(pg, err);
}

void
pg_rollback(struct pg *pg)
{
    pg->in_transaction = pg->failed = false;
}

bool
pg_bad_values(const struct pg *pg)
{
    (void)pg;
    return false;
}

int
pg_fd(const struct pg *pg)
{
    (void)pg;
    return -1; /* news come through model_notes */
}

int
notes_take(struct pg *pg, struct notes *n, struct err *err)
{
    if (!pg->alive)
        return lose(pg, err);
    n->look = n->look || model_notes.look;
    for (int64_t i = 0; i < model_notes.n; i++) {
        const struct model_note *note = &model_notes.jobs[i];
        n->ready.items = xgrow(n->ready.items, &n->ready.capacity, n->ready.n + 1,
                               sizeof *n->ready.items);
        n->ready.items[n->ready.n++] = (struct job_ready){
            .id = note->id, .rank = note->rank, .class = note->class};
    }
    model_notes = (struct model_notes){0};
    return 0;
}

void
notes_clear(struct notes *n)
{
    n->ready.n = 0;
    n->look = false;
}

int
pg_script(struct pg *pg, const char *sql, struct err *err)
{
    (void)sql;
    return statement(pg, err) != NULL ? 0 : -1;
}

/* ---- leader.h ---------------------------------------------------------------------- */

int
leader_watch(struct pg *pg, struct err *err)
{
    return statement(pg, err) != NULL ? 0 : -1;
}

int
leader_try(struct pg *pg, const char *me, int64_t *epoch, char *holder, size_t size,
           struct err *err)
{
    (void)me;
    (void)size;
    *epoch = 0;
    holder[0] = '\0';
    if (statement(pg, err) == NULL)
        return -1;
    if (session_lives(server.leader) && server.leader != pg->session)
        return 0;
    server.leader = pg->session;
    *epoch = ++model->epoch;
    TRACE("leads, epoch %d", (int)*epoch);
    return 0;
}

/* ---- blobs ------------------------------------------------------------------------- */

void
model_store_blob(int64_t blob)
{
    model->stored[blob] = true;
}

void
model_sweep_blobs(void)
{
    bool used[MAX_BLOBS] = {false};

    for (int64_t i = 1; i <= model->n_jobs; i++) {
        used[model->jobs[i].head_blob] = true;
        used[model->jobs[i].before_blob] = true;
        used[model->jobs[i].model_blob] = true;
    }
    for (int i = 0; i < MAX_BLOBS; i++)
        model->stored[i] = model->stored[i] && used[i];
}
