/*
 * queue.c - ready jobs by class. Invariant: running[] of a class counts the leases of its
 * jobs, whatever the rules say about it at the time; so new limits hold from the moment
 * at which they are told.
 */
#include "coordinator/dispatch/queue.h"

#include <stdlib.h>

#include "coordinator/dispatch/idmap.h"
#include "shared/base/mem.h"

struct lane {
    struct rules_class rules; /* id 0: class 0, or nothing was told yet */
    bool known;
    int64_t class;
    struct heap ready;
    int64_t running;
};

struct queue {
    struct lane **lanes;
    size_t n_lanes, capacity;
    struct idmap by_class; /* class + 1 -> lane */
    struct rules_limit *limits;
    size_t n_limits;
    size_t n_ready;
    int64_t version;
};

static struct lane *
find_lane(const struct queue *q, int64_t class)
{
    return idmap_find(&q->by_class, class + 1);
}

static struct lane *
get_lane(struct queue *q, int64_t class)
{
    struct lane *l = find_lane(q, class);

    if (l != NULL)
        return l;
    l = xcalloc(1, sizeof *l);
    l->class = class;
    l->known = class == 0;
    idmap_put(&q->by_class, class + 1, l);
    q->lanes = xgrow(q->lanes, &q->capacity, q->n_lanes + 1, sizeof(struct lane *));
    q->lanes[q->n_lanes++] = l;
    return l;
}

struct queue *
queue_new(void)
{
    return xcalloc(1, sizeof(struct queue));
}

void
queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    for (size_t i = 0; i < q->n_lanes; i++) {
        heap_release(&q->lanes[i]->ready);
        free(q->lanes[i]);
    }
    free(q->lanes);
    idmap_release(&q->by_class);
    free(q->limits);
    free(q);
}

void
queue_set_rules(struct queue *q, const struct rules *rules)
{
    for (size_t i = 0; i < rules->n_classes; i++) {
        struct lane *l = get_lane(q, rules->classes[i].id);
        l->rules = rules->classes[i];
        l->known = true;
    }
    free(q->limits);
    q->limits = xcalloc(rules->n_limits + 1, sizeof *q->limits);
    q->n_limits = rules->n_limits;
    for (size_t i = 0; i < rules->n_limits; i++)
        q->limits[i] = rules->limits[i];
    q->version++;
}

void
queue_give_back(struct queue *q, int64_t class, struct heap_item item)
{
    heap_push(&get_lane(q, class)->ready, item);
    q->n_ready++;
}

void
queue_push(struct queue *q, int64_t class, struct heap_item item)
{
    queue_give_back(q, class, item);
    q->version++;
}

static bool
counts_against(const struct rules_class *c, int64_t limit)
{
    for (size_t i = 0; i < c->n_limits; i++)
        if (c->limits[i] == limit)
            return true;
    return false;
}

static bool
limit_is_reached(const struct queue *q, const struct rules_limit *limit)
{
    int64_t running = 0;

    for (size_t i = 0; i < q->n_lanes; i++)
        if (counts_against(&q->lanes[i]->rules, limit->id))
            running += q->lanes[i]->running;
    return running >= limit->most;
}

/* Has a ready job that may run somewhere. A limit that was taken away limits nothing. */
static bool
has_room(const struct queue *q, const struct lane *l)
{
    if (!l->known || l->ready.n == 0)
        return false;
    for (size_t i = 0; l->rules.n_limits > 0 && i < q->n_limits; i++)
        if (counts_against(&l->rules, q->limits[i].id)
            && limit_is_reached(q, &q->limits[i]))
            return false;
    return true;
}

static bool
is_before(const struct heap_item *a, const struct heap_item *b)
{
    return a->key != b->key ? a->key < b->key : a->id < b->id;
}

bool
queue_take(struct queue *q, const struct needs_worker *w, struct heap_item *out,
           int64_t *class)
{
    struct lane *best = NULL;

    for (size_t i = 0; i < q->n_lanes; i++) {
        struct lane *l = q->lanes[i];
        if (has_room(q, l) && needs_missing(&l->rules, w) == NULL
            && (best == NULL || is_before(heap_top(&l->ready), heap_top(&best->ready))))
            best = l;
    }
    if (best == NULL)
        return false;
    *out = heap_pop(&best->ready);
    *class = best->class;
    q->n_ready--;
    return true;
}

bool
queue_may_give(const struct queue *q)
{
    for (size_t i = 0; i < q->n_lanes; i++)
        if (has_room(q, q->lanes[i]))
            return true;
    return false;
}

void
queue_count_running(struct queue *q, int64_t class, int change)
{
    struct lane *l = get_lane(q, class);

    l->running += change;
    if (change < 0 && l->rules.n_limits > 0)
        q->version++;
}

void
queue_forget(struct queue *q, const struct job_span *spans, size_t n)
{
    q->n_ready = 0;
    for (size_t i = 0; i < q->n_lanes; i++) {
        heap_forget(&q->lanes[i]->ready, spans, n);
        q->n_ready += q->lanes[i]->ready.n;
    }
}

void
queue_clear(struct queue *q)
{
    for (size_t i = 0; i < q->n_lanes; i++)
        q->lanes[i]->ready.n = 0;
    q->n_ready = 0;
}

size_t
queue_size(const struct queue *q)
{
    return q->n_ready;
}

int64_t
queue_version(const struct queue *q)
{
    return q->version;
}

const struct rules_class *
queue_class(const struct queue *q, int64_t class)
{
    const struct lane *l = find_lane(q, class);

    return l != NULL && l->known ? &l->rules : NULL;
}
