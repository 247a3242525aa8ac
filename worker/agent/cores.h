#ifndef WORKER_AGENT_CORES_H
#define WORKER_AGENT_CORES_H

#include <stdint.h>

#include "shared/base/err.h"

/*
 * How many jobs the other workers of this machine run, so that all of them together
 * share its cores. A running job is a locked file in a folder that these workers have in
 * common; the kernel drops the locks of a worker that dies. Workers that may run on
 * different cores do not count each other.
 */
struct cores;

/* dir: the folder; "" for `relusweep-cores` in XDG_RUNTIME_DIR, or else one of this user
 * in /tmp. ERR_REFUSED where that belongs to somebody else. */
MUST_CHECK int cores_open(struct cores **out, const char *dir, struct err *err);
void cores_close(struct cores *c); /* gives up all claims; NULL is fine */

/* From now on this worker runs n jobs. Returns how many the others run; that is looked
 * up at most twice a second. Where the folder cannot be used, 0. */
int64_t cores_claim(struct cores *c, int64_t n, int64_t now_ms);

/* How many threads the i-th of n jobs here gets, others running beside them. */
int64_t cores_threads(int64_t cores, int64_t i, int64_t n, int64_t others);

/* How many jobs there should be here at once, of at most `slots`: all of them while this
 * worker is alone, else as many as leave a core to each other job, but at least one. */
int64_t cores_slots(int64_t cores, int64_t slots, int64_t others);

#endif
