#ifndef COORDINATOR_DISPATCH_DISPATCHER_IMPL_H
#define COORDINATOR_DISPATCH_DISPATCHER_IMPL_H

#include "coordinator/db/forms.h"
#include "coordinator/db/jobs.h"
#include "coordinator/db/notes.h"
#include "coordinator/db/pg.h"
#include "coordinator/db/requests.h"
#include "coordinator/dispatch/batch.h"
#include "coordinator/dispatch/core.h"
#include "coordinator/dispatch/dispatcher.h"
#include "coordinator/dispatch/idmap.h"
#include "coordinator/dispatch/writer.h"
#include "shared/base/sha256.h"

struct task;

/* What dispatcher.c (the loop), task.c (what the database is asked), inbox.c (messages in)
 * and outbox.c (answers out) share. The members from `pg` to `took` belong to the task
 * that runs, as long as it does. */
struct dispatcher {
    struct dispatcher_config config;

    struct pg *pg;        /* holds the leader lock; NULL while the database is away */
    struct batch sending; /* is being committed */
    struct forms forms;
    struct job_news news;
    struct notes notes; /* the loop's while no task runs, as pg is */
    struct rules rules;
    struct twin_list twins; /* those that the core does not know yet */
    int64_t last_twin;
    struct request_list cancels;
    struct worker_progress *rows;
    size_t n_rows;
    int64_t *asked; /* jobs that TASK_DOUBTS asks about */
    size_t n_asked;
    bool fresh;
    int64_t took_epoch, planned_ms;
    char holder[320];

    struct writer *writer;
    const struct task *task; /* that runs, or NULL */
    bool leads;              /* pg holds the lock */
    int64_t epoch; /* 0 while another coordinator leads, or none was found yet */
    struct core *core;
    struct batch batch; /* what comes in meanwhile */
    struct batch sent;  /* was committed, and nobody was told yet */
    struct idmap
        progress; /* by job: struct worker_progress, what was not written yet */
    struct sha256 catalog; /* digest of the catalogue that was written last */
    struct sha256 heard;   /* of the one that a HELLO brought last */
    json_t *contract;      /* of that one; shared by sessions */
    struct idmap told;     /* jobs that a note has named and that are in news still */
    int64_t *doubtful;     /* jobs of which memory and database differ */
    size_t n_doubtful, doubtful_capacity;
    bool must_sync;   /* the queue in memory has to be read again */
    bool must_look;   /* news have to be read */
    bool must_cancel; /* their requests have to be looked at */
    bool stop, announced, waiting_said;
    int64_t sync_ms, flush_ms, connect_ms, round_ms, beat_ms; /* monotonic */
    int64_t look_ms; /* must_look since then, 0: it was not seen yet */
    int64_t told_ms; /* when to read the news of `told` */
    int64_t connect_wait_ms;
};

/* One round of the loop: everything that can be done without waiting. For the loop and
 * for the simulator, which has time of its own. */
MUST_CHECK int dispatcher_round(struct dispatcher *d, struct err *err);

/* Takes every message that has arrived. */
void inbox_drain(struct dispatcher *d, int64_t now_ms);

/* After the commit of d->sent: tells the core and the workers, and forgets it. */
void outbox_deliver(struct dispatcher *d, int64_t now_ms);

/* Sends to a session's worker; one that cannot be reached has to say HELLO again, and
 * *s is gone then (-1). */
int outbox_send(struct dispatcher *d, struct session *s, const struct msg *m,
                int64_t now_ms);

/* What was sent leaves. */
void outbox_flush(struct dispatcher *d, int64_t now_ms);

/* A heartbeat to everyone who has not heard anything from us lately. */
void outbox_heartbeats(struct dispatcher *d, int64_t now_ms);

/* Asks a session's worker for a run that it was granted. */
void outbox_ask(struct dispatcher *d, int64_t session, struct msg_run run,
                int64_t now_ms);

/* CANCEL for every open request. */
void outbox_cancels(struct dispatcher *d, const struct request_list *list,
                    int64_t now_ms);

/* Begins the most urgent task; the writer must be free. */
void task_begin(struct dispatcher *d, int64_t now_ms);

/* Takes the result of a task that is over. -1: the database is gone (ERR_DB), or we
 * cannot go on. */
MUST_CHECK int task_finish(struct dispatcher *d, int64_t now_ms, struct err *err);

/* Something has come through the connection, which no task has now. */
void task_hear(struct dispatcher *d, int64_t now_ms);

/* The queue is about to be read: nothing may change in memory until it is. */
bool task_holds(const struct dispatcher *d, int64_t now_ms);

#endif
