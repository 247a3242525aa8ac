/*
 * attempt_end.c - from the end of the process to the result in the session's hands.
 * Invariants: the result is in the spool before anything is sent; it is handed in only
 * when its artifacts are stored, and after the last checkpoint of an attempt that did
 * not succeed, because a result ends the attempt and fences off what comes later.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/crash.h"
#include "shared/base/file.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"
#include "worker/agent/attempt_state.h"
#include "worker/agent/memory.h"
#include "worker/agent/spool.h"

enum { RETRY_MS = 2000, MAX_FAILURES = 5 };

/* ---- the entry -------------------------------------------------------------------- */

/* Takes the references to finals and artifacts, which may be NULL. */
static json_t *
make_entry(const struct attempt *a, const char *outcome, const char *text,
           const struct child_end *end, json_t *finals, json_t *artifacts)
{
    return json_pack("{s:I, s:I, s:s, s:s, s:i, s:i, s:f, s:I, s:o, s:o}", "job",
                     (json_int_t)a->run.job, "attempt", (json_int_t)a->run.attempt,
                     "outcome", outcome, "text", text, "exit_code", end->exit_code,
                     "signal", end->signal, "seconds", end->seconds, "peak_rss_bytes",
                     (json_int_t)end->peak_rss_bytes, "finals",
                     finals != NULL ? finals : json_array(), "artifacts",
                     artifacts != NULL ? artifacts : json_array());
}

/* Text that JSON takes: bytes that are not UTF-8 become '?'. */
static char *
clean(const char *text)
{
    char *copy = xstrdup(text);
    json_t *probe = json_string(copy);

    if (probe == NULL)
        for (char *c = copy; *c != '\0'; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
    json_decref(probe);
    return copy;
}

/* What was measured and is not acknowledged outlives this agent with the result. */
static void
keep_points(const struct attempt *a)
{
    const struct msg_metrics *batch;

    for (size_t i = 0; (batch = session_run_batch(a->env->session, a->run, i)) != NULL;
         i++)
        spool_add_batch(a->entry, batch);
}

static void
end_with(struct attempt *a, const char *outcome, const char *text,
         const struct child_end *end, json_t *finals, json_t *artifacts)
{
    char *safe = clean(text);
    struct err err;

    session_run_ended(a->env->session, a->run);
    json_decref(a->entry);
    a->entry = make_entry(a, outcome, safe, end, finals, artifacts);
    keep_points(a);
    a->phase = ATTEMPT_STORE;
    log_info("attempt",
             "job=%" PRId64 " attempt=%" PRId64 " state=ended outcome=%s text=\"%s\"",
             a->run.job, a->run.attempt, outcome, safe);
    crash_point("agent-ended");
    if (!a->giving_back && spool_write(a->env->spool_dir, a->entry, &err) != 0)
        log_error("attempt", "job=%" PRId64 " state=not-spooled text=\"%s\"",
                  a->run.job, err.text);
    free(safe);
}

void
attempt_fail(struct attempt *a, const char *outcome, const char *text)
{
    const struct child_end none = {0};

    end_with(a, outcome, text, &none, NULL, NULL);
}

/* ---- what the process's end means ------------------------------------------------- */

static int
add_artifact(const struct attempt *a, const json_t *said, json_t *artifacts,
             struct err *err)
{
    const char *name = json_str(said, "name", ""), *file = json_str(said, "file", "");
    struct sha256 digest;
    size_t size;

    if (name[0] == '\0' || file[0] == '\0' || strchr(file, '/') != NULL)
        return err_set(err, ERR_BUG, "the stage named an artifact `%.80s` in `%.80s`",
                       name, file);
    char *path = file_join(a->dir, file);
    const int rc = sha256_file(&digest, &size, path, err);
    if (rc == 0)
        json_array_append_new(artifacts, json_pack("{s:s, s:s, s:I, s:s}", "name", name,
                                                   "sha", digest.hex, "size",
                                                   (json_int_t)size, "file", path));
    free(path);
    return rc;
}

static int
list_artifacts(const struct attempt *a, json_t *out, struct err *err)
{
    const json_t *said = json_object_get(a->result, "artifacts");

    if (json_array_size(said) > MSG_MAX_ARTIFACTS
        || json_array_size(json_object_get(a->result, "finals")) > MSG_MAX_POINTS)
        return err_set(err, ERR_BUG,
                       "the stage has more than %d artifacts or %d final "
                       "metrics",
                       MSG_MAX_ARTIFACTS, MSG_MAX_POINTS);
    for (size_t i = 0; i < json_array_size(said); i++)
        if (add_artifact(a, json_array_get(said, i), out, err) != 0)
            return -1;
    return 0;
}

static void
conclude_success(struct attempt *a, const struct child_end *end)
{
    json_t *artifacts = json_array();
    json_t *finals = json_object_get(a->result, "finals");
    struct err err;

    if (list_artifacts(a, artifacts, &err) == 0) {
        end_with(a, "ok", "", end, json_incref(finals), artifacts);
        return;
    }
    json_decref(artifacts);
    end_with(a, err_kind_name(err.kind), err.text, end, NULL, NULL);
}

/* The stage's own words if it had any, else the last lines of its log. */
static char *
last_words(const struct attempt *a, const char *what)
{
    const char *said = json_str(a->error, "text", "");
    char *tail = joblog_tail(&a->log);
    char *text = said[0] != '\0'   ? xstrdup(said)
                 : tail[0] != '\0' ? xasprintf("%s; its last lines:\n%s", what, tail)
                                   : xstrdup(what);

    free(tail);
    return text;
}

/* Killed, and the kernel has killed one of us for want of memory meanwhile. */
static bool
was_out_of_memory(const struct attempt *a, const struct child_end *end)
{
    return end->signal == SIGKILL && a->kills >= 0 && memory_kills() > a->kills;
}

static void
conclude_overdue(struct attempt *a, const struct child_end *end)
{
    const bool late = a->verdict == WATCHDOG_TIMEOUT;
    char *text = late ? xasprintf("the stage ran for longer than %" PRId64
                                  " s (`timeout` of the sweep)",
                                  a->watchdog.timeout_s)
                      : xasprintf("the stage made no progress for %" PRId64
                                  " s (`stall` of the sweep)",
                                  a->watchdog.stall_s);

    end_with(a, "timeout", text, end, NULL, NULL);
    free(text);
}

static void
conclude_failure(struct attempt *a, const struct child_end *end)
{
    const char *said = json_str(a->error, "kind", "");
    enum err_kind kind = err_kind_from_exit(end->exit_code);
    char *what;

    if (said[0] != '\0')
        kind = err_kind_find(said);
    if (end->signal != 0)
        what = xasprintf("the stage was killed by signal %d (%s)", end->signal,
                         strsignal(end->signal));
    else
        what = xasprintf("the stage ended with exit code %d and no result",
                         end->exit_code);
    const char *outcome = was_out_of_memory(a, end) ? err_kind_name(ERR_OOM)
                          : end->signal != 0        ? "signal"
                          : kind == ERR_NONE        ? err_kind_name(ERR_BUG)
                                                    : err_kind_name(kind);
    char *text = last_words(a, what);
    end_with(a, outcome, text, end, NULL, NULL);
    free(text);
    free(what);
}

void
attempt_conclude(struct attempt *a, const struct child_end *end)
{
    if (end->signal == 0 && end->exit_code == 0 && a->result != NULL) {
        a->giving_back = false; /* it was done in time */
        conclude_success(a, end);
    } else if (a->cancelled) {
        end_with(a, err_kind_name(ERR_STOPPED), a->reason, end, NULL, NULL);
    } else if (a->verdict != WATCHDOG_FINE) {
        conclude_overdue(a, end);
    } else {
        conclude_failure(a, end);
    }
}

/* ---- storing ---------------------------------------------------------------------- */

static bool
is_ok(const struct attempt *a)
{
    return strcmp(json_str(a->entry, "outcome", ""), "ok") == 0;
}

static void
start_puts(struct attempt *a)
{
    const json_t *artifacts = json_object_get(a->entry, "artifacts");
    const size_t n = json_array_size(artifacts);

    a->puts = xcalloc(n + 1, sizeof(struct blob *));
    for (a->n_puts = 0; a->n_puts < n; a->n_puts++) {
        const json_t *row = json_array_get(artifacts, a->n_puts);
        a->puts[a->n_puts] =
            blobs_put(a->env->blobs, json_str(row, "sha", ""), json_int(row, "size", 0),
                      json_str(row, "file", ""));
    }
}

static void
free_puts(struct attempt *a)
{
    for (size_t i = 0; i < a->n_puts; i++)
        blob_free(a->env->blobs, a->puts[i]);
    free(a->puts);
    a->puts = NULL;
    a->n_puts = 0;
}

/* Tries again a few times; then the attempt has failed after all. */
static void
put_failed(struct attempt *a, const struct err *why, int64_t now_ms)
{
    struct err err = *why;

    free_puts(a);
    log_warn("attempt", "job=%" PRId64 " state=not-stored text=\"%s\"", a->run.job,
             err.text);
    a->retry_ms = now_ms + RETRY_MS;
    if (++a->failures < MAX_FAILURES)
        return;
    const struct child_end end = {.seconds = json_num(a->entry, "seconds", 0),
                                  .peak_rss_bytes =
                                      json_int(a->entry, "peak_rss_bytes", 0)};
    err_wrap(&err, "an artifact could not be stored");
    end_with(a, err_kind_name(err.kind == ERR_REFUSED ? ERR_SYS : err.kind), err.text,
             &end, NULL, NULL);
}

/* 1 all stored, 0 not yet. */
static int
artifacts_stored(struct attempt *a, int64_t now_ms)
{
    if (now_ms < a->retry_ms)
        return 0;
    if (a->puts == NULL)
        start_puts(a);
    for (size_t i = 0; i < a->n_puts; i++) {
        if (blob_state(a->puts[i]) == BLOB_FAILED) {
            const struct err why = *blob_error(a->puts[i]);
            put_failed(a, &why, now_ms);
            return 0;
        }
    }
    for (size_t i = 0; i < a->n_puts; i++)
        if (blob_state(a->puts[i]) == BLOB_BUSY)
            return 0;
    for (size_t i = 0; i < a->n_puts; i++)
        blobs_keep(a->env->blobs, blob_sha(a->puts[i]), blob_path(a->puts[i]));
    free_puts(a);
    return 1;
}

static void
hand_in(struct attempt *a)
{
    struct arena mem = {0};
    struct msg_result r;

    spool_message(a->entry, &r, &mem);
    crash_point("agent-stored");
    session_run_result(a->env->session, &r);
    arena_release(&mem);
    a->phase = ATTEMPT_HELD;
}

void
attempt_store(struct attempt *a, int64_t now_ms)
{
    if (!is_ok(a)) {
        saver_step(&a->saver, a->env->blobs, a->env->session, a->run, now_ms);
        if (!saver_is_idle(&a->saver))
            return;
    }
    const bool said = joblog_step(&a->log, a->env->session, a->run, now_ms);
    if (a->giving_back) {
        json_decref(a->entry);
        a->entry = NULL;
        a->phase = ATTEMPT_BACK;
        return;
    }
    if (artifacts_stored(a, now_ms) && (said || !session_is_up(a->env->session)))
        hand_in(a);
}

void
attempt_missing(struct attempt *a, const char *what, const char *sha)
{
    log_warn("attempt", "job=%" PRId64 " attempt=%" PRId64 " what=%s missing=%.64s",
             a->run.job, a->run.attempt, what, sha);
    if (strcmp(what, "checkpoint") == 0)
        saver_missing(&a->saver);
    else if (a->phase == ATTEMPT_HELD)
        a->phase = ATTEMPT_STORE;
}
