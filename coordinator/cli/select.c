/* select.c - from words of the command line to a selection of jobs. */
#include "coordinator/cli/select.h"

#include <string.h>

const char *const select_states[] = {
    "any",         "blocked",   "ready",           "leased", "succeeded", "failed",
    "quarantined", "cancelled", "upstream_failed", "held",   NULL,
};

static bool
looks_like_job(const char *word)
{
    const size_t n = strlen(word);

    if (n > 0 && strspn(word, "0123456789") == n)
        return true;
    return n >= 6 && strspn(word, "0123456789abcdef") == n;
}

int
select_jobs(struct db_selection *out, struct db *db, const char *word, const char *job,
            const char *state, struct err *err)
{
    *out = (struct db_selection){
        .state = strcmp(state, "any") == 0 ? "" : state,
        .job = job[0] != '\0' ? job : NULL,
    };
    if (word == NULL)
        return 0;
    if (db_sweep_id(db, word, &out->sweep, err) == 0)
        return 0;
    if (err->kind != ERR_USAGE || out->job != NULL || !looks_like_job(word))
        return -1;
    out->job = word;
    return 0;
}
