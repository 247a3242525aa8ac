#ifndef WORKER_DATA_AUGMENT_TONE_H
#define WORKER_DATA_AUGMENT_TONE_H

#include <stdint.h>

/*
 * Tone curves with Pillow's results, bit for bit (ImageOps of Pillow 9.4): each channel
 * is looked up in a table of 256 bytes. out, in: (3,h,w) bytes; may be the same.
 */

/* Stretches each channel to 0..255, cutoff 0; a channel of one value stays. `value` is
 * ignored. */
void tone_autocontrast(uint8_t *out, const uint8_t *in, int64_t h, int64_t w,
                       double value);

/* Flattens each channel's histogram. `value` is ignored. */
void tone_equalize(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double value);

/* Keeps the highest `bits` (0..8) bits. */
void tone_posterize(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double bits);

/* Inverts what is at or above `threshold` (0..256). */
void tone_solarize(uint8_t *out, const uint8_t *in, int64_t h, int64_t w,
                   double threshold);

#endif
