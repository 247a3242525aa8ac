/* profile.c - a stack of things for each thread, and a table of how long each took.
 *
 * Threads write only what is their own; the tables are put together at the end. It must
 * not know what a net is: a tag's pointers are only compared. */
#include "worker/engine/profile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/mem.h"

enum { DEPTH = 8, FIRST_SLOTS = 512 };

struct thread_profile {
    struct profile_row *rows; /* open addressing; calls 0: free */
    size_t slots, used;       /* slots: a power of two */
    struct profile_tag stack[DEPTH];
    int depth;
    size_t at;     /* row of the top */
    int64_t since; /* ns, when it became the top */
    char apart[64];
};

struct profile {
    int threads;
    struct thread_profile *each;
};

struct profile *profile_now;

/* ---- a table of rows --------------------------------------------------------------- */

static bool
same_tag(const struct profile_tag *a, const struct profile_tag *b)
{
    return a->what == b->what && a->node == b->node && a->pass == b->pass
           && a->mode == b->mode && a->path == b->path;
}

static size_t
hash_tag(const struct profile_tag *t)
{
    uint64_t h = (uint64_t)(uintptr_t)t->node * 31 + (uint64_t)(uintptr_t)t->what;

    h = h * 31 + (uint64_t)t->pass * 64 + (uint64_t)t->mode * 8 + (uint64_t)t->path;
    h *= UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(h >> 32);
}

/* The row of this tag, or the free one where it belongs. */
static size_t
slot_of(const struct thread_profile *t, const struct profile_tag *tag)
{
    size_t i = hash_tag(tag) & (t->slots - 1);

    while (t->rows[i].calls > 0 && !same_tag(&t->rows[i].tag, tag))
        i = (i + 1) & (t->slots - 1);
    return i;
}

static void
grow(struct thread_profile *t)
{
    struct profile_row *old = t->rows;
    const size_t old_slots = t->slots;

    t->slots = old_slots > 0 ? 2 * old_slots : FIRST_SLOTS;
    t->rows = xcalloc(t->slots, sizeof *t->rows);
    for (size_t i = 0; i < old_slots; i++)
        if (old[i].calls > 0)
            t->rows[slot_of(t, &old[i].tag)] = old[i];
    free(old);
}

/* Adds to the row of the tag; returns where it is. */
static size_t
add_row(struct thread_profile *t, const struct profile_row *more)
{
    if (t->used >= t->slots / 2)
        grow(t);
    const size_t i = slot_of(t, &more->tag);
    struct profile_row *row = &t->rows[i];

    t->used += row->calls == 0;
    row->tag = more->tag;
    row->ns += more->ns;
    row->calls += more->calls;
    row->images += more->images;
    return i;
}

/* ---- what threads are at ----------------------------------------------------------- */

/* Ends the time of the thing on top. */
static void
charge(struct thread_profile *t)
{
    const int64_t now = clock_mono_ns();

    t->rows[t->at].ns += now - t->since;
    t->since = now;
}

void
profile_push(int thread, const struct profile_tag *tag, int64_t images)
{
    struct thread_profile *t = &profile_now->each[thread];

    assert(t->depth < DEPTH);
    charge(t);
    t->stack[t->depth++] = *tag;
    t->at = add_row(t, &(struct profile_row){*tag, 0, 1, images});
}

void
profile_pop(int thread)
{
    struct thread_profile *t = &profile_now->each[thread];

    assert(t->depth > 1);
    charge(t);
    t->depth--;
    t->at = slot_of(t, &t->stack[t->depth - 1]);
}

struct profile_tag
profile_top(int thread)
{
    const struct thread_profile *t = &profile_now->each[thread];

    return t->stack[t->depth - 1];
}

/* ---- beginning and end -------------------------------------------------------------- */

void
profile_start(int threads)
{
    struct profile *p = xcalloc(1, sizeof *p);

    assert(profile_now == NULL);
    p->threads = threads;
    p->each = xcalloc((size_t)threads, sizeof *p->each);
    for (int i = 0; i < threads; i++) {
        const struct profile_tag base = {.what = i == 0 ? "the rest" : "waiting"};
        struct thread_profile *t = &p->each[i];

        t->stack[t->depth++] = base;
        t->at = add_row(t, &(struct profile_row){base, 0, 1, 0});
        t->since = clock_mono_ns();
    }
    profile_now = p;
}

static int
by_time(const void *a, const void *b)
{
    const struct profile_row *x = a, *y = b;

    return (x->ns < y->ns) - (x->ns > y->ns);
}

struct profile_row *
profile_stop(size_t *n)
{
    struct profile *p = profile_now;
    struct thread_profile all = {0};

    profile_now = NULL;
    for (int i = 0; i < p->threads; i++) {
        struct thread_profile *t = &p->each[i];

        charge(t);
        for (size_t k = 0; k < t->slots; k++)
            if (t->rows[k].calls > 0)
                add_row(&all, &t->rows[k]);
        free(t->rows);
    }
    free(p->each);
    free(p);
    qsort(all.rows, all.slots, sizeof *all.rows, by_time);
    *n = all.used;
    return all.rows;
}
