#ifndef WORKER_MODELS_INIT_H
#define WORKER_MODELS_INIT_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/engine/net.h"

/*
 * Random start of every network here (methods.md 1.1, 1.2): convolutions normal with
 * std sqrt(2 / (k*k*Cout)) (He et al. 2015, fan-out), batch norm 1 and 0, running
 * statistics 0 and 1, linear layer uniform in +-1/sqrt(Cin) as PyTorch does it.
 * linear_bias: false starts its bias at 0 (WRN).
 *
 * Every tensor has its own stream, named by (seed, RNG_INIT, hash of its name), so a
 * layer's start does not depend on what stands before it in the network.
 */
void init_params(struct net *n, uint64_t seed, bool linear_bias);

#endif
