#ifndef WORKER_ENGINE_CPU_PHASES_H
#define WORKER_ENGINE_CPU_PHASES_H

#include "worker/engine/cpu/maps.h"

/*
 * Convolutions with 3x3 kernel, padding 1 and stride 2 by phases. In one direction
 *
 *   y[i] = w0 x[2i - 1] + w1 x[2i] + w2 x[2i + 1]
 *
 * is a filter of two taps on the odd pixels, by F(4,2) with the five points 0, +-A, B and
 * infinity (Winograd 1980), plus a product of the even pixels: 9 values for four pixels,
 * of which the even ones share their weight.
 */
#define STRIDED_A 0.75f
#define STRIDED_B 1.5f

enum {
    STRIDED_ODD = 5,
    STRIDED_EVEN = 4,
    STRIDED_TAPS = STRIDED_ODD + STRIDED_EVEN,
    STRIDED_WEIGHTS = STRIDED_ODD + 1
};

/* to[i] = the weights of the phases of n kernels: five of the taps w0, w2 and one of w1;
 * steps from element to element. */
CPU_INLINE void
strided_weights(float *restrict to, int64_t to_step, const float *restrict from,
                int64_t from_step, const int n)
{
    const float a = STRIDED_A, b = STRIDED_B, a2 = a * a;
    const float at_0 = 1.0f / (a2 * b), at_b = 1.0f / (b * (b * b - a2));
    const float at_plus = 0.5f / (a2 * (a - b)), at_minus = -0.5f / (a2 * (a + b));

    for (int l = 0; l < n; l++) {
        const float w0 = from[l], w1 = from[from_step + l];
        const float w2 = from[2 * from_step + l];

        to[l] = at_0 * w0;
        to[to_step + l] = at_plus * (w0 + a * w2);
        to[2 * to_step + l] = at_minus * (w0 - a * w2);
        to[3 * to_step + l] = at_b * (w0 + b * w2);
        to[4 * to_step + l] = w2;
        to[5 * to_step + l] = w1;
    }
}

#endif
