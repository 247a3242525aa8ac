#ifndef WORKER_PIPELINE_MAP_SCORES_H
#define WORKER_PIPELINE_MAP_SCORES_H

#include <stdint.h>

#include "shared/base/err.h"
#include "worker/engine/net.h"

/*
 * The scores of the mask search (methods.md 4.3 (6)): for every unit of every
 * activation D = sum over images of |A_T - A_S|. Plain (C,H,W) arrays, one mask after
 * the other, so that they do not depend on the backend.
 */
struct map_scores;

/* For this net, or another one of its graph and team. */
MUST_CHECK int map_scores_new(struct map_scores **out, const struct net *student,
                              struct err *err);
void map_scores_free(struct map_scores *s);

/* Those of one mask for the first `images` images: of the student's last forward, and of
 * the teacher's, or of the one in which it shows this activation (net_watch). One
 * backend, one graph but for the spelling. */
void map_scores_take(struct map_scores *s, int mask, struct net *student,
                     const struct net *teacher, int64_t images);
/* Adds what was taken of every mask to the scores. */
void map_scores_add(struct map_scores *s);

/* All of them; owned by s. */
float *map_scores_data(struct map_scores *s, int64_t *size);

/* Those of one mask, C*H*W numbers. */
const float *map_scores_at(const struct map_scores *s, int mask, int64_t *size);

#endif
