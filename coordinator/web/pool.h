#ifndef COORDINATOR_WEB_POOL_H
#define COORDINATOR_WEB_POOL_H

#include "coordinator/web/mailbox.h"
#include "coordinator/web/request.h"
#include "coordinator/web/response.h"
#include "coordinator/web/site.h"

struct seat;

/* One request on its way through the pool and back, or another piece of work. */
struct errand {
    struct request request;
    struct response response;
    void *server, *client; /* the loop's; client NULL: gone meanwhile */
    /* In a thread of the pool, then in the loop; NULL: answer(), and the pool's `done` */
    void (*work)(struct seat *seat, struct errand *e);
    void (*done)(struct errand *e);
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
