#ifndef COORDINATOR_DISPATCH_QUEUE_H
#define COORDINATOR_DISPATCH_QUEUE_H

#include "coordinator/dispatch/heap.h"
#include "coordinator/dispatch/needs.h"

/*
 * Ready jobs, those of each class in a heap of their own, and how many jobs of each
 * class run: the next job for a worker is the first of all classes whose limits have
 * room and whose needs the worker meets. Pure. Taking costs a look at each class, of
 * which there are few.
 */
struct queue;

struct queue *queue_new(void);
void queue_free(struct queue *q);

/* New rules; jobs stay where they are. Classes that nobody has told about give no job
 * until they are told about; class 0 is always known. */
void queue_set_rules(struct queue *q, const struct rules *rules);

void queue_push(struct queue *q, int64_t class, struct heap_item item);

/* Removes the next job for this worker and gives its class. False: there is none. */
bool queue_take(struct queue *q, const struct needs_worker *w, struct heap_item *out,
                int64_t *class);

/* Gives back what was taken for a worker that shall not have it: nothing has changed. */
void queue_give_back(struct queue *q, int64_t class, struct heap_item item);

/* Might any worker get a job now? */
bool queue_may_give(const struct queue *q);

/* One job of the class more (1) or less (-1) runs. */
void queue_count_running(struct queue *q, int64_t class, int change);

/* Forgets the ready jobs of these spans, as heap_forget. */
void queue_forget(struct queue *q, const struct job_span *spans, size_t n);

/* Forgets the ready jobs, not what runs. */
void queue_clear(struct queue *q);

/* Number of ready jobs. */
size_t queue_size(const struct queue *q);

/* Grows with whatever may let a worker have a job that could not before. */
int64_t queue_version(const struct queue *q);

/* What was told about a class; NULL: nothing. Borrowed until the next rules. */
const struct rules_class *queue_class(const struct queue *q, int64_t class);

#endif
