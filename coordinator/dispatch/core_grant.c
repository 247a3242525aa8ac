/*
 * core_grant.c - who gets the next job: the first one in the order of the queue that the
 * worker may have, for the workers in turn. A job that is done twice is passed over while
 * another worker, farther from the first run, may come for it.
 */
#include "coordinator/dispatch/core_impl.h"
#include "shared/base/moment.h"

/* A ready job that may be granted. */
struct candidate {
    struct heap_item item;
    int64_t class;
};

enum { MOST_KEPT = 64 }; /* jobs that a worker passes over for its next one */

/* Who could be given nothing may be given something when the queue has changed or his
 * machine has rested. */
static void
recall(struct core *core, int64_t now_ms)
{
    if (core->aside_version == queue_version(core->ready) && now_ms < core->aside_ms)
        return;
    roster_recall(&core->roster);
    core->aside_version = queue_version(core->ready);
    core->aside_ms = INT64_MAX;
}

/* The worker with credit that was served least lately, of those that may find a job. */
static struct session *
next_worker(struct core *core, int64_t now_ms)
{
    struct session *s;

    while ((s = roster_next_turn(&core->roster)) != NULL) {
        const int64_t rest_ms = rests_until(&core->rests, s->host, now_ms);
        if (rest_ms == 0 && s->idle_version != queue_version(core->ready))
            return s;
        if (rest_ms > 0)
            core->aside_ms = moment_earlier(core->aside_ms, rest_ms);
        roster_put_aside(&core->roster, s);
    }
    return NULL;
}

static void
grant_to(struct core *core, struct session *s, const struct candidate *c,
         int64_t now_ms)
{
    const struct msg_run run = {.job = c->item.id, .attempt = c->item.payload[0] + 1};
    struct lease *l = core_open_lease(core, run, c->class);

    l->busy = l->unsent = true;
    l->bare = run.attempt == 1;
    l->unbound = true; /* until it is known what it is (core_bind) */
    l->ask_ms = now_ms + core->config.lease_ms;
    core_assign(core, l, s);
    s->offered--;
    s->served = ++core->grants;
    twins_run(&core->twins, l->run.job, s);
    core_add_action(core, CORE_LEASE, l->run)->session = s->id;
}

/* Is there a worker that is farther from the job's twin, and could do it? */
static bool
has_better(const struct core *core, int64_t job, int64_t class,
           enum twins_distance than, int64_t now_ms)
{
    const struct rules_class *c = queue_class(core->ready, class);
    const struct session *s;

    for (size_t at = 0; (s = idmap_next(&core->roster.by_id, &at)) != NULL;)
        if (s->worker != 0 && twins_distance(&core->twins, job, s) > than
            && rests_until(&core->rests, s->host, now_ms) == 0
            && (c == NULL || needs_missing(c, &s->has) == NULL))
            return true;
    return false;
}

/* Does the job wait for another worker than s, so that it is not done twice in one place?
 * Not for ever. */
static bool
is_for_another(struct core *core, const struct session *s, const struct candidate *c,
               int64_t now_ms)
{
    const int64_t job = c->item.id;
    const enum twins_distance distance = twins_distance(&core->twins, job, s);

    if (distance == TWINS_APART || !has_better(core, job, c->class, distance, now_ms))
        return false;
    const int64_t until_ms = twins_until(&core->twins, job, now_ms);
    if (now_ms < until_ms)
        core->aside_ms = moment_earlier(core->aside_ms, until_ms);
    return now_ms < until_ms;
}

/* The next job for s. False: none, and it waits until that may have changed. */
static bool
take(struct core *core, struct session *s, struct candidate *out, int64_t now_ms)
{
    struct candidate kept[MOST_KEPT];
    bool found = false;
    size_t n = 0;

    while (n < MOST_KEPT && queue_take(core->ready, &s->has, &out->item, &out->class)) {
        found = !is_for_another(core, s, out, now_ms);
        if (found)
            break;
        kept[n++] = *out;
    }
    for (size_t i = 0; i < n; i++)
        queue_give_back(core->ready, kept[i].class, kept[i].item);
    if (found)
        return true;
    if (n == 0)
        s->idle_version = queue_version(core->ready); /* nothing that it can do */
    roster_put_aside(&core->roster, s);
    return false;
}

void
core_grant(struct core *core, int64_t now_ms)
{
    struct candidate c;
    struct session *s;

    recall(core, now_ms);
    while (queue_may_give(core->ready) && (s = next_worker(core, now_ms)) != NULL) {
        if (!take(core, s, &c, now_ms))
            continue;
        if (idmap_find(&core->leases, c.item.id) == NULL)
            grant_to(core, s, &c, now_ms);
        /* else: ready again in a commit that is still on its way */
        roster_offer(&core->roster, s);
    }
}
