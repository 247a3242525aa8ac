/* mailbox.c - a list under a lock and an eventfd that says that it is not empty. */
#include "coordinator/web/mailbox.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "shared/base/mem.h"

struct letter {
    void (*call)(void *arg);
    void *arg;
    struct letter *next;
};

struct mailbox {
    pthread_mutex_t lock;
    struct letter *first, **last;
    int fd;
};

int
mailbox_new(struct mailbox **out, struct err *err)
{
    struct mailbox *m = xcalloc(1, sizeof *m);

    *out = NULL;
    m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->fd < 0) {
        free(m);
        return err_sys(err, "eventfd");
    }
    pthread_mutex_init(&m->lock, NULL);
    m->last = &m->first;
    *out = m;
    return 0;
}

static struct letter *
take_all(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    struct letter *first = m->first;
    m->first = NULL;
    m->last = &m->first;
    pthread_mutex_unlock(&m->lock);
    return first;
}

void
mailbox_free(struct mailbox *m)
{
    if (m == NULL)
        return;
    for (struct letter *l = take_all(m), *next; l != NULL; l = next) {
        next = l->next;
        free(l);
    }
    pthread_mutex_destroy(&m->lock);
    close(m->fd);
    free(m);
}

int
mailbox_fd(const struct mailbox *m)
{
    return m->fd;
}

void
mailbox_post(struct mailbox *m, void (*call)(void *arg), void *arg)
{
    struct letter *l = xcalloc(1, sizeof *l);
    const uint64_t one = 1;

    l->call = call;
    l->arg = arg;
    pthread_mutex_lock(&m->lock);
    *m->last = l;
    m->last = &l->next;
    pthread_mutex_unlock(&m->lock);
    (void)!write(m->fd, &one, sizeof one); /* full means readable already */
}

void
mailbox_deliver(struct mailbox *m)
{
    uint64_t count;

    (void)!read(m->fd, &count, sizeof count);
    for (struct letter *l = take_all(m), *next; l != NULL; l = next) {
        next = l->next;
        l->call(l->arg);
        free(l);
    }
}
