/* crop_flip.c - random crop with zero padding and horizontal flip of byte planes. */
#include "worker/data/augment/crop_flip.h"

#include <string.h>

struct crop_flip
crop_flip_draw(struct rng *rng)
{
    struct crop_flip draw;

    draw.dy = (int)rng_below(rng, 2 * CROP_PADDING + 1);
    draw.dx = (int)rng_below(rng, 2 * CROP_PADDING + 1);
    draw.flip = rng_below(rng, 2) != 0;
    return draw;
}

/* out[x] = row[x + shift], 0 outside. */
static void
shift_row(uint8_t *out, const uint8_t *row, int64_t w, int64_t shift)
{
    const int64_t first = shift < 0 ? -shift : 0;
    const int64_t end = shift > 0 ? w - shift : w;

    memset(out, 0, (size_t)w);
    if (end > first)
        memcpy(out + first, row + first + shift, (size_t)(end - first));
}

static void
mirror_row(uint8_t *row, int64_t w)
{
    for (int64_t l = 0, r = w - 1; l < r; l++, r--) {
        const uint8_t keep = row[l];
        row[l] = row[r];
        row[r] = keep;
    }
}

void
crop_flip_apply(uint8_t *out, const uint8_t *image, int64_t c, int64_t h, int64_t w,
                const struct crop_flip *draw)
{
    for (int64_t row = 0; row < c * h; row++) {
        const int64_t y = row % h + draw->dy - CROP_PADDING;
        uint8_t *out_row = out + row * w;

        if (y < 0 || y >= h) {
            memset(out_row, 0, (size_t)w);
            continue;
        }
        shift_row(out_row, image + (row - row % h + y) * w, w, draw->dx - CROP_PADDING);
        if (draw->flip)
            mirror_row(out_row, w);
    }
}
