/* view.c - what all live views say in the same words. Pure. */
#include "coordinator/cli/view.h"

#include <inttypes.h>
#include <string.h>

/* In the order in which they are shown. */
static const char *const states[] = {"succeeded",       "leased",      "ready",
                                     "blocked",         "held",        "failed",
                                     "upstream_failed", "quarantined", "cancelled"};
enum { N_STATES = sizeof states / sizeof states[0], FIRST_OPEN = 1, FIRST_BAD = 5 };

static int64_t
count(const json_t *status, const char *state)
{
    const json_t *sweep = json_array_get(json_object_get(status, "sweeps"), 0);

    return json_int(json_object_get(sweep, "jobs"), state, 0);
}

static int64_t
count_from(const json_t *status, int from, int to)
{
    int64_t n = 0;

    for (int i = from; i < to; i++)
        n += count(status, states[i]);
    return n;
}

int64_t
view_open_jobs(const json_t *status)
{
    return count_from(status, FIRST_OPEN, FIRST_BAD);
}

int64_t
view_bad_jobs(const json_t *status)
{
    return count_from(status, FIRST_BAD, N_STATES);
}

int64_t
view_slots(const json_t *status)
{
    const json_t *w;
    int64_t slots = 0;
    size_t i;

    json_array_foreach(json_object_get(status, "workers"), i, w)
    {
        slots += json_int(w, "slots", 0);
    }
    return slots;
}

static const char *
word_of(const char *state)
{
    return strcmp(state, "succeeded") == 0         ? "done"
           : strcmp(state, "leased") == 0          ? "running"
           : strcmp(state, "blocked") == 0         ? "waiting"
           : strcmp(state, "upstream_failed") == 0 ? "without input"
                                                   : state;
}

void
view_put_counts(struct buf *out, const json_t *status)
{
    const int64_t all = count_from(status, 0, N_STATES);
    const char *separator = ": ";

    buf_printf(out, "%" PRId64 " %s", all, all == 1 ? "job" : "jobs");
    for (int i = 0; i < N_STATES; i++) {
        const int64_t n = count(status, states[i]);
        if (n == 0)
            continue;
        buf_printf(out, "%s%" PRId64 " %s", separator, n, word_of(states[i]));
        separator = ", ";
    }
}

const char *
view_trouble(const json_t *status)
{
    if (view_open_jobs(status) == 0)
        return NULL;
    if (!json_is_object(json_object_get(status, "coordinator")))
        return "no coordinator is running";
    if (json_array_size(json_object_get(status, "workers")) == 0)
        return "no worker is connected";
    if (count(status, "held") > 0 && count(status, "held") == view_open_jobs(status))
        return "all that is left is held back (relusweep resume)";
    return NULL;
}
