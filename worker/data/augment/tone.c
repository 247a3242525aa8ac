/*
 * tone.c - per-channel tone curves. Pillow's arithmetic is kept step by step where it
 * decides a rounding; no other file knows of it.
 */
#include "worker/data/augment/tone.h"

#include "worker/data/augment/no_fma.h"

enum { CHANNELS = 3, LEVELS = 256 };

static void
look_up(uint8_t *out, const uint8_t *in, int64_t n, const uint8_t table[LEVELS])
{
    for (int64_t i = 0; i < n; i++)
        out[i] = table[in[i]];
}

static void
identity(uint8_t table[LEVELS])
{
    for (int i = 0; i < LEVELS; i++)
        table[i] = (uint8_t)i;
}

static uint8_t
clip(int v)
{
    if (v < 0)
        return 0;
    return v > 255 ? 255 : (uint8_t)v;
}

/* Fills what is looked up: table[low..high]. */
static void
stretch(uint8_t table[LEVELS], int low, int high)
{
    const double scale = 255.0 / (high - low);
    const double offset = -low * scale;

    for (int i = low; i <= high; i++)
        table[i] = clip((int)(i * scale + offset));
}

void
tone_autocontrast(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double value)
{
    const int64_t n = h * w;
    uint8_t table[LEVELS];

    (void)value;
    for (int c = 0; c < CHANNELS; c++, in += n, out += n) {
        int low = 255, high = 0;
        for (int64_t i = 0; i < n; i++) {
            low = in[i] < low ? in[i] : low;
            high = in[i] > high ? in[i] : high;
        }
        if (high > low)
            stretch(table, low, high);
        else
            identity(table);
        look_up(out, in, n, table);
    }
}

/* Four histograms, because equal neighbours would wait for each other's increment. */
static void
count_levels(int32_t counts[LEVELS], const uint8_t *in, int64_t n)
{
    int32_t part[4][LEVELS] = {{0}};

    for (int64_t i = 0; i < n; i++)
        part[i & 3][in[i]]++;
    for (int i = 0; i < LEVELS; i++)
        counts[i] = part[0][i] + part[1][i] + part[2][i] + part[3][i];
}

/* Pillow: step = (n - count of the highest level) / 255, table[i] = (step / 2 + pixels
 * below i) / step, all in integers. */
static void
flatten(uint8_t table[LEVELS], const int32_t counts[LEVELS], int32_t n)
{
    int highest = LEVELS - 1;

    while (highest > 0 && counts[highest] == 0)
        highest--;
    const int32_t step = (n - counts[highest]) / 255;
    if (step == 0) {
        identity(table);
        return;
    }
    int32_t sum = step / 2;
    for (int i = 0; i < LEVELS; i++) {
        table[i] = clip(sum / step);
        sum += counts[i];
    }
}

void
tone_equalize(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double value)
{
    const int64_t n = h * w;
    int32_t counts[LEVELS];
    uint8_t table[LEVELS];

    (void)value;
    for (int c = 0; c < CHANNELS; c++, in += n, out += n) {
        count_levels(counts, in, n);
        flatten(table, counts, (int32_t)n);
        look_up(out, in, n, table);
    }
}

void
tone_posterize(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double bits)
{
    const int mask = 255 & ~((1 << (8 - (int)bits)) - 1);

    for (int64_t i = 0; i < CHANNELS * h * w; i++)
        out[i] = (uint8_t)(in[i] & mask);
}

void
tone_solarize(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double threshold)
{
    const int first = (int)threshold;

    for (int64_t i = 0; i < CHANNELS * h * w; i++)
        out[i] = in[i] < first ? in[i] : (uint8_t)(255 - in[i]);
}
