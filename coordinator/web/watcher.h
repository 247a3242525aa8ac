#ifndef COORDINATOR_WEB_WATCHER_H
#define COORDINATOR_WEB_WATCHER_H

#include "coordinator/web/mailbox.h"
#include "coordinator/web/site.h"

/*
 * The thread that looks for changes, once for all clients together and only while there
 * are some. A look asks which transactions are visible; what changed is asked only when
 * that is not what it was, and never takes more than a fifth of the thread's time.
 */
struct watcher;

/* Something has changed: called in the loop through the mailbox. Frees *n. */
struct news {
    int64_t number;
    char *
        data; /* JSON: of db_web_changes, and "lost": true while there is no database */
    void *arg;
};
typedef void watcher_call(void *news);

struct watcher *watcher_start(struct site *site, struct mailbox *mailbox,
                              watcher_call *call, void *arg);
void watcher_stop(struct watcher *w); /* accepts NULL */

/* A first client has come: look at once. */
void watcher_wake(struct watcher *w);

#endif
