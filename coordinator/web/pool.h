#ifndef COORDINATOR_WEB_POOL_H
#define COORDINATOR_WEB_POOL_H

#include "coordinator/web/mailbox.h"
#include "coordinator/web/request.h"
#include "coordinator/web/response.h"
#include "coordinator/web/site.h"

/* One request on its way through the pool and back. */
struct errand {
    struct request request;
    struct response response;
    void *client; /* the loop's; NULL: gone meanwhile */
    struct errand *next;
};

/* Threads that make answers, each with its own connection to the database, so that a
 * slow page holds up neither the loop nor the other pages. */
struct pool;

/* done: called in the loop, through the mailbox, with each finished errand. */
struct pool *pool_start(struct site *site, struct mailbox *mailbox,
                        void (*done)(void *errand));
void pool_stop(struct pool *p); /* accepts NULL; errands that are left are freed */

/* Takes the errand; false when too many wait already. */
bool pool_give(struct pool *p, struct errand *e);

void errand_free(struct errand *e);

#endif
