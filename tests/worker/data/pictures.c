/* pictures.c - test pictures, drawn by the same arithmetic as in pil_vectors.py. */
#include "tests/worker/data/pictures.h"

static uint8_t
pixel(int kind, int64_t c, int64_t y, int64_t x, int r)
{
    switch (kind) {
    case 0: return (uint8_t)((5 * x + 3 * y * (c + 1) + r % 16) % 256);
    case 1: return (uint8_t)r;
    case 2: return (uint8_t)(c == 0 ? 100 + r % 40 : c == 1 ? 77 : r < 128 ? 10 : 200);
    default: return (uint8_t)(r > 200 ? r : 0);
    }
}

void
picture_draw(uint8_t *out, int kind, uint32_t seed, int64_t h, int64_t w)
{
    uint32_t state = seed * 2654435761u + 12345u;

    for (int64_t c = 0; c < 3; c++)
        for (int64_t i = 0; i < h * w; i++) {
            state = state * 1664525u + 1013904223u;
            *out++ = pixel(kind, c, i / w, i % w, (int)(state >> 24));
        }
}
