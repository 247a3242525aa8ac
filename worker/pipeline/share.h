#ifndef WORKER_PIPELINE_SHARE_H
#define WORKER_PIPELINE_SHARE_H

#include "worker/engine/team.h"

/*
 * The share of the machine's cores that the agent grants to this stage, as jobs come and
 * go: DIR/threads, one 32-bit number in the machine's byte order, mapped and read at
 * every round of the team. Without the file all threads of the team work.
 */
struct share {
    void *word; /* NULL: no file */
};

void share_follow(struct share *s, const char *dir, struct team *team);
void share_release(struct share *s);

#endif
