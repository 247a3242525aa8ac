/* maps.c - elementwise kernels, layouts and pooling over maps.
 *
 * Invariant: lanes beyond the channels stay zero. Loops run over consecutive floats, so
 * that the compiler makes SIMD code of them; there is no other trick. */
#include "worker/engine/cpu/maps.h"

#include <string.h>

CPU_CLONES void
cpu_add(float *restrict y, const float *restrict a, const float *restrict b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

CPU_CLONES void
cpu_copy(float *restrict y, bool accumulate, const float *restrict a, int64_t n)
{
    if (!accumulate) {
        memcpy(y, a, (size_t)n * sizeof(float));
        return;
    }
    for (int64_t i = 0; i < n; i++)
        y[i] += a[i];
}

CPU_CLONES void
cpu_normalize(float *restrict y, const float *restrict x, const float *restrict mean,
              const float *restrict scale, const struct map *m)
{
    for (int64_t nc = 0; nc < m->images * m->c; nc++) {
        const float mu = mean[nc % m->c], s = scale[nc % m->c];
        const float *x_nc = x + nc * m->pixels;
        float *y_nc = y + nc * m->pixels;

        for (int64_t i = 0; i < m->pixels; i++)
            y_nc[i] = (x_nc[i] - mu) * s;
    }
}

CPU_CLONES void
cpu_normalize_grad(float *restrict dx, bool accumulate, const float *restrict dy,
                   const float *restrict scale, const struct map *m)
{
    for (int64_t nc = 0; nc < m->images * m->c; nc++) {
        const float s = scale[nc % m->c], old = accumulate ? 1.0f : 0.0f;
        const float *dy_nc = dy + nc * m->pixels;
        float *dx_nc = dx + nc * m->pixels;

        if (!accumulate)
            memset(dx_nc, 0, (size_t)m->pixels * sizeof(float));
        for (int64_t i = 0; i < m->pixels; i++)
            dx_nc[i] = old * dx_nc[i] + dy_nc[i] * s;
    }
}

const float *
cpu_stored(float **workspace, const struct map_value *x, const struct map *m)
{
    float *made = *workspace;

    if (x->n == 0)
        return x->at;
    cpu_value(made, x, m);
    *workspace += map_size(m);
    return made;
}

/* Plane of block cb of image n in a blocked map. */
static int64_t
block_at(const struct map *m, int64_t n, int64_t cb)
{
    return (n * map_blocks(m) + cb) * m->pixels * m->block;
}

void
cpu_to_blocks(float *y, const float *x, const struct map *m)
{
    memset(y, 0, (size_t)map_size(m) * sizeof(float));
    for (int64_t nc = 0; nc < m->images * m->c; nc++) {
        const int64_t n = nc / m->c, c = nc % m->c;
        const float *x_nc = x + nc * m->pixels;
        float *y_nc = y + block_at(m, n, c / m->block) + c % m->block;

        for (int64_t i = 0; i < m->pixels; i++)
            y_nc[i * m->block] = x_nc[i];
    }
}

void
cpu_from_blocks(float *dx, bool accumulate, const float *dy, const struct map *m)
{
    for (int64_t nc = 0; nc < m->images * m->c; nc++) {
        const int64_t n = nc / m->c, c = nc % m->c;
        const float *dy_nc = dy + block_at(m, n, c / m->block) + c % m->block;
        float *dx_nc = dx + nc * m->pixels;

        for (int64_t i = 0; i < m->pixels; i++)
            dx_nc[i] = (accumulate ? dx_nc[i] : 0.0f) + dy_nc[i * m->block];
    }
}

CPU_INLINE void
pool(float *restrict y, const float *restrict x, const struct map *m, const int block)
{
    const float share = 1.0f / (float)m->pixels;

    for (int64_t p = 0; p < m->images * map_blocks(m); p++) {
        const float *plane = x + p * m->pixels * block;
        float sum[16] = {0};

        for (int64_t i = 0; i < m->pixels; i++)
            for (int l = 0; l < block; l++)
                sum[l] += plane[i * block + l];
        for (int l = 0; l < block; l++)
            y[p * block + l] = sum[l] * share;
    }
}

CPU_CLONES void
cpu_pool(float *y, const float *x, const struct map *m)
{
    if (m->block == 8)
        pool(y, x, m, 8);
    else if (m->block == 16)
        pool(y, x, m, 16);
    else
        pool(y, x, m, 1);
}

CPU_INLINE void
pool_grad(float *restrict dx, bool accumulate, const float *restrict dy,
          const struct map *m, const int block)
{
    const float share = 1.0f / (float)m->pixels;

    for (int64_t p = 0; p < m->images * map_blocks(m); p++) {
        float *plane = dx + p * m->pixels * block;
        float each[16];

        for (int l = 0; l < block; l++)
            each[l] = dy[p * block + l] * share;
        if (!accumulate)
            memset(plane, 0, (size_t)(m->pixels * block) * sizeof(float));
        for (int64_t i = 0; i < m->pixels; i++)
            for (int l = 0; l < block; l++)
                plane[i * block + l] += each[l];
    }
}

CPU_CLONES void
cpu_pool_grad(float *dx, bool accumulate, const float *dy, const struct map *m)
{
    if (m->block == 8)
        pool_grad(dx, accumulate, dy, m, 8);
    else if (m->block == 16)
        pool_grad(dx, accumulate, dy, m, 16);
    else
        pool_grad(dx, accumulate, dy, m, 1);
}
