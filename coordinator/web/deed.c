/*
 * deed.c - the table of what can be done to jobs from the page: buttons, the question
 * before it and the deed itself come from here. Everything is done by the functions that
 * the command line uses.
 */
#include "coordinator/web/deed.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/report/number.h"
#include "shared/base/json.h"

static int
retry(struct db *db, const struct db_selection *sel, const struct request *r,
      int64_t *count, struct err *err)
{
    (void)r;
    return db_retry(db, sel, count, err);
}

static int
cancel(struct db *db, const struct db_selection *sel, const struct request *r,
       int64_t *count, struct err *err)
{
    (void)r;
    return db_cancel(db, sel, false, count, err);
}

static int
pause_jobs(struct db *db, const struct db_selection *sel, const struct request *r,
           int64_t *count, struct err *err)
{
    return db_pause(db, sel, strcmp(request_get(r, "running"), "on") == 0, count, err);
}

static int
resume(struct db *db, const struct db_selection *sel, const struct request *r,
       int64_t *count, struct err *err)
{
    (void)r;
    return db_resume(db, sel, count, err);
}

static int
set_priority(struct db *db, const struct db_selection *sel, const struct request *r,
             int64_t *count, struct err *err)
{
    const char *text = request_get(r, "to");
    char *end;
    const long long to = strtoll(text, &end, 10);

    if (end == text || *end != '\0' || to < -DB_MAX_PRIORITY || to > DB_MAX_PRIORITY)
        return err_set(err, ERR_USAGE, "a priority is a whole number from %d to %d",
                       -DB_MAX_PRIORITY, DB_MAX_PRIORITY);
    return db_priority(db, sel, to, count, err);
}

static void
ask_running(struct buf *out, const json_t *states)
{
    const int64_t n = json_int(states, "leased", 0);

    if (n == 0)
        return;
    buf_puts(out, "<p><label class=\"check\"><input type=\"checkbox\" "
                  "name=\"running\"> also the ");
    number_count(out, n);
    buf_puts(out, " that run: they write a checkpoint and stop</label></p>\n");
}

static void
ask_priority(struct buf *out, const json_t *states)
{
    (void)states;
    buf_printf(out,
               "<p><label>New priority; higher runs earlier, jobs begin with 0 <input "
               "name=\"to\" type=\"number\" min=\"%d\" max=\"%d\" value=\"10\" "
               "required></label></p>\n",
               -DB_MAX_PRIORITY, DB_MAX_PRIORITY);
}

const struct deed deeds[] = {
    {.name = "retry",
     .label = "Retry",
     .effect = "ended badly and will be tried again with fresh budgets, as will what "
               "waits for them",
     .states = {"failed", "quarantined", "cancelled", "upstream_failed"},
     .apply = retry},
    {.name = "pause",
     .label = "Pause",
     .effect = "wait and will be held until they are resumed; jobs that another sweep "
               "wants go on",
     .states = {"blocked", "ready"},
     .ask = ask_running,
     .apply = pause_jobs},
    {.name = "resume",
     .label = "Resume",
     .effect = "are held and will go on",
     .states = {"held"},
     .apply = resume},
    {.name = "priority",
     .label = "Priority",
     .effect = "are not finished and will run earlier or later than others",
     .states = {"blocked", "ready", "leased", "held"},
     .ask = ask_priority,
     .apply = set_priority},
    {.name = "cancel",
     .label = "Cancel",
     .effect = "are not finished and will be cancelled; those that run are asked to "
               "stop and keep a checkpoint, those that another sweep needs go on",
     .is_dangerous = true,
     .states = {"blocked", "ready", "held", "leased"},
     .apply = cancel},
    {.name = NULL},
};

int
deed_find(const struct deed **out, const char *name, struct err *err)
{
    for (*out = deeds; (*out)->name != NULL; (*out)++)
        if (strcmp((*out)->name, name) == 0)
            return 0;
    return err_set(err, ERR_USAGE,
                   "jobs can be retried, paused, resumed, given a priority or "
                   "cancelled");
}

void
deed_links(struct buf *out, const char *query)
{
    for (const struct deed *d = deeds; d->name != NULL; d++)
        buf_printf(out, "<a class=\"button\" href=\"/confirm?action=%s%s\">%s…</a> ",
                   d->name, query, d->label);
}

int64_t
deed_count(const struct deed *d, const json_t *states)
{
    int64_t n = 0;

    for (const char *const *state = d->states; *state != NULL; state++)
        n += json_int(states, *state, 0);
    return n;
}
