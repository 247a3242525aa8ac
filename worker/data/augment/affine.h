#ifndef WORKER_DATA_AUGMENT_AFFINE_H
#define WORKER_DATA_AUGMENT_AFFINE_H

#include <stdint.h>

/*
 * Affine maps with Pillow's results, bit for bit (Image.transform and Image.rotate of
 * Pillow 9.4, bilinear, black where nothing is). A map takes OUTPUT pixels to the input,
 * so a translation by +l moves the picture left or up. out, in: (3,h,w) bytes, not
 * overlapping.
 */

/* Whole degrees, counter-clockwise, about (w/2, h/2). */
void affine_rotate(uint8_t *out, const uint8_t *in, int64_t h, int64_t w,
                   double degrees);

/* Matrices (1,l,0, 0,1,0) and (1,0,0, l,1,0): x + l y and y + l x are read. */
void affine_shear_x(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double l);
void affine_shear_y(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double l);

/* Matrices (1,0,l, 0,1,0) and (1,0,0, 0,1,l) for whole l, which is a copy of bytes. */
void affine_translate_x(uint8_t *out, const uint8_t *in, int64_t h, int64_t w,
                        double l);
void affine_translate_y(uint8_t *out, const uint8_t *in, int64_t h, int64_t w,
                        double l);

#endif
