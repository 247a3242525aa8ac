/*
 * agent.c - joins session, attempts, transfers and signals in one poll loop. Invariant:
 * every run that the session knows has exactly one struct attempt, and the other way
 * round. Must not know how a message is encoded or what a stage does.
 */
#include "worker/agent/agent.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "shared/base/args.h"
#include "shared/base/clock.h"
#include "shared/base/crash.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "shared/base/signals.h"
#include "worker/agent/attempt.h"
#include "worker/agent/cores.h"
#include "worker/agent/memory.h"
#include "worker/agent/spool.h"
#include "worker/agent/workdir.h"

enum {
    GRACE_MS = 30000,       /* from the first SIGTERM to the end */
    CHILD_GRACE_MS = 20000, /* of it, for a stage to write its checkpoint */
    BUSY_WAIT_MS = 100,     /* longest sleep while there are attempts */
    IDLE_WAIT_MS = 1000,
    MAX_ENDPOINTS = 16,
    MAX_FDS = 40, /* signals and the pipes of all slots */
    MAX_RECEIVED = 256,
};

struct agent {
    struct agent_options options;
    const char *backend; /* that the option stands for */
    char host[256], boot[17];
    char *endpoint_list;
    const char *endpoints[MAX_ENDPOINTS];
    size_t n_endpoints, endpoint;
    struct workdir dir;
    char **env;
    struct sock *control;
    struct session *session;
    struct blobs *blobs;
    struct cores *cores;
    int64_t n_cores;
    struct attempt_env attempt_env;
    struct attempt **attempts;
    size_t n_attempts, capacity;
    int signals;
    const char *draining; /* why, or NULL */
    int64_t deadline_ms;  /* of draining */
    int64_t busy_ms;      /* when there was work last */
    const char *trouble;  /* that was told last */
    bool failed;
    struct err err; /* why, when failed */
};

/* ---- attempts --------------------------------------------------------------------- */

/* Place among the attempts; n_attempts where there is none. */
static size_t
index_of(const struct agent *a, struct msg_run run)
{
    size_t i = 0;

    for (; i < a->n_attempts; i++) {
        const struct msg_run r = attempt_run(a->attempts[i]);
        if (r.job == run.job && r.attempt == run.attempt)
            break;
    }
    return i;
}

static struct attempt *
find_attempt(const struct agent *a, struct msg_run run)
{
    const size_t i = index_of(a, run);

    return i < a->n_attempts ? a->attempts[i] : NULL;
}

static void
add_attempt(struct agent *a, struct attempt *t)
{
    a->attempts =
        xgrow(a->attempts, &a->capacity, a->n_attempts + 1, sizeof(struct attempt *));
    a->attempts[a->n_attempts++] = t;
}

/* Ends an attempt whose result is acknowledged or void. */
static void
remove_attempt(struct agent *a, struct msg_run run)
{
    const size_t i = index_of(a, run);

    if (i == a->n_attempts)
        return;
    crash_point("agent-settled");
    attempt_forget_result(a->attempts[i]);
    crash_point("agent-forgotten");
    attempt_free(a->attempts[i]);
    a->attempts[i] = a->attempts[--a->n_attempts];
}

static size_t
count_phase(const struct agent *a, enum attempt_phase from, enum attempt_phase to)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n_attempts; i++) {
        const enum attempt_phase p = attempt_phase(a->attempts[i]);
        n += p >= from && p <= to;
    }
    return n;
}

static void
step_attempts(struct agent *a, int64_t now_ms)
{
    for (size_t i = 0; i < a->n_attempts; i++) {
        const size_t running = count_phase(a, ATTEMPT_RUN, ATTEMPT_RUN);
        const bool may_start =
            a->draining == NULL && running < (size_t)a->options.slots;
        attempt_step(a->attempts[i], may_start, now_ms);
    }
}

/* The running jobs of this and other workers share the machine's cores, and their number
 * decides how many more are asked for. Results do not depend on it. */
static void
share_cores(struct agent *a, int64_t now_ms)
{
    const int64_t n = (int64_t)count_phase(a, ATTEMPT_RUN, ATTEMPT_RUN);
    const int64_t others = cores_claim(a->cores, n, now_ms);
    int64_t at = 0;

    session_limit(a->session, cores_slots(a->n_cores, a->options.slots, others));
    for (size_t i = 0; i < a->n_attempts && a->attempt_env.share_cores; i++)
        if (attempt_phase(a->attempts[i]) == ATTEMPT_RUN)
            attempt_share(a->attempts[i],
                          (int32_t)cores_threads(a->n_cores, at++, n, others));
}

/* ---- what the session wants ------------------------------------------------------- */

static int
io_send(void *ctx, const struct msg *m)
{
    struct agent *a = ctx;

    return a->control != NULL ? sock_send(a->control, NULL, m) : 1;
}

static void
fail(struct agent *a, const struct err *err)
{
    a->failed = true;
    a->err = *err;
}

static void
connect_control(struct agent *a)
{
    const char *endpoint = a->endpoints[a->endpoint++ % a->n_endpoints];
    struct err err;

    sock_close(a->control);
    if (sock_connect(&a->control, endpoint, &err) != 0)
        fail(a, &err);
    else
        log_info("agent", "state=connecting endpoint=%s", endpoint);
}

static void
io_reconnect(void *ctx)
{
    connect_control(ctx);
}

static void
io_welcome(void *ctx, const char *bulk)
{
    struct agent *a = ctx;
    char address[256];
    struct err err;

    crash_point("agent-welcome");
    sock_reachable(address, sizeof address, bulk, sock_endpoint(a->control));
    if (blobs_connect(a->blobs, address, &err) != 0)
        fail(a, &err);
    for (size_t i = 0; i < a->n_attempts; i++)
        attempt_rewind(a->attempts[i]);
}

static void
io_grant(void *ctx, const struct msg_grant *g)
{
    struct agent *a = ctx;

    crash_point("agent-granted");
    struct attempt *t = attempt_new(&a->attempt_env, g);

    if (a->draining != NULL) /* it crossed our last READY */
        attempt_give_back(t, clock_mono_ms(), CHILD_GRACE_MS);
    add_attempt(a, t);
}

static void
io_cancel(void *ctx, struct msg_run run, bool hard, const char *reason)
{
    struct attempt *t = find_attempt(ctx, run);

    log_info("agent", "job=%" PRId64 " attempt=%" PRId64 " event=cancel hard=%d",
             run.job, run.attempt, hard);
    if (t != NULL)
        attempt_cancel(t, hard, reason, clock_mono_ms());
}

static void
io_remove(void *ctx, struct msg_run run)
{
    remove_attempt(ctx, run);
}

static void
io_checkpointed(void *ctx, struct msg_run run, int64_t step)
{
    struct attempt *t = find_attempt(ctx, run);

    if (t != NULL)
        attempt_checkpointed(t, step);
}

static void
io_missing(void *ctx, struct msg_run run, const char *what, const char *sha)
{
    struct attempt *t = find_attempt(ctx, run);

    if (t != NULL)
        attempt_missing(t, what, sha);
}

static void
io_refused(void *ctx, const char *text)
{
    struct err err;

    err_set(&err, ERR_REFUSED, "the coordinator refused this worker: %s", text);
    fail(ctx, &err);
}

/* ---- draining --------------------------------------------------------------------- */

static void
drain(struct agent *a, const char *why, int64_t now_ms)
{
    if (a->draining != NULL) { /* asked twice: at once */
        a->deadline_ms = now_ms;
        return;
    }
    log_info("agent", "state=draining reason=%s attempts=%zu", why, a->n_attempts);
    a->draining = why;
    a->deadline_ms = now_ms + GRACE_MS;
    session_drain(a->session);
    for (size_t i = 0; i < a->n_attempts; i++)
        attempt_give_back(a->attempts[i], now_ms, CHILD_GRACE_MS);
}

static bool
is_drained(const struct agent *a, int64_t now_ms)
{
    if (a->draining == NULL)
        return false;
    return count_phase(a, ATTEMPT_FETCH, ATTEMPT_HELD) == 0 || now_ms >= a->deadline_ms;
}

/* Hands back what has no result; results that wait stay in the spool. */
static void
say_goodbye(struct agent *a)
{
    struct msg_run *returned = xcalloc(a->n_attempts + 1, sizeof *returned);
    size_t n = 0;

    for (size_t i = 0; i < a->n_attempts; i++) {
        const enum attempt_phase p = attempt_phase(a->attempts[i]);
        if (p <= ATTEMPT_RUN || p == ATTEMPT_BACK)
            returned[n++] = attempt_run(a->attempts[i]);
    }
    if (session_bye(a->session, a->draining, returned, n) != 0)
        log_warn("agent", "event=bye-not-sent");
    free(returned);
}

static void
check_idle(struct agent *a, int64_t now_ms)
{
    if (a->n_attempts > 0)
        a->busy_ms = now_ms;
    if (a->options.stop_when_idle > 0 && a->draining == NULL
        && now_ms - a->busy_ms >= a->options.stop_when_idle * 1000)
        drain(a, "idle", now_ms);
}

/* ---- the loop --------------------------------------------------------------------- */

static void
take_signals(struct agent *a, int64_t now_ms)
{
    int number;

    while ((number = signals_next(a->signals)) != 0)
        if (number != SIGCHLD)
            drain(a,
                  number == SIGINT    ? "SIGINT"
                  : number == SIGUSR2 ? "SIGUSR2"
                                      : "SIGTERM",
                  now_ms);
}

static void
take_messages(struct agent *a, int64_t now_ms)
{
    for (int i = 0; i < MAX_RECEIVED && !a->failed; i++) {
        struct arena mem = {0};
        struct msg m;
        struct err err;
        const int rc = sock_recv(a->control, NULL, &m, &mem, &err);
        if (rc > 0)
            session_message(a->session, &m, now_ms);
        else if (rc < 0 && err.kind == ERR_REFUSED)
            fail(a, &err);
        else if (rc < 0)
            log_warn("agent", "event=malformed text=\"%s\"", err.text);
        arena_release(&mem);
        if (rc == 0)
            return;
    }
}

static void
wait_for_anything(struct agent *a)
{
    const int64_t most = a->n_attempts > 0 || a->draining ? BUSY_WAIT_MS : IDLE_WAIT_MS;
    int64_t left = session_next_ms(a->session) - clock_mono_ms();
    struct sock *socks[2] = {a->control, blobs_sock(a->blobs)};
    unsigned char ready[2 + MAX_FDS];
    int fds[MAX_FDS] = {a->signals};
    size_t n = 1;

    for (size_t i = 0; i < a->n_attempts && n < MAX_FDS; i++)
        if (attempt_fd(a->attempts[i]) >= 0)
            fds[n++] = attempt_fd(a->attempts[i]);
    left = left < 0 ? 0 : left < most ? left : most;
    (void)sock_wait(socks, socks[1] != NULL ? 2 : 1, fds, n, ready, left);
}

/* A key that is not allowed is met with silence; only the socket knows. */
static void
say_trouble(struct agent *a)
{
    const char *trouble = a->failed ? NULL : sock_trouble(a->control);

    if (trouble != NULL && trouble != a->trouble)
        log_warn(
            "agent",
            "event=refused why=\"%s; `relusweep keys` there says who may connect\"",
            trouble);
    if (trouble != NULL || session_is_up(a->session))
        a->trouble = trouble;
}

static void
run_loop(struct agent *a)
{
    while (!a->failed) {
        wait_for_anything(a);
        const int64_t now_ms = clock_mono_ms();
        take_signals(a, now_ms);
        take_messages(a, now_ms);
        blobs_step(a->blobs, now_ms);
        step_attempts(a, now_ms);
        share_cores(a, now_ms);
        blobs_step(a->blobs, now_ms); /* what the attempts have just asked for */
        check_idle(a, now_ms);
        if (is_drained(a, now_ms))
            break;
        if (!a->failed)
            session_tick(a->session, now_ms);
        say_trouble(a);
    }
    if (!a->failed)
        say_goodbye(a);
}

/* ---- life ------------------------------------------------------------------------- */

static int
split_endpoints(struct agent *a, struct err *err)
{
    char *save = NULL;

    a->endpoint_list = xstrdup(a->options.connect);
    for (char *word = strtok_r(a->endpoint_list, ", ", &save); word != NULL;
         word = strtok_r(NULL, ", ", &save)) {
        if (a->n_endpoints == MAX_ENDPOINTS)
            return err_set(err, ERR_USAGE, "--connect takes at most %d addresses",
                           MAX_ENDPOINTS);
        a->endpoints[a->n_endpoints++] = word;
    }
    if (a->n_endpoints == 0)
        return err_set(err, ERR_USAGE, "--connect needs an address");
    return 0;
}

static int
complete_options(struct agent *a, struct err *err)
{
    struct agent_options *o = &a->options;
    uint64_t random;

    if (gethostname(a->host, sizeof a->host - 1) != 0)
        return err_sys(err, "find the host's name");
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return err_sys(err, "draw a random number");
    snprintf(a->boot, sizeof a->boot, "%016" PRIx64, random);
    if (o->name[0] == '\0')
        o->name = a->host;
    a->n_cores = proc_cores();
    if (o->slots == 0)
        o->slots = a->n_cores < AGENT_MAX_SLOTS ? a->n_cores : AGENT_MAX_SLOTS;
    if (strchr(o->name, '/') != NULL)
        return err_set(err, ERR_USAGE, "--name %s: a name has no slash", o->name);
    return split_endpoints(a, err);
}

static void
open_session(struct agent *a, const char *catalog_json)
{
    const struct session_identity who = {
        .name = a->options.name,
        .boot = a->boot,
        .host = a->host,
        .version = RELUSWEEP_VERSION,
        .catalog = catalog_json,
        .slots = a->options.slots,
        .threads = a->options.threads > 0 ? a->options.threads : a->n_cores,
        .memory_bytes =
            a->options.memory_mib > 0 ? a->options.memory_mib << 20 : memory_bytes(),
        .labels = a->options.labels,
        .backend = a->backend,
        .has_spare = a->n_endpoints > 1};
    const struct session_io io = {.ctx = a,
                                  .send = io_send,
                                  .reconnect = io_reconnect,
                                  .welcome = io_welcome,
                                  .grant = io_grant,
                                  .cancel = io_cancel,
                                  .drop = io_remove,
                                  .checkpointed = io_checkpointed,
                                  .settled = io_remove,
                                  .missing = io_missing,
                                  .refused = io_refused};

    a->busy_ms = clock_mono_ms();
    a->session = session_new(&who, &io, a->busy_ms);
    a->attempt_env = (struct attempt_env){.session = a->session,
                                          .blobs = a->blobs,
                                          .jobs_dir = a->dir.jobs,
                                          .spool_dir = a->dir.spool,
                                          .program = "/proc/self/exe",
                                          .env = a->env,
                                          .share_cores = a->options.threads == 0};
}

/* Results of an earlier agent are sent as if they were ours. */
static void
load_spool(struct agent *a)
{
    json_t *entries = spool_load(a->dir.spool);

    workdir_sweep(&a->dir, entries);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        json_t *entry = json_array_get(entries, i);
        session_run_add_held(a->session, spool_run(entry));
        add_attempt(a, attempt_from_spool(&a->attempt_env, entry));
    }
    json_decref(entries);
}

static int
open_agent(struct agent *a, const char *catalog_json, const char *best_backend,
           struct err *err)
{
    a->backend =
        strcmp(a->options.backend, "auto") == 0 ? best_backend : a->options.backend;

    if (complete_options(a, err) != 0
        || (a->options.keys[0] != '\0'
            && sock_use_client_keys(a->options.keys, err) != 0)
        || signals_open(&a->signals, (int[]){SIGTERM, SIGINT, SIGUSR2, SIGCHLD}, 4, err)
               != 0
        || workdir_open(&a->dir, a->options.work_dir, a->options.name, err) != 0
        || cores_open(&a->cores, a->options.cores_dir, err) != 0
        || blobs_new(&a->blobs, a->dir.cache, a->options.cache_gib << 30, err) != 0)
        return -1;
    a->env = options_env(&a->options);
    open_session(a, catalog_json);
    load_spool(a);
    connect_control(a);
    return 0;
}

static void
close_agent(struct agent *a)
{
    for (size_t i = 0; i < a->n_attempts; i++)
        attempt_free(a->attempts[i]);
    free(a->attempts);
    session_free(a->session);
    blobs_free(a->blobs);
    cores_close(a->cores);
    sock_close(a->control);
    sock_finish();
    workdir_release(&a->dir);
    options_env_free(a->env);
    free(a->endpoint_list);
    signals_close(a->signals);
}

static int
wants_help(int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return 1;
    return 0;
}

static int
print_help(void)
{
    struct buf text = {0};

    buf_puts(&text, "usage: relusweep-worker agent --connect ADDRESS [options]\n\n");
    args_help(&text, agent_params, agent_n_params);
    fputs(buf_str(&text), stdout);
    buf_release(&text);
    return 0;
}

int
agent_main(int argc, char **argv, const char *catalog_json, const char *best_backend,
           struct err *err)
{
    struct agent a = {.signals = -1, .dir.lock = -1};
    struct args args = {0};

    crash_arm();
    if (wants_help(argc, argv))
        return print_help();
    if (args_parse(&args, agent_params, agent_n_params, &a.options, argc, argv, NULL,
                   err)
        != 0)
        return -1;
    int rc = args.n_words > 0 ? err_set(
                 err, ERR_USAGE, "`%s`: everything is an option here", args.words[0])
                              : open_agent(&a, catalog_json, best_backend, err);
    if (rc == 0) {
        run_loop(&a);
        if (a.failed) {
            *err = a.err;
            rc = -1;
        }
    }
    close_agent(&a);
    args_release(&args);
    return rc;
}
