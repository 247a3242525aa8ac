#ifndef TESTS_WORKER_DATA_PICTURES_H
#define TESTS_WORKER_DATA_PICTURES_H

#include <stdint.h>

enum { PICTURE_KINDS = 4 };

/* The pictures of pil_vectors.py: out (3,h,w) bytes; kind 0 gradient with noise, 1 noise,
 * 2 three poor channels, 3 few bright pixels on black. */
void picture_draw(uint8_t *out, int kind, uint32_t seed, int64_t h, int64_t w);

#endif
