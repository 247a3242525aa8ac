/*
 * world.c - events in the order of their times, the faults of one history, and its end: a
 * time of calm in which every job must come to a state that is final. What happens is
 * decided by one generator alone.
 */
#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/model.h"

enum {
    STORM_MS = 15000, /* longest time of faults */
    CALM_MS = 600000, /* after which everything must have ended */
    LOOK_MS = 500,    /* between two looks if it has */
};

struct world world;

/* ---- chance ----------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t
draw(void)
{
    uint64_t z = (world.random += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int64_t
world_random(int64_t n)
{
    return (int64_t)(draw() % (uint64_t)n);
}

bool
world_fault(int64_t permille)
{
    return !world.calm && world_random(1000) < permille;
}

/* ---- events ----------------------------------------------------------------------- */

void
world_at(int64_t at_ms, enum event_kind kind, int64_t what)
{
    heap_push(&world.events, (struct heap_item){.key = at_ms,
                                                .id = world.n_events++,
                                                .payload = {kind, what}});
}

void
world_wake(int node, int64_t at_ms)
{
    struct node *n = &world.nodes[node];

    if (n->wake_ms > world.now_ms && n->wake_ms <= at_ms)
        return;
    n->wake_ms = at_ms;
    world_at(at_ms, WAKE, node);
}

void
world_violated(const char *fmt, ...)
{
    va_list ap;

    if (world.violation[0] != '\0')
        return;
    va_start(ap, fmt);
    vsnprintf(world.violation, sizeof world.violation, fmt, ap);
    va_end(ap);
    TRACE("VIOLATED %s", world.violation);
}

void
world_trace(const char *fmt, ...)
{
    va_list ap;

    printf("%8.3f %-2s ", (double)world.now_ms / 1000,
           world.running < 0 ? "" : world.nodes[world.running].name);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

/* ---- faults ----------------------------------------------------------------------- */

static bool
is_coordinator(int node)
{
    return node < N_COORDINATORS;
}

static void
kill_node(int node)
{
    if (!world.nodes[node].up)
        return;
    if (is_coordinator(node))
        coordinator_crash(node);
    else
        worker_crash(node - N_COORDINATORS);
    world.nodes[node].wake_ms = 0;
    world_wake(node, world.now_ms + 1 + world_random(8000));
}

static int
any_coordinator(void)
{
    return (int)world_random(world.n_coordinators);
}

static int
any_worker(void)
{
    return (int)world_random(world.n_workers);
}

static void
pause_node(int node)
{
    world.nodes[node].paused_ms = world.now_ms + world_random(9000);
    TRACE("%s is stopped until %d", world.nodes[node].name,
          (int)world.nodes[node].paused_ms);
}

static void
cut_a_link(void)
{
    const int w = any_worker(), c = any_coordinator();
    const int64_t until = world.now_ms + world_random(10000);
    const bool lost = world_random(2) == 0;

    TRACE("link W%d-C%d is cut until %d%s", w, c, (int)until, lost ? ", lossy" : "");
    net_cut(w, c, until, lost);
}

static void
one_fault(void)
{
    switch (world_random(12)) {
    case 0:
    case 1: kill_node(N_COORDINATORS + any_worker()); break;
    case 2:
    case 3: kill_node(any_coordinator()); break;
    case 4: worker_drain(any_worker()); break;
    case 5: pause_node(N_COORDINATORS + any_worker()); break;
    case 6: pause_node(any_coordinator()); break;
    case 7:
    case 8: cut_a_link(); break;
    case 9:
        TRACE("the leader's session is ended");
        model_kill_leader();
        break;
    case 10:
        TRACE("the server is stopped");
        model_stop_server(world.now_ms + world_random(6000));
        break;
    default: model_jump_clock(world_random(40000) - 20000); model_sweep_blobs();
    }
}

/* From now on nothing fails. */
static void
calm_down(void)
{
    TRACE("calm");
    world.calm = true;
    model_stop_server(world.now_ms);
    for (int w = 0; w < world.n_workers; w++)
        for (int c = 0; c < world.n_coordinators; c++)
            net_cut(w, c, 0, false);
    for (int i = 0; i < N_NODES; i++)
        world.nodes[i].paused_ms = 0;
    people_resume();
}

/* ---- a history -------------------------------------------------------------------- */

static void
wake(int node, int64_t at_ms)
{
    struct node *n = &world.nodes[node];

    if (n->wake_ms != at_ms)
        return; /* it has another time by now */
    n->wake_ms = 0;
    if (at_ms < n->paused_ms)
        world_wake(node, n->paused_ms);
    else if (is_coordinator(node))
        coordinator_wake(node);
    else
        worker_wake(node - N_COORDINATORS);
}

static void
happen(const struct heap_item *e)
{
    const int64_t what = e->payload[1];

    world.now_ms = e->key;
    world.running = -1;
    switch ((enum event_kind)e->payload[0]) {
    case WAKE: wake((int)what, e->key); break;
    case PACKET: net_deliver(what); break;
    case TASK:
        if (world.now_ms < world.nodes[what].paused_ms)
            world_at(world.nodes[what].paused_ms, TASK, what);
        else
            coordinator_task((int)what);
        break;
    case FAULT:
        if (!world.calm) {
            one_fault();
            world_at(world.now_ms + 100 + world_random(what), FAULT, what);
        }
        break;
    case PEOPLE:
        if (!world.calm) {
            people_act();
            world_at(world.now_ms + 500 + world_random(8000), PEOPLE, 0);
        }
        break;
    case CALM: calm_down(); break;
    }
}

static void
begin(uint64_t seed, bool trace)
{
    struct heap events = world.events;

    events.n = 0;
    world = (struct world){
        .seed = seed, .random = seed * 0x2545f4914f6cdd1du, .events = events};
    world.trace = trace;
    world.running = -1;
    world.n_coordinators = 1 + (int)world_random(N_COORDINATORS);
    world.n_workers = 1 + (int)world_random(N_WORKERS);
    world.wild = world_random(4) == 0;
    world.limit = world_random(3);
    net_reset();
    model_reset();
    for (int i = 0; i < N_NODES; i++) {
        struct node *n = &world.nodes[i];
        const int number = is_coordinator(i) ? i : i - N_COORDINATORS;
        snprintf(n->name, sizeof n->name, "%c%d", is_coordinator(i) ? 'C' : 'W',
                 number);
        n->clock_ms = 1000 + world_random(1000000);
    }
    for (int w = 0; w < N_WORKERS; w++)
        worker_reset(w);
}

static void
schedule(void)
{
    people_submit();
    for (int c = 0; c < world.n_coordinators; c++)
        world_wake(c, 1 + world_random(100));
    for (int w = 0; w < world.n_workers; w++)
        world_wake(N_COORDINATORS + w, 1 + world_random(3000));
    world_at(world_random(3000), FAULT, 300 + world_random(5000));
    world_at(world_random(8000), PEOPLE, 0);
    world_at(1000 + world_random(STORM_MS), CALM, 0);
}

static void
end(void)
{
    check_end();
    world.calm = true;
    for (int c = 0; c < world.n_coordinators; c++)
        if (world.nodes[c].up)
            coordinator_crash(c);
    for (int w = 0; w < world.n_workers; w++)
        if (world.nodes[N_COORDINATORS + w].up)
            worker_crash(w);
}

bool
world_run(uint64_t seed, bool trace)
{
    int64_t look_ms = 0;

    begin(seed, trace);
    schedule();
    while (world.violation[0] == '\0' && world.events.n > 0
           && world.now_ms < STORM_MS + CALM_MS) {
        const struct heap_item e = heap_pop(&world.events);
        happen(&e);
        if (world.calm && world.now_ms >= look_ms) {
            look_ms = world.now_ms + LOOK_MS;
            if (check_settled())
                break;
        }
    }
    end();
    return world.violation[0] == '\0';
}
