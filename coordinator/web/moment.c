/* moment.c - the way from a page to the memory of jobs and cells. */
#include "coordinator/web/moment.h"

int
moment_sweep(const struct moment *at, int64_t sweep, json_t **texts,
             struct mirror_sweep **out, struct err *err)
{
    if (db_web_sweep_texts(at->db, sweep, texts, err) != 0)
        return -1;
    if (mirror_take(at->mirror, at->db, at->name, err) == 0) {
        const int64_t revision = json_int(*texts, "revision", 0);
        if (mirror_sweep(at->mirror, at->db, sweep, revision, out, err) == 0)
            return 0;
        mirror_done(at->mirror);
    }
    json_decref(*texts);
    *texts = NULL;
    return -1;
}
