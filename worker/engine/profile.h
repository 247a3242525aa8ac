#ifndef WORKER_ENGINE_PROFILE_H
#define WORKER_ENGINE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where time goes, for `relusweep-worker bench --profile`. Each thread is always at
 * exactly one thing: entering another one charges what has passed to the one before, so
 * the rows of a thread add up to the time between start and stop. Off, each call is one
 * comparison with NULL.
 *
 *   profile_enter(thread, &tag, images);
 *   ... what the tag says; may enter other things and leave them ...
 *   profile_leave(thread);
 *
 * There is one profile in a process, and one team. A thread of the team that joins a
 * round takes over what the caller of team_run was at.
 */
enum profile_pass {
    PROFILE_OTHER,    /* nothing of a net: `what` says it */
    PROFILE_PREPARE,  /* weights into packed form */
    PROFILE_FORWARD,  /* values */
    PROFILE_BACKWARD, /* gradients of inputs */
    PROFILE_PARAMS,   /* gradients of parameters */
    PROFILE_PASSES,
};

struct graph_node;

/* Things are the same if all members are. */
struct profile_tag {
    const char *what;              /* "loss", a literal; NULL for a node of a net */
    const struct graph_node *node; /* of the net's own graph; NULL outside of nets */
    enum profile_pass pass;
    int mode, path; /* of the net's pass: enum net_mode, batch norm path */
};

struct profile_row {
    struct profile_tag tag;
    int64_t ns;     /* of all threads together */
    int64_t calls;  /* how often it was entered */
    int64_t images; /* told at entering */
};

struct profile;
extern struct profile *profile_now; /* NULL: off */

/* From now on all threads in [0, threads) are measured, idle ones as "waiting". */
void profile_start(int threads);
/* Ends the measurement: the rows of all threads together, longest first. Caller frees. */
struct profile_row *profile_stop(size_t *n);

struct net;

/* What a row of this net computed, as if by the definition: for rates and bounds. */
struct profile_work {
    const char *op, *layer; /* "conv", "layer1.0.conv1"; "" where it has no name */
    double flops;           /* 2 for each multiply-add of convolutions and classifier */
    double bytes; /* that cross memory at least: maps in and out, twice where the whole
                     batch is needed first */
};

/* false: the row is not this net's. */
bool profile_work(struct profile_work *out, const struct net *n,
                  const struct profile_row *row);

/* These three through the functions below. */
void profile_push(int thread, const struct profile_tag *tag, int64_t images);
void profile_pop(int thread);
struct profile_tag profile_top(int thread);

static inline void
profile_enter(int thread, const struct profile_tag *tag, int64_t images)
{
    if (profile_now != NULL)
        profile_push(thread, tag, images);
}

static inline void
profile_leave(int thread)
{
    if (profile_now != NULL)
        profile_pop(thread);
}

/* What this thread is at; only asked by that thread. */
static inline struct profile_tag
profile_at(int thread)
{
    return profile_now != NULL ? profile_top(thread) : (struct profile_tag){0};
}

#endif
