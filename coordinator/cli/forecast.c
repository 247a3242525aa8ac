/*
 * forecast.c - asks for what eta.c needs, as seldom as will do. Without a catalogue it
 * goes by this sweep's finished jobs alone.
 */
#include "coordinator/cli/forecast.h"

#include <stdlib.h>

#include "coordinator/db/outlook.h"
#include "coordinator/db/timings.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"

enum { ASK_MS = 2000, REST = 20 };

struct forecast {
    const struct catalog *catalog; /* NULL: nobody knows it */
    int64_t sweep, next_ms;
    json_t *outlook, *known;
};

struct forecast *
forecast_new(struct cmd_ctx *ctx, int64_t sweep)
{
    struct forecast *f = xcalloc(1, sizeof *f);
    struct err ignored = {0};

    f->sweep = sweep;
    if (cmd_ctx_catalog(ctx, &f->catalog, &ignored) != 0)
        f->catalog = NULL;
    return f;
}

void
forecast_free(struct forecast *f)
{
    if (f == NULL)
        return;
    json_decref(f->outlook);
    json_decref(f->known);
    free(f);
}

/* Replaces what is known; on failure the old stays. */
static int
ask(struct forecast *f, struct db *db, struct err *err)
{
    json_t *outlook, *timings;

    if (db_outlook(db, f->sweep, &outlook, err) != 0)
        return -1;
    if (db_timings(db, &timings, err) != 0) {
        json_decref(outlook);
        return -1;
    }
    json_decref(f->outlook);
    json_decref(f->known);
    f->outlook = outlook;
    f->known = json_pack("{s:o}", "timings", timings);
    return 0;
}

int
forecast_fill(struct picture *p, struct forecast *f, struct db *db, struct err *err)
{
    const json_t *sweep = json_array_get(json_object_get(p->status, "sweeps"), 0);
    const int64_t now = clock_mono_ms();

    if (now >= f->next_ms) {
        if (ask(f, db, err) != 0)
            return -1;
        const int64_t end = clock_mono_ms();
        f->next_ms = end + ASK_MS + REST * (end - now);
    }
    struct estimate e = {.catalog = f->catalog, .known = f->known};
    p->outlook = f->outlook;
    p->eta = eta_of(f->outlook, json_object_get(sweep, "running"),
                    view_slots(p->status), f->catalog != NULL ? &e : NULL);
    estimate_release(&e);
    return 0;
}
