#ifndef WORKER_PIPELINE_VIEWS_H
#define WORKER_PIPELINE_VIEWS_H

#include <stdint.h>

#include "worker/losses/loss.h"

/*
 * Which images of a batch make which view, and on which batch norm a view runs
 * (methods.md 1.5, 4): with one path every image is in every view; with two the first
 * half is clean and augmented, the rest adversarial; with three each third is one view.
 */
struct views_part {
    int64_t first, n; /* images of the batch */
};

/* Halves and thirds are rounded down; what is left over is adversarial. */
void views_split(struct views_part part[LOSS_N_VIEWS], int64_t n, int bn_paths);

/* Images of the largest part of any batch of at most n: what a network must have room
 * for. */
int64_t views_room(int64_t n, int bn_paths);

/* Images from the first of the batch that must have an augmented view. */
int64_t views_augmented(int64_t n, int bn_paths);

/* BN_c for clean; BN_c, or BN_r where there are three, for augmented; BN_a for
 * adversarial. 0 where there is one. */
int views_path(enum loss_view_id view, int bn_paths);

/* Batch norm paths of a network, by its parameters' names. */
int views_count_paths(struct net *n);

#endif
