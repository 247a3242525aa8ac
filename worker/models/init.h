#ifndef WORKER_MODELS_INIT_H
#define WORKER_MODELS_INIT_H

#include <stdint.h>

#include "worker/engine/net.h"

/*
 * Random start of every network here (methods.md 1.1-1.3): convolutions normal with
 * std sqrt(2 / (k*k*Cout)) (He et al. 2015, fan-out), batch norm 1 and 0, running
 * statistics 0 and 1, linear layer uniform in +-1/sqrt(Cin) as PyTorch does it. Which
 * of the variants a network takes is a sum of enum init_choice.
 *
 * Every tensor has its own stream, named by (seed, RNG_INIT, hash of its name), so a
 * layer's start does not depend on what stands before it in the network.
 */
enum init_choice {
    INIT_ZERO_BIAS = 1, /* the linear layer's bias starts at 0 (WRN) */
    INIT_FAN_IN =
        2, /* convolutions and the linear weight normal with std sqrt(2/fan_in)
                        (SNL's ResNet) */
};

void init_params(struct net *n, uint64_t seed, unsigned choices);

#endif
