/* norm.c - kernels of batch normalisation, residual and masked ReLU.
 *
 * A plane is one block of channels of one image: pixels * block consecutive floats, the
 * channel changing fastest. Elementwise kernels work through a plane in tiles that stay
 * in the first-level cache, one simple loop for each step of the formula; sums are kept
 * in LANES floats for a plane and in double beyond it.
 *
 * Invariant: comparisons are written so that NaN goes through and is seen by the loss. */
#include <string.h>

#include "worker/engine/cpu/maps.h"

enum { LANES = 32, TILE = 512, MAX_BLOCK = 16 };

/* low > z ? low : z: z where it is NaN. */
#define AT_LEAST(low, z) ((low) > (z) ? (low) : (z))

/* sum[l] += the floats of lane l */
CPU_INLINE void
add_lanes(double *sum, const float *lanes, const int block)
{
    for (int l = 0; l < block; l++) {
        double of_lane = 0.0;

        for (int i = l; i < LANES; i += block)
            of_lane += (double)lanes[i];
        sum[l] += of_lane;
    }
}

CPU_INLINE void
plane_sum(double *sum, const float *restrict x, int64_t n, const int block)
{
    float lanes[LANES] = {0};
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lanes[l] += x[i + l];
    for (int l = 0; i + l < n; l++)
        lanes[l] += x[i + l];
    add_lanes(sum, lanes, block);
}

/* mean: LANES floats, repeated for each lane of the block. */
CPU_INLINE void
plane_squares(double *sum, const float *restrict x, const float *restrict mean,
              int64_t n, const int block)
{
    float lanes[LANES] = {0};
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            const float d = x[i + l] - mean[l];
            lanes[l] += d * d;
        }
    for (int l = 0; i + l < n; l++) {
        const float d = x[i + l] - mean[l];
        lanes[l] += d * d;
    }
    add_lanes(sum, lanes, block);
}

CPU_INLINE void
repeat(float *lanes, const float *block_of_values, const int block)
{
    for (int l = 0; l < LANES; l++)
        lanes[l] = block_of_values[l % block];
}

/* One block of channels: first the mean over the slice, then the squares about it, both
 * from cache after the first look. */
CPU_INLINE void
block_stats(double *mean, double *m2, const float *x, const struct map *m,
            const int block)
{
    const int64_t n = m->pixels * block, stride = map_blocks(m) * n;
    double sum[MAX_BLOCK] = {0}, squares[MAX_BLOCK] = {0};
    float centre[MAX_BLOCK], lanes[LANES];

    for (int64_t image = 0; image < m->images; image++)
        plane_sum(sum, x + image * stride, n, block);
    for (int l = 0; l < block; l++)
        centre[l] = (float)(sum[l] / (double)(m->images * m->pixels));
    repeat(lanes, centre, block);
    for (int64_t image = 0; image < m->images; image++)
        plane_squares(squares, x + image * stride, lanes, n, block);
    for (int l = 0; l < block; l++) {
        mean[l] = sum[l] / (double)(m->images * m->pixels);
        m2[l] = squares[l];
    }
}

CPU_INLINE void
norm_stats(double *mean, double *m2, const float *x, const struct map *m,
           const int block)
{
    for (int64_t cb = 0; cb < map_blocks(m); cb++)
        block_stats(mean + cb * block, m2 + cb * block, x + cb * m->pixels * block, m,
                    block);
}

CPU_CLONES void
cpu_norm_stats(double *mean, double *m2, const float *x, const struct map *m)
{
    if (m->block == 8)
        norm_stats(mean, m2, x, m, 8);
    else if (m->block == 16)
        norm_stats(mean, m2, x, m, 16);
    else
        norm_stats(mean, m2, x, m, 1);
}

/* y = (x - mean) * scale + shift, per lane. */
CPU_INLINE void
affine(float *restrict y, const float *restrict x, const float *restrict mean,
       const float *restrict scale, const float *restrict shift, int64_t n,
       const int block)
{
    for (int64_t i = 0; i < n; i += block)
        for (int l = 0; l < block; l++)
            y[i + l] = (x[i + l] - mean[l]) * scale[l] + shift[l];
}

CPU_INLINE void
activate(float *restrict y, enum norm_act act, const float *restrict low, int64_t n)
{
    if (act == NORM_RELU)
        for (int64_t i = 0; i < n; i++)
            y[i] = AT_LEAST(0.0f, y[i]);
    else if (act == NORM_MASKED)
        for (int64_t i = 0; i < n; i++)
            y[i] = AT_LEAST(low[i], y[i]);
}

/* dy where y > low, else 0: in `dz`, or dy itself where all goes through */
CPU_INLINE const float *
activate_grad(float *restrict dz, const float *restrict dy, const float *restrict y,
              enum norm_act act, const float *restrict low, int64_t n)
{
    if (act == NORM_LINEAR)
        return dy;
    if (act == NORM_RELU)
        for (int64_t i = 0; i < n; i++)
            dz[i] = y[i] > 0.0f ? dy[i] : 0.0f;
    else
        for (int64_t i = 0; i < n; i++)
            dz[i] = y[i] > low[i] ? dy[i] : 0.0f;
    return dz;
}

CPU_INLINE void
add_to(float *restrict y, const float *restrict a, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += a[i];
}

CPU_INLINE void
store(float *restrict y, bool accumulate, const float *restrict a, int64_t n)
{
    if (accumulate)
        add_to(y, a, n);
    else
        memcpy(y, a, (size_t)n * sizeof(float));
}

/* A tile of a plane: where it starts in the map and in one image, its first channel. */
struct tile {
    int64_t at, in_image, channel, n;
};

/* Walks the tiles of a slice in order; false at the end. Start with {0}. */
CPU_INLINE bool
next_tile(struct tile *t, const struct map *m, const int block)
{
    const int64_t plane = m->pixels * block, image = map_blocks(m) * plane;
    const int64_t at = t->at + t->n;

    if (at == m->images * image)
        return false;
    const int64_t left = plane - at % plane;
    *t = (struct tile){.at = at,
                       .in_image = at % image,
                       .channel = at % image / plane * block,
                       .n = left < TILE ? left : TILE};
    return true;
}

/* Of one tile: v_i where v_{i-1}, or NULL, is given; see map_value. */
CPU_INLINE void
tile_term(float *restrict y, const struct map_term *term, const float *residual,
          const struct tile *t, const int block)
{
    const struct norm_pass *p = term->norm;

    affine(y, term->x + t->at, p->mean + t->channel, p->scale + t->channel,
           p->shift + t->channel, t->n, block);
    if (residual != NULL)
        add_to(y, residual, t->n);
    activate(y, p->act, p->low + t->in_image, t->n);
}

/* The value in a tile, in `to` or `other` or where it is stored. */
CPU_INLINE const float *
tile_value(float *restrict to, float *restrict other, const struct map_value *v,
           const struct tile *t, const int block)
{
    const float *last = v->at != NULL ? v->at + t->at : NULL;

    for (int i = 0; i < v->n; i++) {
        float *next = i % 2 == 0 ? to : other;

        tile_term(next, &v->terms[i], last, t, block);
        last = next;
    }
    return last;
}

CPU_INLINE void
value(float *y, const struct map_value *x, const struct map *m, const int block)
{
    float to[TILE], other[TILE];
    struct map_value before = *x;

    if (x->n > 0)
        before.n--;
    for (struct tile t = {0}; next_tile(&t, m, block);) {
        const float *last = tile_value(to, other, &before, &t, block);

        if (x->n > 0)
            tile_term(y + t.at, &x->terms[x->n - 1], last, &t, block);
        else
            memcpy(y + t.at, last, (size_t)t.n * sizeof(float));
    }
}

CPU_CLONES void
cpu_value(float *y, const struct map_value *x, const struct map *m)
{
    if (m->block == 8)
        value(y, x, m, 8);
    else if (m->block == 16)
        value(y, x, m, 16);
    else
        value(y, x, m, 1);
}

/* y = y * scale + shift */
CPU_INLINE void
scale_in_place(float *y, const float *restrict scale, const float *restrict shift,
               int64_t n, const int block)
{
    for (int64_t i = 0; i < n; i += block)
        for (int l = 0; l < block; l++)
            y[i + l] = y[i + l] * scale[l] + shift[l];
}

CPU_INLINE void
conv_after(float *y, const struct conv_after *after, const struct map *m,
           const int block)
{
    for (struct tile t = {0}; next_tile(&t, m, block);) {
        scale_in_place(y + t.at, after->scale + t.channel, after->shift + t.channel,
                       t.n, block);
        if (after->residual != NULL)
            add_to(y + t.at, after->residual + t.at, t.n);
        activate(y + t.at, after->act, after->low + t.in_image, t.n);
    }
}

CPU_CLONES void
cpu_conv_after(float *y, const struct conv_after *after, const struct map *m)
{
    if (m->block == 8)
        conv_after(y, after, m, 8);
    else if (m->block == 16)
        conv_after(y, after, m, 16);
    else
        conv_after(y, after, m, 1);
}

/* dy where the activation let it through, else 0 */
CPU_INLINE float
gate(float dy, float y, float low, const enum norm_act act)
{
    if (act == NORM_LINEAR)
        return dy;
    return y > (act == NORM_RELU ? 0.0f : low) ? dy : 0.0f;
}

/* A tile of the maps of a backward pass. */
struct grad_tile {
    const float *dy, *y, *x, *low;
    int64_t n;
};

/* lanes a += dz, b += dz * (x - mean) for n floats from i on */
CPU_INLINE void
lane_sums(float *a, float *b, const struct grad_tile *t, int64_t i, const float *mean,
          const enum norm_act act, const int n)
{
    for (int l = 0; l < n; l++) {
        const float low = act == NORM_MASKED ? t->low[i + l] : 0.0f;
        const float y = act == NORM_LINEAR ? 0.0f : t->y[i + l];
        const float dz = gate(t->dy[i + l], y, low, act);

        a[l] += dz;
        b[l] += dz * (t->x[i + l] - mean[l]);
    }
}

CPU_INLINE void
tile_sums(float *a, float *b, const struct grad_tile *t, const float *mean,
          const enum norm_act act)
{
    int64_t i = 0;

    for (; i + LANES <= t->n; i += LANES)
        lane_sums(a, b, t, i, mean, act, LANES);
    lane_sums(a, b, t, i, mean, act, (int)(t->n - i));
}

CPU_INLINE void
any_tile_sums(float *a, float *b, const struct grad_tile *t, const float *mean,
              enum norm_act act)
{
    if (act == NORM_LINEAR)
        tile_sums(a, b, t, mean, NORM_LINEAR);
    else if (act == NORM_RELU)
        tile_sums(a, b, t, mean, NORM_RELU);
    else
        tile_sums(a, b, t, mean, NORM_MASKED);
}

/* y where the gradient asks for it, else NULL. */
CPU_INLINE const float *
tile_gate(float *restrict to, float *restrict other, const struct norm_maps *maps,
          const struct norm_pass *p, const struct tile *t, const int block)
{
    return p->act == NORM_LINEAR ? NULL : tile_value(to, other, &maps->y, t, block);
}

/* Lanes are added up for a plane, and then in double. */
CPU_INLINE void
norm_sums(double *dz_sum, double *dzx_sum, const struct norm_maps *maps,
          const struct norm_pass *p, const struct map *m, const int block)
{
    const int64_t plane = m->pixels * block, blocks = map_blocks(m);
    float to[TILE], other[TILE], mean[LANES], a[LANES] = {0}, b[LANES] = {0};

    memset(dz_sum, 0, (size_t)(blocks * block) * sizeof(double));
    memset(dzx_sum, 0, (size_t)(blocks * block) * sizeof(double));
    for (struct tile t = {0}; next_tile(&t, m, block);) {
        const struct grad_tile at = {.dy = maps->dy + t.at,
                                     .y = tile_gate(to, other, maps, p, &t, block),
                                     .x = maps->x + t.at,
                                     .low = p->low + t.in_image,
                                     .n = t.n};

        repeat(mean, p->mean + t.channel, block);
        any_tile_sums(a, b, &at, mean, p->act);
        if ((t.at + t.n) % plane == 0) {
            add_lanes(dz_sum + t.channel, a, block);
            add_lanes(dzx_sum + t.channel, b, block);
            memset(a, 0, sizeof(a));
            memset(b, 0, sizeof(b));
        }
    }
}

CPU_CLONES void
cpu_norm_sums(double *dz, double *dzx, const struct norm_maps *maps,
              const struct norm_pass *p, const struct map *m)
{
    if (m->block == 8)
        norm_sums(dz, dzx, maps, p, m, 8);
    else if (m->block == 16)
        norm_sums(dz, dzx, maps, p, m, 16);
    else
        norm_sums(dz, dzx, maps, p, m, 1);
}

/* dx = scale * dz + slope * (x - mean) + shift */
CPU_INLINE void
tile_grad(float *restrict dx, const float *restrict dz, const float *restrict x,
          const struct norm_pull *pull, const struct norm_pass *p, const struct tile *t,
          const int block)
{
    const float *scale = p->scale + t->channel, *mean = p->mean + t->channel;

    if (pull == NULL) {
        for (int64_t i = 0; i < t->n; i += block)
            for (int l = 0; l < block; l++)
                dx[i + l] = scale[l] * dz[i + l];
        return;
    }
    const float *slope = pull->slope + t->channel, *shift = pull->shift + t->channel;
    for (int64_t i = 0; i < t->n; i += block)
        for (int l = 0; l < block; l++)
            dx[i + l] =
                scale[l] * dz[i + l] + (slope[l] * (x[i + l] - mean[l]) + shift[l]);
}

/* Through `result`, because dx may take the place of what it is computed from. */
CPU_INLINE void
norm_grad(struct grad_to dx, struct grad_to dresidual, const struct norm_maps *maps,
          const struct norm_pull *pull, const struct norm_pass *p, const struct map *m,
          const int block)
{
    float to[TILE], other[TILE], masked[TILE], result[TILE];

    for (struct tile t = {0}; next_tile(&t, m, block);) {
        const float *y = tile_gate(to, other, maps, p, &t, block);
        const float *dz =
            activate_grad(masked, maps->dy + t.at, y, p->act, p->low + t.in_image, t.n);
        if (dx.at != NULL) {
            tile_grad(result, dz, maps->x + t.at, pull, p, &t, block);
            store(dx.at + t.at, dx.accumulate, result, t.n);
        }
        if (dresidual.at != NULL)
            store(dresidual.at + t.at, dresidual.accumulate, dz, t.n);
    }
}

CPU_CLONES void
cpu_norm_grad(struct grad_to dx, struct grad_to dresidual, const struct norm_maps *maps,
              const struct norm_pull *pull, const struct norm_pass *p,
              const struct map *m)
{
    if (m->block == 8)
        norm_grad(dx, dresidual, maps, pull, p, m, 8);
    else if (m->block == 16)
        norm_grad(dx, dresidual, maps, pull, p, m, 16);
    else
        norm_grad(dx, dresidual, maps, pull, p, m, 1);
}

CPU_INLINE void
gain_of(float *dy, bool accumulate, const struct map_value *y, const float *gain,
        const struct map *m, const int block)
{
    const int64_t plane = m->pixels * block, image = map_blocks(m) * plane;
    float to[TILE], other[TILE], product[TILE];

    for (struct tile t = {0}; next_tile(&t, m, block);) {
        const float *y_t = tile_value(to, other, y, &t, block);
        const float *gain_t =
            gain + t.at / image * m->pixels + t.in_image % plane / block;

        for (int64_t i = 0; i < t.n; i += block)
            for (int l = 0; l < block; l++)
                product[i + l] = gain_t[i / block] * y_t[i + l];
        store(dy + t.at, accumulate, product, t.n);
    }
}

CPU_CLONES void
cpu_gain(float *dy, bool accumulate, const struct map_value *y, const float *gain,
         const struct map *m)
{
    if (m->block == 8)
        gain_of(dy, accumulate, y, gain, m, 8);
    else if (m->block == 16)
        gain_of(dy, accumulate, y, gain, m, 16);
    else
        gain_of(dy, accumulate, y, gain, m, 1);
}
