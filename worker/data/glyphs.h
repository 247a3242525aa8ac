#ifndef WORKER_DATA_GLYPHS_H
#define WORKER_DATA_GLYPHS_H

#include <stdint.h>

/* Letters for the labels of pictures: a to z, digits, _ and -, 5x7 pixels each. */
enum { GLYPH_WIDTH = 5, GLYPH_HEIGHT = 7, GLYPH_ADVANCE = 6 };

/* Writes `text` in black into rgb (h,w,3), upper left corner at (y,x), each dot `zoom`
 * pixels wide and high. Other characters are spaces; what lies outside is left out. */
void glyphs_draw(uint8_t *rgb, int64_t h, int64_t w, int64_t y, int64_t x, int64_t zoom,
                 const char *text);

#endif
