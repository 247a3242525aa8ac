/*
 * inbox.c - what each message of a worker means: a change of the queue in memory, an op
 * to commit, or a REJECT. Answers nothing that is not committed. Must not write to the
 * database.
 */
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/workers.h"
#include "coordinator/dispatch/contract.h"
#include "coordinator/dispatch/dispatcher_impl.h"
#include "shared/base/log.h"
#include "shared/base/proc.h"
#include "shared/spec/catalog.h"

enum {
    MAX_SLOTS = 4096,
    MAX_THREADS = 65536,
    MAX_MESSAGES = 4096, /* in one round */
    MAX_WAITING = 16384, /* ops that wait for the commit before theirs */
};

static void
reject(struct dispatcher *d, const struct sock_peer *to, const char *code,
       const char *text)
{
    const struct msg m = {.type = MSG_REJECT, .u.reject = {.code = code, .text = text}};

    sock_send(d->config.control, to, &m);
}

/* For what could not be read as a message. */
static const char *
reject_code(enum err_kind kind)
{
    return kind == ERR_REFUSED ? "version" : kind == ERR_NET ? "refused" : "malformed";
}

/* ---- HELLO ------------------------------------------------------------------------ */

static bool
same_major(const char *a, const char *b)
{
    const size_t n = strcspn(a, ".");

    return n == strcspn(b, ".") && strncmp(a, b, n) == 0;
}

static bool
same_peer(const struct sock_peer *a, const struct sock_peer *b)
{
    return a->n == b->n && memcmp(a->id, b->id, a->n) == 0;
}

/* NULL when the hello can be served; else what is wrong. */
static const char *
check_hello(const struct msg_hello *h)
{
    if (h->boot[0] == '\0' || strlen(h->boot) >= sizeof((struct session *)0)->boot)
        return "HELLO: `boot` must have 1 to 63 characters";
    if (h->slots < 1 || h->slots > MAX_SLOTS)
        return "HELLO: `slots` must be 1 to 4096";
    if (h->threads < 0 || h->threads > MAX_THREADS)
        return "HELLO: `threads` must be 0 to 65536";
    return NULL;
}

/* Workers of one kind share one contract. */
static void
learn_contract(struct dispatcher *d, const struct sha256 *digest, const json_t *doc)
{
    if (strcmp(digest->hex, d->heard.hex) == 0)
        return;
    json_decref(d->contract);
    d->contract = contract_of_catalog(doc);
    d->heard = *digest;
}

/* Canonical text of the declared catalogue, in the arena; NULL in *out when it is the
 * one that was written last. d->contract is that of this one. */
static int
check_catalog(struct dispatcher *d, const char *text, const char **out, struct err *err)
{
    struct catalog catalog;
    json_t *doc;

    *out = NULL;
    if (json_parse(&doc, text, strlen(text), "catalogue of the worker", err) != 0)
        return -1;
    if (catalog_read(&catalog, doc, err) != 0) {
        json_decref(doc);
        return -1;
    }
    char *canonical = json_canonical(doc);
    const struct sha256 digest = sha256_bytes(canonical, strlen(canonical));
    if (strcmp(digest.hex, d->catalog.hex) != 0)
        *out = arena_strdup(&d->batch.mem, canonical);
    free(canonical);
    learn_contract(d, &digest, doc);
    catalog_release(&catalog);
    json_decref(doc);
    return 0;
}

static const struct msg *
welcome(struct dispatcher *d, const struct session *s, struct msg_run *kill,
        size_t n_kill)
{
    struct msg *m = arena_alloc(&d->batch.mem, sizeof *m);

    *m = (struct msg){.type = MSG_WELCOME,
                      .u.welcome = {.session = s->id,
                                    .heartbeat_ms = s->pace.beat_ms,
                                    .lease_ms = d->config.lease_ms,
                                    .bulk = store_endpoint(d->config.store),
                                    .kill = kill,
                                    .n_kill = n_kill,
                                    .word_ms = s->pace.word_ms}};
    return m;
}

/* A process keeps its `boot`; so one connection cannot fill the queue with sessions. */
static bool
may_speak_for(struct dispatcher *d, const struct sock_peer *from,
              const struct msg_hello *h)
{
    const struct session *s = core_session_at(d->core, from);

    return s == NULL || strcmp(s->boot, h->boot) == 0;
}

/* With keys, a worker's name begins with that of its key, so that nobody can say he is
 * somebody else. */
static const struct msg *
with_key_name(struct dispatcher *d, const struct sock_peer *from, const struct msg *m)
{
    if (from->user[0] == '\0' || strcmp(from->user, m->u.hello.name) == 0)
        return m;
    struct msg *named = arena_alloc(&d->batch.mem, sizeof *named);
    *named = *m;
    named->u.hello.name =
        arena_printf(&d->batch.mem, "%s/%.15s", from->user, m->u.hello.name);
    return named;
}

static void
take_hello(struct dispatcher *d, const struct sock_peer *from, const struct msg *m,
           int64_t now_ms)
{
    m = with_key_name(d, from, m);
    const struct msg_hello *h = &m->u.hello;
    const char *wrong = check_hello(h), *catalog = NULL;
    struct err err;
    size_t n_kill;

    if (!same_major(h->version, RELUSWEEP_VERSION)) {
        reject(
            d, from, "version",
            arena_printf(&d->batch.mem,
                         "this worker is relusweep %s, the coordinator is %s; install "
                         "the same version on both",
                         h->version, RELUSWEEP_VERSION));
        log_warn("dispatch", "worker=%s host=%s version=%s action=rejected", h->name,
                 h->host, h->version);
        return;
    }
    if (wrong == NULL && check_catalog(d, h->catalog, &catalog, &err) != 0)
        wrong = arena_strdup(&d->batch.mem, err.text);
    if (wrong != NULL) {
        reject(d, from, "refused", wrong);
        log_warn("dispatch", "worker=%s host=%s action=refused why=\"%s\"", h->name,
                 h->host, wrong);
        return;
    }
    if (!may_speak_for(d, from, h)) {
        reject(d, from, "refused", "HELLO: this connection belongs to another process");
        log_warn("dispatch",
                 "worker=%s host=%s boot=%s action=refused why=\"its "
                 "connection belongs to another process\"",
                 h->name, h->host, h->boot);
        return;
    }
    struct msg_run *kill =
        arena_alloc(&d->batch.mem, (h->n_running + 1) * sizeof *kill);
    struct session *s = core_hello(d->core, h, now_ms, kill, &n_kill);
    core_set_peer(d->core, s, from);
    s->pace = session_pace(core_count(d->core).sessions, d->config.heartbeat_ms,
                           d->config.lease_ms);
    s->contract = json_incref(d->contract);
    log_info("dispatch",
             "worker=%s host=%s session=%lld slots=%lld running=%zu held=%zu kill=%zu",
             h->name, h->host, (long long)s->id, (long long)h->slots, h->n_running,
             h->n_held, n_kill);
    struct op *op = batch_add(&d->batch, OP_HELLO);
    op->session = s->id;
    op->m = m;
    op->catalog = catalog;
    op->reply = welcome(d, s, kill, n_kill);
}

/* ---- within a session ------------------------------------------------------------- */

static void
take_progress(struct dispatcher *d, const struct session *s,
              const struct msg_heartbeat *h)
{
    for (size_t i = 0; i < h->n_progress; i++) {
        const struct msg_progress *p = &h->progress[i];
        if (!core_told(d->core, s, p->run))
            continue;
        struct worker_progress *row = idmap_find(&d->progress, p->run.job);
        if (row == NULL)
            idmap_put(&d->progress, p->run.job, row = xcalloc(1, sizeof *row));
        *row = (struct worker_progress){.job = p->run.job,
                                        .attempt = p->run.attempt,
                                        .epoch = p->epoch,
                                        .epochs = p->epochs,
                                        .step = p->step,
                                        .steps = p->steps,
                                        .images_per_second = p->images_per_second,
                                        .loss = p->loss,
                                        .seconds_left = p->seconds_left};
    }
}

/* Session and run that a message names; false for types that have none. */
static bool
address_of(const struct msg *m, int64_t *session, struct msg_run *run,
           enum op_kind *kind)
{
#define CASE(id, member, op)            \
    case id:                            \
        *session = m->u.member.session; \
        *run = m->u.member.run;         \
        *kind = op;                     \
        return true
    switch (m->type) {
        CASE(MSG_STARTED, started, OP_STARTED);
        CASE(MSG_METRICS, metrics, OP_METRICS);
        CASE(MSG_LOG, log, OP_LOG);
        CASE(MSG_CHECKPOINT, checkpoint, OP_CHECKPOINT);
        CASE(MSG_RESULT, result, OP_RESULT);
    case MSG_READY: *session = m->u.ready.session; return true;
    case MSG_HEARTBEAT: *session = m->u.heartbeat.session; return true;
    case MSG_BYE: *session = m->u.bye.session; return true;
    default: return false;
    }
#undef CASE
}

static void
take_in_session(struct dispatcher *d, struct session *s, const struct msg *m,
                struct msg_run run, enum op_kind kind, int64_t now_ms)
{
    if (m->type == MSG_READY) {
        core_offer(d->core, s, m->u.ready.free);
    } else if (m->type == MSG_HEARTBEAT) {
        take_progress(d, s, &m->u.heartbeat);
    } else if (m->type == MSG_BYE) {
        log_info("dispatch",
                 "worker=%s session=%lld action=bye returned=%zu why=\"%s\"", s->name,
                 (long long)s->id, m->u.bye.n_returned, m->u.bye.reason);
        core_bye(d->core, s, m->u.bye.returned, m->u.bye.n_returned, now_ms);
    } else {
        struct op *op = batch_add(&d->batch, kind);
        op->session = s->id;
        op->worker = s->worker;
        op->run = run;
        op->bare = core_is_bare(d->core, run);
        op->foreign = !core_told(d->core, s, run);
        op->m = m;
        if (m->type == MSG_RESULT && core_is_bound(d->core, run))
            op->contract = json_incref(s->contract);
        if (m->type == MSG_RESULT)
            core_result(d->core, s, run);
    }
}

static void
take(struct dispatcher *d, const struct sock_peer *from, const struct msg *m,
     int64_t now_ms)
{
    struct msg_run run = {0};
    enum op_kind kind = OP_LOG;
    int64_t session;

    if (m->type == MSG_HELLO) {
        if (d->leads)
            take_hello(d, from, m, now_ms);
        return;
    }
    if (!address_of(m, &session, &run, &kind)) {
        reject(d, from, "unknown-type", msg_type_name(m->type));
        return;
    }
    struct session *s = core_heard(d->core, session, now_ms);
    /* a new connection: what was on its way to the old one may be lost */
    if (s == NULL || !same_peer(&s->peer, from))
        reject(d, from, "who-are-you", "say HELLO");
    else if (d->leads || m->type == MSG_HEARTBEAT || m->type == MSG_READY)
        take_in_session(d, s, m, run, kind, now_ms);
}

void
inbox_drain(struct dispatcher *d, int64_t now_ms)
{
    struct sock_peer from;
    struct err err;

    for (int i = 0; i < MAX_MESSAGES && d->batch.n < MAX_WAITING; i++) {
        struct msg *m = arena_alloc(&d->batch.mem, sizeof *m);
        const int rc = sock_recv(d->config.control, &from, m, &d->batch.mem, &err);
        if (rc == 0)
            return;
        if (d->epoch == 0) /* another coordinator leads: it answers */
            continue;
        if (rc < 0) {
            log_warn("dispatch", "action=reject why=\"%s\"", err.text);
            if (from.n > 0)
                reject(d, &from, reject_code(err.kind), err.text);
            continue;
        }
        take(d, &from, m, now_ms);
    }
}
