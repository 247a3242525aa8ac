/*
 * saver.c - checkpoints on their way. Invariant: `now` is the only checkpoint of the run
 * that the session or the blobs know of. Losing one costs work, never a result, so its
 * failures are logged and no more.
 */
#include "worker/agent/saver.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/crash.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { RETRY_MS = 2000, MAX_FAILURES = 5 };

static void
remove_file(struct saver_file *f)
{
    if (f->path != NULL)
        (void)unlink(f->path);
    free(f->path);
    *f = (struct saver_file){0};
}

void
saver_release(struct saver *v, struct blobs *b)
{
    blob_free(b, v->put);
    remove_file(&v->now);
    remove_file(&v->next);
    *v = (struct saver){0};
}

void
saver_add(struct saver *v, int64_t step, const char *path)
{
    /* the same file written again must not be deleted with the old entry */
    if (v->next.path != NULL && strcmp(v->next.path, path) != 0)
        (void)unlink(v->next.path);
    free(v->next.path);
    v->next = (struct saver_file){.step = step, .path = xstrdup(path)};
}

bool
saver_is_idle(const struct saver *v)
{
    return v->now.path == NULL && v->next.path == NULL;
}

static void
give_up(struct saver *v, struct msg_run run, const struct err *err)
{
    log_warn("saver",
             "job=%" PRId64 " attempt=%" PRId64 " step=%" PRId64
             " state=not-stored text=\"%s\"",
             run.job, run.attempt, v->now.step, err->text);
    remove_file(&v->now);
    v->failures = 0;
}

static void
start_put(struct saver *v, struct blobs *b, struct msg_run run)
{
    struct sha256 digest;
    struct err err;
    size_t size;

    if (sha256_file(&digest, &size, v->now.path, &err) != 0)
        give_up(v, run, &err);
    else
        v->put = blobs_put(b, digest.hex, (int64_t)size, v->now.path);
}

static void
end_put(struct saver *v, struct blobs *b, struct session *s, struct msg_run run,
        int64_t now_ms)
{
    struct blob *put = v->put;

    v->put = NULL;
    crash_point("agent-checkpoint-stored");
    if (blob_state(put) == BLOB_DONE)
        session_run_checkpoint(s, run, v->now.step, blob_sha(put), blob_size(put));
    else if (++v->failures >= MAX_FAILURES)
        give_up(v, run, blob_error(put));
    else
        v->retry_ms = now_ms + RETRY_MS;
    blob_free(b, put);
}

void
saver_step(struct saver *v, struct blobs *b, struct session *s, struct msg_run run,
           int64_t now_ms)
{
    if (v->put != NULL && blob_state(v->put) != BLOB_BUSY)
        end_put(v, b, s, run, now_ms);
    if (v->retry_ms != 0 && now_ms >= v->retry_ms) {
        v->retry_ms = 0;
        start_put(v, b, run);
    }
    if (v->now.path == NULL && v->next.path != NULL) {
        v->now = v->next;
        v->next = (struct saver_file){0};
        start_put(v, b, run);
    }
}

void
saver_committed(struct saver *v, int64_t step)
{
    if (v->now.path == NULL || v->now.step != step)
        return;
    if (v->next.path != NULL && strcmp(v->next.path, v->now.path) == 0) {
        free(v->now.path);
        v->now = (struct saver_file){0};
    }
    remove_file(&v->now);
    v->failures = 0;
}

void
saver_missing(struct saver *v)
{
    if (v->now.path != NULL && v->put == NULL)
        v->retry_ms = 1; /* at the next step */
}
