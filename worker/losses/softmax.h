#ifndef WORKER_LOSSES_SOFTMAX_H
#define WORKER_LOSSES_SOFTMAX_H

#include <stdint.h>

/* log sum_k exp(z_k / T) of k logits, in double and without overflow, so that
 * log softmax(z/T)_i = z_i / T - softmax_log_sum(z, k, T). NaN where a logit is. */
double softmax_log_sum(const float *z, int64_t k, double temperature);

#endif
