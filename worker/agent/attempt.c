/*
 * attempt.c - an attempt until its process has ended. Invariant: an attempt leaves only
 * through attempt_fail or attempt_conclude, so every grant ends in exactly one result or
 * is handed back. Must not know what a stage computes.
 */
#include "worker/agent/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/crash.h"
#include "shared/base/file.h"
#include "shared/base/json.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/spec/job.h"
#include "worker/agent/attempt_state.h"
#include "worker/agent/memory.h"
#include "worker/agent/spool.h"

enum { CANCEL_GRACE_MS = 20000 };

/* ---- preparing -------------------------------------------------------------------- */

/* Names from a peer become parts of paths. */
static int
check_word(const char *word, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-";
    const size_t n = strlen(word);

    if (n > 0 && n <= 128 && word[0] != '.' && strspn(word, allowed) == n)
        return 0;
    return err_set(err, ERR_DATA, "`%.80s` cannot be the name of an input", word);
}

static int
write_spec(const struct attempt *a, const struct msg_grant *g, struct err *err)
{
    json_t *spec = NULL;
    int rc = json_parse(&spec, g->spec, strlen(g->spec), "job spec", err);

    if (rc == 0)
        rc = job_spec_check(spec, err);
    if (rc == 0 && strcmp(job_spec_digest(spec).hex, g->digest) != 0)
        rc = err_set(err, ERR_DATA, "job spec: its digest is %s, not %.64s",
                     job_spec_digest(spec).hex, g->digest);
    if (rc == 0) {
        char *path = file_join(a->dir, "spec.json");
        rc = file_write(path, g->spec, strlen(g->spec), err);
        free(path);
    }
    json_decref(spec);
    return rc;
}

static void
add_input(struct attempt *a, const char *sha, int64_t size, char *path)
{
    a->input_paths[a->n_inputs] = path;
    a->inputs[a->n_inputs++] = blobs_get(a->env->blobs, sha, size);
}

static int
begin_fetch(struct attempt *a, const struct msg_grant *g, struct err *err)
{
    a->inputs = xcalloc(g->n_inputs + 1, sizeof(struct blob *));
    a->input_paths = xcalloc(g->n_inputs + 1, sizeof(char *));
    for (size_t i = 0; i < g->n_inputs; i++) {
        const struct msg_input *in = &g->inputs[i];
        if (check_word(in->stage, err) != 0 || check_word(in->name, err) != 0)
            return -1;
        add_input(a, in->sha, in->size,
                  xasprintf("%s/inputs/%s.%s", a->dir, in->stage, in->name));
    }
    a->resumes = g->resume_sha[0] != '\0';
    if (a->resumes)
        add_input(a, g->resume_sha, g->resume_size, file_join(a->dir, "resume"));
    return 0;
}

static int
prepare(struct attempt *a, const struct msg_grant *g, struct err *err)
{
    char *inputs = file_join(a->dir, "inputs");
    int rc = file_remove_tree(a->dir, err); /* of an earlier agent */

    if (rc == 0)
        rc = file_make_dirs(inputs, err);
    if (rc == 0)
        rc = write_spec(a, g, err);
    if (rc == 0)
        rc = begin_fetch(a, g, err);
    free(inputs);
    return rc;
}

static struct attempt *
new_attempt(const struct attempt_env *env, struct msg_run run, enum attempt_phase phase)
{
    struct attempt *a = xcalloc(1, sizeof *a);

    *a = (struct attempt){.env = env, .run = run, .phase = phase};
    a->dir = xasprintf("%s/%" PRId64 "-%" PRId64, env->jobs_dir, run.job, run.attempt);
    joblog_init(&a->log, a->dir);
    return a;
}

struct attempt *
attempt_new(const struct attempt_env *env, const struct msg_grant *grant)
{
    struct attempt *a = new_attempt(env, grant->run, ATTEMPT_FETCH);
    struct err err;

    log_info("attempt",
             "job=%" PRId64 " attempt=%" PRId64 " state=granted resume=%" PRId64,
             a->run.job, a->run.attempt, grant->resume_sha[0] ? grant->resume_step : 0);
    a->watchdog.timeout_s = grant->timeout_s;
    a->watchdog.stall_s = grant->stall_s;
    if (prepare(a, grant, &err) != 0)
        attempt_fail(a, err_kind_name(err.kind), err.text);
    return a;
}

static void
restore_points(const struct attempt *a)
{
    struct arena mem = {0};
    struct msg_metrics batch;

    for (size_t i = 0; spool_batch(a->entry, i, &batch, &mem); i++)
        session_run_restore(a->env->session, a->run, &batch);
    arena_release(&mem);
}

struct attempt *
attempt_from_spool(const struct attempt_env *env, json_t *entry)
{
    struct attempt *a = new_attempt(env, spool_run(entry), ATTEMPT_STORE);

    a->entry = json_incref(entry);
    restore_points(a);
    return a;
}

static void
free_fetches(struct attempt *a)
{
    for (size_t i = 0; i < a->n_inputs; i++) {
        blob_free(a->env->blobs, a->inputs[i]);
        free(a->input_paths[i]);
    }
    free(a->inputs);
    free(a->input_paths);
    a->inputs = NULL;
    a->input_paths = NULL;
    a->n_inputs = 0;
}

void
attempt_free(struct attempt *a)
{
    struct err err;

    if (a == NULL)
        return;
    child_free(a->child);
    free_fetches(a);
    for (size_t i = 0; i < a->n_puts; i++)
        blob_free(a->env->blobs, a->puts[i]);
    free(a->puts);
    saver_release(&a->saver, a->env->blobs);
    joblog_release(&a->log);
    const bool keep = a->entry != NULL; /* the spool's artifacts are in the folder */
    if (!keep && file_remove_tree(a->dir, &err) != 0)
        log_warn("attempt", "job=%" PRId64 " text=\"%s\"", a->run.job, err.text);
    json_decref(a->entry);
    json_decref(a->result);
    json_decref(a->error);
    free(a->reason);
    free(a->dir);
    free(a);
}

void
attempt_forget_result(struct attempt *a)
{
    spool_remove(a->env->spool_dir, a->run);
    json_decref(a->entry);
    a->entry = NULL;
}

struct msg_run
attempt_run(const struct attempt *a)
{
    return a->run;
}

enum attempt_phase
attempt_phase(const struct attempt *a)
{
    return a->phase;
}

int
attempt_fd(const struct attempt *a)
{
    return a->child != NULL ? child_fd(a->child) : -1;
}

/* ---- fetching and starting -------------------------------------------------------- */

/* A link costs nothing and keeps the data when the cache forgets them. */
static int
place_input(const char *from, const char *to, struct err *err)
{
    if (link(from, to) == 0 || symlink(from, to) == 0)
        return 0;
    return err_sys(err, "link %s to %s", from, to);
}

static void
step_fetch(struct attempt *a)
{
    struct err err;

    for (size_t i = 0; i < a->n_inputs; i++)
        if (blob_state(a->inputs[i]) == BLOB_BUSY)
            return;
    for (size_t i = 0; i < a->n_inputs; i++) {
        const struct blob *in = a->inputs[i];
        if (blob_state(in) == BLOB_FAILED) {
            err = *blob_error(in);
            if (a->resumes && i + 1 == a->n_inputs && err.kind == ERR_DATA)
                err.kind = ERR_CHECKPOINT; /* an older one may be whole */
            err_wrap(&err, "fetch an input");
        } else if (place_input(blob_path(in), a->input_paths[i], &err) == 0) {
            continue;
        }
        attempt_fail(a, err_kind_name(err.kind), err.text);
        return;
    }
    free_fetches(a);
    crash_point("agent-fetched");
    a->phase = ATTEMPT_WAIT;
}

/* Overwritten in place: the process has the file mapped. */
static int
write_share(const struct attempt *a, int32_t threads, struct err *err)
{
    char *path = file_join(a->dir, "threads");
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    int rc = 0;

    if (fd < 0 || pwrite(fd, &threads, sizeof threads, 0) != sizeof threads)
        rc = err_sys(err, "write %s", path);
    if (fd >= 0)
        close(fd);
    free(path);
    return rc;
}

void
attempt_share(struct attempt *a, int32_t threads)
{
    struct err err;

    if (a->phase != ATTEMPT_RUN || a->threads == threads)
        return;
    a->threads = threads;
    if (write_share(a, threads, &err) != 0) /* it goes on with what it has */
        log_warn("attempt", "job=%" PRId64 " text=\"%s\"", a->run.job, err.text);
}

static void
start(struct attempt *a, int64_t now_ms)
{
    char name[] = "relusweep-worker", verb[] = "stage";
    char *argv[] = {name, verb, a->dir, NULL};
    struct err err;

    a->kills = memory_kills();
    watchdog_start(&a->watchdog, now_ms);
    if ((a->env->share_cores && write_share(a, 1, &err) != 0)
        || child_start(&a->child, a->env->program, argv, a->env->env, a->log.path, &err)
               != 0) {
        attempt_fail(a, err_kind_name(err.kind), err.text);
        return;
    }
    crash_point("agent-started");
    log_info("attempt", "job=%" PRId64 " attempt=%" PRId64 " state=running pid=%d",
             a->run.job, a->run.attempt, (int)child_pid(a->child));
    a->phase = ATTEMPT_RUN;
}

/* ---- running ---------------------------------------------------------------------- */

static void
take_events(struct attempt *a, int64_t now_ms)
{
    json_t *event;

    while ((event = child_next_event(a->child)) != NULL) {
        attempt_take_event(a, event, now_ms);
        json_decref(event);
    }
}

/* It may write a checkpoint: the next attempt goes on from there. */
static void
stop_overdue(struct attempt *a, int64_t now_ms)
{
    if (a->verdict != WATCHDOG_FINE || a->cancelled || a->giving_back)
        return;
    a->verdict = watchdog_look(&a->watchdog, now_ms);
    if (a->verdict == WATCHDOG_FINE)
        return;
    log_warn("attempt", "job=%" PRId64 " attempt=%" PRId64 " event=%s", a->run.job,
             a->run.attempt, a->verdict == WATCHDOG_TIMEOUT ? "timeout" : "stalled");
    child_stop(a->child, now_ms, CANCEL_GRACE_MS);
}

static void
step_run(struct attempt *a, int64_t now_ms)
{
    struct child_end end;

    child_tick(a->child, now_ms);
    const bool ended =
        child_ended(a->child, &end); /* before the last events are read */
    take_events(a, now_ms);
    saver_step(&a->saver, a->env->blobs, a->env->session, a->run, now_ms);
    (void)joblog_step(&a->log, a->env->session, a->run, now_ms);
    if (!ended) {
        stop_overdue(a, now_ms);
        return;
    }
    child_free(a->child);
    a->child = NULL;
    attempt_conclude(a, &end);
}

void
attempt_step(struct attempt *a, bool may_start, int64_t now_ms)
{
    if (a->phase == ATTEMPT_FETCH)
        step_fetch(a);
    if (a->phase == ATTEMPT_WAIT && may_start)
        start(a, now_ms);
    if (a->phase == ATTEMPT_RUN)
        step_run(a, now_ms);
    if (a->phase == ATTEMPT_STORE)
        attempt_store(a, now_ms);
}

/* ---- asked from outside ----------------------------------------------------------- */

void
attempt_cancel(struct attempt *a, bool hard, const char *reason, int64_t now_ms)
{
    if (a->phase > ATTEMPT_RUN)
        return; /* the result is on its way */
    a->cancelled = true;
    free(a->reason);
    a->reason = xstrdup(reason);
    if (a->child == NULL)
        attempt_fail(a, err_kind_name(ERR_STOPPED), reason);
    else if (hard)
        child_kill(a->child);
    else
        child_stop(a->child, now_ms, CANCEL_GRACE_MS);
}

void
attempt_give_back(struct attempt *a, int64_t now_ms, int64_t grace_ms)
{
    if (a->phase > ATTEMPT_RUN)
        return;
    a->giving_back = true;
    if (a->child == NULL)
        attempt_fail(a, err_kind_name(ERR_STOPPED), "");
    else
        child_stop(a->child, now_ms, grace_ms);
}

void
attempt_checkpointed(struct attempt *a, int64_t step)
{
    saver_committed(&a->saver, step);
}

void
attempt_rewind(struct attempt *a)
{
    joblog_rewind(&a->log);
}
