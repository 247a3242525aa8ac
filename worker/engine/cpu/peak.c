/* peak.c - measures the processor's arithmetic and memory: the best of some rounds in
 * which all threads of a team work at once. */
#include "worker/engine/cpu/peak.h"

#include <stdlib.h>

#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "worker/engine/cpu/maps.h"

/* Ten sums hide the latency of a multiply-add and fit into 16 registers beside its
 * other operands. */
enum { SUMS = 10, LANES = 16, TURNS = 100000, ROUNDS = 8 };
enum { ARRAY_FLOATS = 4 << 20 };

struct work {
    float *arrays; /* three for each thread */
    float *sums;   /* LANES for each thread: what keeps the arithmetic alive */
};

#define UNROLL _Pragma("GCC unroll 10")

/* The vector of one AVX-512 register is two of AVX2, whose ten sums would not fit. The
 * sums begin with values of their own: a compiler makes one of those that are equal. */
#define SUM_UP(name, width)                                                \
    typedef float name##_vector __attribute__((vector_size(4 * (width)))); \
    CPU_CLONES static void name(float *out)                                \
    {                                                                      \
        name##_vector sum[SUMS], a = {0}, b = {0};                         \
        for (int i = 0; i < (width); i++)                                  \
            a[i] = 0.999f, b[i] = 1.0f;                                    \
        for (int k = 0; k < SUMS; k++)                                     \
            for (int i = 0; i < (width); i++)                              \
                sum[k][i] = out[i] + (float)k;                             \
        for (int turn = 0; turn < TURNS; turn++)                           \
            UNROLL for (int k = 0; k < SUMS; k++) sum[k] = sum[k] * a + b; \
        for (int i = 0; i < (width); i++)                                  \
            out[i] = 0.0f;                                                 \
        for (int i = 0; i < (width); i++)                                  \
            for (int k = 0; k < SUMS; k++)                                 \
                out[i] += sum[k][i];                                       \
    }
SUM_UP(sum_up_8, 8)
SUM_UP(sum_up_16, 16)

static void
task_8(void *ctx, int64_t task, int thread)
{
    (void)thread;
    sum_up_8(((struct work *)ctx)->sums + task * LANES);
}

static void
task_16(void *ctx, int64_t task, int thread)
{
    (void)thread;
    sum_up_16(((struct work *)ctx)->sums + task * LANES);
}

static void
task_add(void *ctx, int64_t task, int thread)
{
    float *array = ((struct work *)ctx)->arrays + task * 3 * ARRAY_FLOATS;

    (void)thread;
    cpu_add(array, array + ARRAY_FLOATS, array + 2 * ARRAY_FLOATS, ARRAY_FLOATS);
}

/* Seconds of the shortest round with one task for each thread. */
static double
shortest(struct team *team, team_fn *fn, struct work *w)
{
    double best = 0;

    for (int i = 0; i < ROUNDS; i++) {
        const double from = clock_mono_s();
        team_run(team, team_threads(team), fn, w);
        const double took = clock_mono_s() - from;
        best = best == 0 || took < best ? took : best;
    }
    return best;
}

struct cpu_peak
cpu_peak_measure(struct team *team)
{
    const int64_t threads = team_threads(team);
    const size_t bytes = (size_t)threads * 3 * ARRAY_FLOATS * sizeof(float);
    struct work w = {.arrays = mem_large_alloc(bytes),
                     .sums = xcalloc((size_t)threads * LANES, sizeof(float))};
    const double flops = 2.0 * SUMS * TURNS;
    struct cpu_peak peak = {flops * 8 / shortest(team, task_8, &w), 0};
    const double wide = flops * 16 / shortest(team, task_16, &w);

    peak.flops = wide > peak.flops ? wide : peak.flops;
    if (w.arrays != NULL)
        peak.bytes =
            12.0 * ARRAY_FLOATS / shortest(team, task_add, &w); /* two in, one out */
    mem_large_free(w.arrays);
    free(w.sums);
    return peak;
}
