#ifndef WORKER_ENGINE_CPU_MAPS_H
#define WORKER_ENGINE_CPU_MAPS_H

#include "worker/engine/backend_table.h"

/*
 * Kernels over blocked maps that all CPU backends share; the members of struct backend of
 * the same names say what they compute. Written once with the block as a constant (1, 8,
 * 16) and compiled for AVX-512, AVX2 and plain x86-64; the processor chooses at load.
 */
void cpu_norm_stats(double *mean, double *m2, const float *x, const struct map *m);
void cpu_value(float *y, const struct map_value *x, const struct map *m);
/* y = after(y), where y is the (k,p,q) map of a convolution that cannot do it itself. */
void cpu_conv_after(float *y, const struct conv_after *after, const struct map *m);
void cpu_norm_sums(double *dz, double *dzx, const struct norm_maps *maps,
                   const struct norm_pass *p, const struct map *m);
void cpu_norm_grad(struct grad_to dx, struct grad_to dresidual,
                   const struct norm_maps *maps, const struct norm_pull *pull,
                   const struct norm_pass *p, const struct map *m);
void cpu_gain(float *dy, bool accumulate, const struct map_value *y, const float *gain,
              const struct map *m);
void cpu_normalize(float *y, const float *x, const float *mean, const float *scale,
                   const struct map *m);
void cpu_normalize_grad(float *dx, bool accumulate, const float *dy, const float *scale,
                        const struct map *m);
void cpu_to_blocks(float *y, const float *x, const struct map *m);
void cpu_from_blocks(float *dx, bool accumulate, const float *dy, const struct map *m);
void cpu_add(float *y, const float *a, const float *b, int64_t n);
void cpu_copy(float *y, bool accumulate, const float *a, int64_t n);
void cpu_pool(float *y, const float *x, const struct map *m);
void cpu_pool_grad(float *dx, bool accumulate, const float *dy, const struct map *m);

/* Where x is stored, for a kernel that reads stored maps alone: its value is made in
 * *workspace, which then begins behind it. */
const float *cpu_stored(float **workspace, const struct map_value *x,
                        const struct map *m);

/* The members above, as a backend's table starts with them. */
#define CPU_MAP_KERNELS                                                           \
    .norm_stats = cpu_norm_stats, .value = cpu_value, .norm_sums = cpu_norm_sums, \
    .norm_grad = cpu_norm_grad, .gain = cpu_gain, .normalize = cpu_normalize,     \
    .normalize_grad = cpu_normalize_grad, .to_blocks = cpu_to_blocks,             \
    .from_blocks = cpu_from_blocks, .add = cpu_add, .copy = cpu_copy,             \
    .pool = cpu_pool, .pool_grad = cpu_pool_grad

/* For each function that holds a kernel; CPU_CLONES_8: for maps of block 8 alone, whose
 * vectors AVX-512 does not make longer. (ThreadSanitizer is not ready yet when the
 * processor's version is chosen; clang 14 does not know target_clones.) */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) \
    && !defined(__SANITIZE_THREAD__)
#define CPU_CLONES \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define CPU_CLONES_8 __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CPU_CLONES
#define CPU_CLONES_8
#endif
#define CPU_INLINE static inline __attribute__((always_inline))

/* The next multiple, such as the lanes of some channels. */
static inline int64_t
cpu_round_up(int64_t n, int64_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

static inline int64_t
cpu_at_most(int64_t n, int64_t limit)
{
    return n < limit ? n : limit;
}

#endif
