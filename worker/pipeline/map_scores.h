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

/* Adds the first `images` images of both nets' last forwards; one backend, one graph
 * but for the spelling. */
void map_scores_add(struct map_scores *s, struct net *student, struct net *teacher,
                    int64_t images);

/* All of them; owned by s. */
float *map_scores_data(struct map_scores *s, int64_t *size);

/* Those of one mask, C*H*W numbers. */
const float *map_scores_at(const struct map_scores *s, int mask, int64_t *size);

#endif
