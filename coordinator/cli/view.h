#ifndef COORDINATOR_CLI_VIEW_H
#define COORDINATOR_CLI_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/cli/eta.h"
#include "shared/base/json.h"

/* A sweep at one moment, borrowed. */
struct picture {
    const json_t *status;  /* db_status of one sweep */
    const json_t *outlook; /* db_outlook, some seconds older; NULL: not yet */
    struct eta eta;
};

/*
 * A way to show a sweep while it runs; implementations embed this as their first member.
 * Made by progress_new (lines) or fullscreen_new.
 */
struct view {
    /* The newest picture; called as often as there is one, the view limits itself. */
    void (*show)(struct view *v, const struct picture *now);
    /* Something that a person should know now, such as a database that went away. */
    void (*say)(struct view *v, const char *text);
    /* Passes the time until the next look; a signal cuts it short. True: the person
     * wants to leave. */
    bool (*wait)(struct view *v, int64_t ms);
    /* Leaves the terminal as it was found and frees. */
    void (*end)(struct view *v);
};

/* Jobs of the status (its first sweep) in none of the final states. */
int64_t view_open_jobs(const json_t *status);

/* Jobs that ended otherwise than succeeded. */
int64_t view_bad_jobs(const json_t *status);

/* Jobs that the connected workers can do at once. */
int64_t view_slots(const json_t *status);

/* "20 jobs: 5 done, 2 running, 13 waiting" */
void view_put_counts(struct buf *out, const json_t *status);

/* Why nothing moves although jobs are open: no coordinator, no worker, a person
 * who paused it; else NULL. */
const char *view_trouble(const json_t *status);

#endif
