/* writer.c - one thread, one task, one event descriptor. Must not know what tasks do. */
#include "coordinator/dispatch/writer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "shared/base/mem.h"

struct writer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t begun;
    int over; /* eventfd */
    bool busy, stop;
    writer_fn *fn; /* NULL: none to begin */
    void *ctx;
    int rc;
    struct err err;
};

static void *
writer_main(void *arg)
{
    struct writer *w = arg;

    for (;;) {
        pthread_mutex_lock(&w->lock);
        while (w->fn == NULL && !w->stop)
            pthread_cond_wait(&w->begun, &w->lock);
        writer_fn *const fn = w->fn;
        w->fn = NULL;
        pthread_mutex_unlock(&w->lock);
        if (fn == NULL)
            return NULL;
        w->rc = fn(w->ctx, &w->err);
        eventfd_write(w->over, 1);
    }
}

/* Signals are the main thread's business. */
static int
start_thread(struct writer *w)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int rc = pthread_create(&w->thread, NULL, writer_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int
writer_start(struct writer **out, struct err *err)
{
    struct writer *w = xcalloc(1, sizeof *w);

    *out = NULL;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->begun, NULL);
    w->over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    errno = w->over < 0 ? errno : start_thread(w);
    if (errno != 0) {
        err_sys(err, "start the thread of the database");
        if (w->over >= 0)
            close(w->over);
        free(w);
        return -1;
    }
    *out = w;
    return 0;
}

void
writer_stop(struct writer *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->begun);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    close(w->over);
    pthread_cond_destroy(&w->begun);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void
writer_run(struct writer *w, writer_fn *fn, void *ctx)
{
    assert(!w->busy);
    w->busy = true;
    pthread_mutex_lock(&w->lock);
    w->fn = fn;
    w->ctx = ctx;
    pthread_cond_signal(&w->begun);
    pthread_mutex_unlock(&w->lock);
}

bool
writer_busy(const struct writer *w)
{
    return w->busy;
}

int
writer_fd(const struct writer *w)
{
    return w->over;
}

bool
writer_take(struct writer *w, int *rc, struct err *err)
{
    eventfd_t ignored;

    if (!w->busy || eventfd_read(w->over, &ignored) != 0)
        return false;
    w->busy = false;
    *rc = w->rc;
    *err = w->err;
    return true;
}
