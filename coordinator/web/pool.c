/* pool.c - a queue of errands and the threads that do them. */
#include "coordinator/web/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "coordinator/web/answer.h"
#include "shared/base/mem.h"

enum { MAX_WAITING = 2000 };

struct pool {
    struct site *site;
    struct mailbox *mailbox;
    void (*done)(void *errand);
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct errand *first, **last;
    int n_waiting;
    bool stop;
    int n_threads;
    pthread_t threads[];
};

void
errand_free(struct errand *e)
{
    request_release(&e->request);
    response_release(&e->response);
    free(e);
}

/* The next errand, NULL at the end. */
static struct errand *
take(struct pool *p)
{
    struct errand *e = NULL;

    pthread_mutex_lock(&p->lock);
    while (p->first == NULL && !p->stop)
        pthread_cond_wait(&p->more, &p->lock);
    if (!p->stop) {
        e = p->first;
        p->first = e->next;
        if (p->first == NULL)
            p->last = &p->first;
        p->n_waiting--;
    }
    pthread_mutex_unlock(&p->lock);
    return e;
}

static void *
run(void *arg)
{
    struct pool *p = arg;
    struct seat seat = {.site = p->site};
    struct errand *e;

    while ((e = take(p)) != NULL) {
        if (e->work != NULL)
            e->work(&seat, e);
        else
            answer(&seat, &e->request, &e->response);
        mailbox_post(p->mailbox, p->done, e);
    }
    seat_release(&seat);
    return NULL;
}

struct pool *
pool_start(struct site *site, struct mailbox *mailbox, void (*done)(void *errand))
{
    const int n = (int)site->config->threads;
    struct pool *p = xcalloc(1, sizeof *p + (size_t)n * sizeof p->threads[0]);

    p->site = site;
    p->mailbox = mailbox;
    p->done = done;
    p->last = &p->first;
    p->n_threads = n;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->more, NULL);
    for (int i = 0; i < n; i++)
        pthread_create(&p->threads[i], NULL, run, p);
    return p;
}

void
pool_stop(struct pool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    for (struct errand *e = p->first, *next; e != NULL; e = next) {
        next = e->next;
        errand_free(e);
    }
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->more);
    free(p);
}

bool
pool_give(struct pool *p, struct errand *e)
{
    pthread_mutex_lock(&p->lock);
    const bool fits = p->n_waiting < MAX_WAITING;
    if (fits) {
        e->next = NULL;
        *p->last = e;
        p->last = &e->next;
        p->n_waiting++;
        pthread_cond_signal(&p->more);
    }
    pthread_mutex_unlock(&p->lock);
    return fits;
}
