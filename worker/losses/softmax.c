/* softmax.c - the normaliser of a softmax; see softmax.h. */
#include "worker/losses/softmax.h"

#include <math.h>

double
softmax_log_sum(const float *z, int64_t k, double temperature)
{
    double top = (double)z[0], sum = 0;

    for (int64_t i = 1; i < k; i++)
        top = (double)z[i] > top ? (double)z[i] : top;
    for (int64_t i = 0; i < k; i++)
        sum += exp(((double)z[i] - top) / temperature);
    return top / temperature + log(sum);
}
