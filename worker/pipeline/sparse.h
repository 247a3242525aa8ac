#ifndef WORKER_PIPELINE_SPARSE_H
#define WORKER_PIPELINE_SPARSE_H

#include <stdint.h>

#include "shared/base/err.h"
#include "worker/engine/net.h"

/*
 * Sparse momentum training (Dettmers and Zettlemoyer 2019, as RLNet's repository has it;
 * methods.md 4.2): only a share of all convolution weights is not zero, and where they
 * are moves to the layers whose weights still change. How dense a layer ends says how
 * little it can be pruned.
 */
struct sparse_config {
    double density;   /* share of the weights that are kept */
    double prune;     /* share of a layer's weights that first move */
    int64_t interval; /* steps between moves */
    int64_t steps;    /* of the whole training; the share that moves falls to 0 */
};

struct sparse;

/* Random masks by (seed, RNG_MASK), put on the weights of `n`, which is borrowed. */
MUST_CHECK int sparse_new(struct sparse **out, struct net *n,
                          const struct sparse_config *config, uint64_t seed,
                          struct err *err);
void sparse_free(struct sparse *s);

/* After optimiser step `step` (from 1): moves weights where it is time, and sets those
 * that are pruned to 0. */
void sparse_after_step(struct sparse *s, int64_t step);

/* For checkpoints: everything that later steps depend on, as floats. After it was
 * overwritten, go on as if nothing had happened. */
float *sparse_data(struct sparse *s, int64_t *n);

/* Share of the numbers of a weight that are not 0. */
double sparse_density(const struct net_param *weight);

#endif
