/*
 * worker.c - the life of workers: the real session of the agent, and around it attempts
 * and a spool that follow the rules of worker/agent/attempt*.c: a result is on the disk
 * before it is sent and until it is settled, with the points that are not acknowledged;
 * points come before the end; a failed attempt's last checkpoint before its result.
 * Processes die with their agent.
 */
#include "worker/agent/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/err.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "tests/sim/model.h"
#include "worker/agent/session_run.h"

#define CATALOG "{\"version\": 1, \"program\": \"0\", \"methods\": [], \"limits\": []}"

enum {
    MAX_RUNS = 32,
    MAX_KEPT = 64, /* batches of one attempt */
    DRAIN_MS = 30000,
    STEP_MS = 100, /* longest sleep of an agent with attempts */
    NEVER = -1,
};

enum phase { NONE, FETCH, RUN, STORE, HELD, BACK };

/* One attempt; its first members are what the spool keeps. */
struct run {
    struct msg_run run;
    char outcome[12];
    int64_t signal, model; /* blob of its artifact, 0 none */
    struct kept {
        int64_t seq, first, n; /* points first.. of that batch */
    } kept[MAX_KEPT];
    int n_kept;
    enum phase phase;
    bool giving_back, cancelled, said;
    int64_t start_ms, end_ms; /* of the process */
    int64_t points, point_ms;
    int64_t step, save_ms;                 /* next checkpoint */
    int64_t saving, saving_step, saved_ms; /* blob on its way, 0 none */
    int64_t put_ms;                        /* when its artifact has arrived */
};

static struct worker {
    struct session *session;
    char boot[17], name[16];
    int64_t slots, drained_ms; /* NEVER: not draining */
    struct run runs[MAX_RUNS], spool[MAX_RUNS];
} workers[N_WORKERS];

static int64_t n_boots, n_blobs;

const char *
worker_boot(int w)
{
    return workers[w].boot;
}

bool
worker_lives(const char *boot)
{
    for (int w = 0; w < world.n_workers; w++)
        if (workers[w].session != NULL && strcmp(workers[w].boot, boot) == 0)
            return true;
    return false;
}

static int
node_of(int w)
{
    return N_COORDINATORS + w;
}

static int64_t
clock_of(int w)
{
    return world.now_ms + world.nodes[node_of(w)].clock_ms;
}

static bool
same(struct msg_run a, struct msg_run b)
{
    return a.job == b.job && a.attempt == b.attempt;
}

static struct run *
find(struct run *list, struct msg_run run)
{
    for (int i = 0; i < MAX_RUNS; i++)
        if (list[i].phase != NONE && same(list[i].run, run))
            return &list[i];
    return NULL;
}

static struct run *
add(struct run *list)
{
    for (int i = 0; i < MAX_RUNS; i++)
        if (list[i].phase == NONE)
            return &list[i];
    world_violated("a worker has more than %d attempts", MAX_RUNS);
    return &list[0];
}

static void
forget(struct worker *w, struct msg_run run)
{
    struct run *r = find(w->runs, run), *kept = find(w->spool, run);

    if (r != NULL)
        r->phase = NONE;
    if (kept != NULL)
        kept->phase = NONE;
}

/* ---- what the session wants --------------------------------------------------------- */

static struct worker *
worker_of(void *ctx)
{
    return ctx;
}

static int
io_send(void *ctx, const struct msg *m)
{
    return net_send((int)(worker_of(ctx) - workers), m);
}

static void
io_reconnect(void *ctx)
{
    net_connect((int)(worker_of(ctx) - workers), true);
}

static void
io_welcome(void *ctx, const char *bulk)
{
    (void)ctx;
    (void)bulk;
}

static void
io_grant(void *ctx, const struct msg_grant *g)
{
    struct worker *w = ctx;
    struct run *r = add(w->runs);

    *r = (struct run){.run = g->run,
                      .phase = FETCH,
                      .giving_back = w->drained_ms != NEVER,
                      .start_ms = world.now_ms + world_random(200),
                      .step = g->resume_sha[0] != '\0' ? g->resume_step : 0};
}

static void
io_cancel(void *ctx, struct msg_run run, bool hard, const char *reason)
{
    struct run *r = find(worker_of(ctx)->runs, run);

    (void)reason;
    if (r == NULL || r->phase > RUN)
        return;
    r->cancelled = true;
    if (r->phase == RUN)
        r->end_ms = world.now_ms + (hard ? 0 : world_random(500));
}

static void
io_forget(void *ctx, struct msg_run run)
{
    forget(ctx, run);
}

static void
io_checkpointed(void *ctx, struct msg_run run, int64_t step)
{
    struct run *r = find(worker_of(ctx)->runs, run);

    if (r != NULL && r->saving_step == step)
        r->saving = 0;
}

static void
io_missing(void *ctx, struct msg_run run, const char *what, const char *sha)
{
    struct run *r = find(worker_of(ctx)->runs, run);

    (void)sha;
    if (r == NULL)
        return;
    if (strcmp(what, "checkpoint") == 0) {
        r->saved_ms = world.now_ms + world_random(300);
    } else if (r->phase == HELD) {
        r->phase = STORE;
        r->put_ms = world.now_ms + world_random(300);
    }
}

static void
io_refused(void *ctx, const char *text)
{
    world_violated("%s was refused: %s", worker_of(ctx)->name, text);
}

/* ---- attempts ------------------------------------------------------------------------- */

static struct truth *
truth_of(const struct run *r)
{
    return &world.truth[r->run.job][r->run.attempt];
}

/* A number for it where it has none, and the name that this makes. Until the next. */
static const char *
blob_name(int64_t *blob)
{
    static char sha[65];

    if (*blob == 0)
        *blob = ++n_blobs < MAX_BLOBS ? n_blobs : 1;
    snprintf(sha, sizeof sha, "%032" PRId64, *blob);
    return sha;
}

static struct msg_point
point_of(const struct run *r, int64_t number)
{
    return (struct msg_point){
        .name = "p",
        .step = number,
        .value = (double)(r->run.job * 1000000 + r->run.attempt * 1000 + number),
        .unit = "",
        .goal = "none"};
}

static void
measure(struct worker *w, struct run *r)
{
    const struct msg_point p = point_of(r, ++r->points);

    session_run_metrics(w->session, r->run, &p, 1, clock_of((int)(w - workers)));
}

static void
choose_outcome(struct run *r)
{
    static const char *const bad[] = {"sys",     "numeric", "oom",
                                      "timeout", "signal",  "checkpoint"};
    const char *outcome =
        world.calm || world_random(4) != 0 ? "ok" : bad[world_random(6)];

    if (r->cancelled || r->giving_back)
        outcome = world_random(4) != 0 ? "stopped" : "ok"; /* done in time */
    snprintf(r->outcome, sizeof r->outcome, "%s", outcome);
    r->signal = strcmp(outcome, "signal") == 0 ? 9 : 0;
    if (strcmp(outcome, "ok") != 0)
        return;
    r->giving_back = false;
    if (world_random(2) == 0)
        (void)blob_name(&r->model);
    truth_of(r)->ended_ok = true;
    truth_of(r)->points = r->points;
    truth_of(r)->value = (double)(r->run.job * 1000 + r->run.attempt);
}

static void
keep_points(const struct worker *w, struct run *r)
{
    const struct msg_metrics *b;

    r->n_kept = 0;
    for (size_t i = 0; (b = session_run_batch(w->session, r->run, i)) != NULL; i++) {
        if (r->n_kept == MAX_KEPT) {
            world_violated("more than %d batches wait", MAX_KEPT);
            return;
        }
        r->kept[r->n_kept++] =
            (struct kept){b->seq, b->points[0].step, (int64_t)b->n_points};
    }
}

static void
restore_points(const struct worker *w, const struct run *r)
{
    for (int i = 0; i < r->n_kept; i++) {
        const struct kept *k = &r->kept[i];
        struct msg_point points[SESSION_BATCH_POINTS];
        for (int64_t n = 0; n < k->n; n++)
            points[n] = point_of(r, k->first + n);
        session_run_restore(w->session, r->run,
                            &(struct msg_metrics){.run = r->run,
                                                  .seq = k->seq,
                                                  .points = points,
                                                  .n_points = (size_t)k->n});
    }
}

/* The process is over. */
static void
conclude(struct worker *w, struct run *r)
{
    while (world_random(3) == 0)
        measure(w, r);
    choose_outcome(r);
    session_run_ended(w->session, r->run);
    keep_points(w, r);
    r->phase = STORE;
    r->put_ms = world.now_ms + world_random(400);
    if (!r->giving_back)
        *add(w->spool) = *r;
    TRACE("%d/%d ends: %s", (int)r->run.job, (int)r->run.attempt, r->outcome);
}

static int64_t
n_running(const struct worker *w)
{
    int64_t n = 0;

    for (int i = 0; i < MAX_RUNS; i++)
        n += w->runs[i].phase == RUN;
    return n;
}

static void
fail_unstarted(struct worker *w, struct run *r)
{
    snprintf(r->outcome, sizeof r->outcome, "stopped");
    session_run_ended(w->session, r->run);
    r->phase = STORE;
    if (!r->giving_back)
        *add(w->spool) = *r;
}

static void
step_fetch(struct worker *w, struct run *r)
{
    if (r->giving_back || r->cancelled) {
        fail_unstarted(w, r);
        return;
    }
    if (world.now_ms < r->start_ms || n_running(w) >= w->slots)
        return;
    if (truth_of(r)->started && !world.wild)
        world_violated("%d/%d runs twice", (int)r->run.job, (int)r->run.attempt);
    truth_of(r)->started = true;
    r->phase = RUN;
    r->start_ms = world.now_ms + world_random(200);
    r->end_ms = r->start_ms + world_random(world_random(3) == 0 ? 9000 : 1500);
    r->save_ms = r->start_ms + world_random(1500);
    TRACE("%d/%d runs", (int)r->run.job, (int)r->run.attempt);
}

static void
step_saver(struct worker *w, struct run *r)
{
    if (r->saving == 0 || r->saved_ms == NEVER || world.now_ms < r->saved_ms)
        return;
    const char *sha = blob_name(&r->saving);
    model_store_blob(r->saving);
    r->saved_ms = NEVER;
    session_run_checkpoint(w->session, r->run, r->saving_step, sha, 1);
}

static void
step_run(struct worker *w, struct run *r)
{
    if (!r->said && world.now_ms >= r->start_ms) {
        r->said = true;
        session_run_started(w->session, r->run, 1, "{}");
    }
    if (r->said && world.now_ms >= r->point_ms) {
        measure(w, r);
        r->point_ms = world.now_ms + 100 + world_random(1500);
    }
    if (r->said && r->saving == 0 && world.now_ms >= r->save_ms) {
        (void)blob_name(&r->saving);
        world.measured[r->saving] = r->points;
        r->saving_step = ++r->step;
        r->saved_ms = world.now_ms + world_random(200);
        r->save_ms = world.now_ms + 500 + world_random(3000);
    }
    step_saver(w, r);
    if (world.now_ms >= r->end_ms)
        conclude(w, r);
}

static void
hand_in(struct worker *w, struct run *r)
{
    struct msg_point final = {.name = "CA",
                              .step = -1,
                              .value = (double)(r->run.job * 1000 + r->run.attempt),
                              .unit = "%",
                              .goal = "max"};
    struct msg_artifact artifact = {.name = "model", .size = 1};
    const bool ok = strcmp(r->outcome, "ok") == 0;

    if (r->model != 0) {
        artifact.sha = blob_name(&r->model);
        model_store_blob(r->model);
    }
    const struct msg_result m = {.run = r->run,
                                 .outcome = r->outcome,
                                 .text = "why",
                                 .signal = r->signal,
                                 .finals = &final,
                                 .n_finals = ok,
                                 .artifacts = &artifact,
                                 .n_artifacts = r->model != 0};
    session_run_result(w->session, &m);
    r->phase = HELD;
}

static void
step_store(struct worker *w, struct run *r)
{
    if (strcmp(r->outcome, "ok") != 0) {
        step_saver(w, r);
        if (r->saving != 0)
            return;
    }
    if (r->giving_back)
        r->phase = BACK;
    else if (world.now_ms >= r->put_ms)
        hand_in(w, r);
}

static void
step_runs(struct worker *w)
{
    for (int i = 0; i < MAX_RUNS; i++) {
        struct run *r = &w->runs[i];
        if (r->phase == FETCH)
            step_fetch(w, r);
        else if (r->phase == RUN)
            step_run(w, r);
        else if (r->phase == STORE)
            step_store(w, r);
    }
}

/* ---- life ----------------------------------------------------------------------------- */

void
worker_reset(int w)
{
    if (w == 0)
        n_boots = n_blobs = 0;
    memset(&workers[w], 0, sizeof workers[w]);
    snprintf(workers[w].name, sizeof workers[w].name, "w%d", w);
    workers[w].slots = 1 + world_random(3);
}

static void
load_spool(struct worker *w)
{
    for (int i = 0; i < MAX_RUNS; i++) {
        if (w->spool[i].phase == NONE)
            continue;
        struct run *r = add(w->runs);
        *r = w->spool[i];
        r->phase = STORE;
        r->saving = 0;
        session_run_add_held(w->session, r->run);
        restore_points(w, r);
    }
}

void
worker_start(int i)
{
    struct worker *w = &workers[i];
    const struct session_io io = {.ctx = w,
                                  .send = io_send,
                                  .reconnect = io_reconnect,
                                  .welcome = io_welcome,
                                  .grant = io_grant,
                                  .cancel = io_cancel,
                                  .drop = io_forget,
                                  .checkpointed = io_checkpointed,
                                  .settled = io_forget,
                                  .missing = io_missing,
                                  .refused = io_refused};

    world.running = node_of(i);
    snprintf(w->boot, sizeof w->boot, "boot%d", (int)++n_boots);
    const struct session_identity who = {.name = w->name,
                                         .boot = w->boot,
                                         .host = "h",
                                         .version = RELUSWEEP_VERSION,
                                         .catalog = CATALOG,
                                         .slots = w->slots,
                                         .labels = i == 0 ? "picked" : "",
                                         .threads = 1};
    w->drained_ms = NEVER;
    w->session = session_new(&who, &io, clock_of(i));
    world.nodes[node_of(i)].up = true;
    world.nodes[node_of(i)].life++;
    TRACE("started as %s, %d slots", w->boot, (int)w->slots);
    load_spool(w);
    net_connect(i, false);
    world_wake(node_of(i), world.now_ms);
}

/* The process is gone; its disk stays. */
static void
stop(int i)
{
    struct worker *w = &workers[i];

    session_free(w->session);
    w->session = NULL;
    memset(w->runs, 0, sizeof w->runs);
    world.nodes[node_of(i)].up = false;
}

void
worker_crash(int i)
{
    world.running = node_of(i);
    TRACE("killed");
    stop(i);
}

void
worker_drain(int i)
{
    struct worker *w = &workers[i];

    if (w->session == NULL || w->drained_ms != NEVER)
        return;
    world.running = node_of(i);
    TRACE("drains");
    w->drained_ms = world.now_ms + DRAIN_MS;
    session_drain(w->session);
    for (int k = 0; k < MAX_RUNS; k++) {
        struct run *r = &w->runs[k];
        if (r->phase != FETCH && r->phase != RUN)
            continue;
        r->giving_back = true;
        if (r->phase == RUN)
            r->end_ms = world.now_ms + world_random(1000);
    }
    world_wake(node_of(i), world.now_ms);
}

static void
say_goodbye(int i)
{
    struct worker *w = &workers[i];
    struct msg_run returned[MAX_RUNS];
    size_t n = 0;

    for (int k = 0; k < MAX_RUNS; k++) {
        const enum phase p = w->runs[k].phase;
        if (p == FETCH || p == RUN || p == BACK)
            returned[n++] = w->runs[k].run;
    }
    TRACE("leaves");
    (void)session_bye(w->session, "SIGTERM", returned, n);
    stop(i);
    world_wake(node_of(i), world.now_ms + 100 + world_random(4000));
}

static bool
is_drained(const struct worker *w)
{
    if (w->drained_ms == NEVER)
        return false;
    for (int k = 0; k < MAX_RUNS; k++)
        if (w->runs[k].phase >= FETCH && w->runs[k].phase <= HELD)
            return world.now_ms >= w->drained_ms;
    return true;
}

static bool
has_runs(const struct worker *w)
{
    for (int k = 0; k < MAX_RUNS; k++)
        if (w->runs[k].phase != NONE)
            return true;
    return false;
}

/* One round of the agent's loop. */
static void
go_round(int i)
{
    struct worker *w = &workers[i];

    step_runs(w);
    if (is_drained(w)) {
        say_goodbye(i);
        return;
    }
    session_tick(w->session, clock_of(i));
    int64_t next = session_next_ms(w->session) - world.nodes[node_of(i)].clock_ms;
    if (has_runs(w) && next > world.now_ms + STEP_MS)
        next = world.now_ms + STEP_MS;
    world_wake(node_of(i), next > world.now_ms ? next : world.now_ms + 1);
}

void
worker_wake(int i)
{
    if (workers[i].session == NULL) {
        worker_start(i);
        return;
    }
    world.running = node_of(i);
    go_round(i);
}

void
worker_message(int i, const struct msg *m)
{
    world.running = node_of(i);
    session_message(workers[i].session, m, clock_of(i));
    go_round(i);
}

bool
worker_is_idle(int i)
{
    const struct worker *w = &workers[i];

    for (int k = 0; k < MAX_RUNS; k++)
        if (w->spool[k].phase != NONE)
            return false;
    return w->session != NULL && !has_runs(w);
}
