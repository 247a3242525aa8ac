#ifndef WORKER_DATA_CORRUPT_RESAMPLE_H
#define WORKER_DATA_CORRUPT_RESAMPLE_H

#include <stdint.h>

#include "worker/data/corrupt/filter.h"

/* The value of plane (h,w) at the point (y,x), pixel centres at whole numbers: bilinear
 * between the four pixels around it. */
float resample_point(const float *plane, int64_t h, int64_t w, double y, double x,
                     enum filter_border border);

/* The generator's clipped_zoom, factor >= 1: the middle ceil(h/factor) x ceil(w/factor)
 * pixels of `in` are stretched by scipy.ndimage.zoom(order=1) to round(. factor), of
 * which the middle (h,w) is `out`. Not overlapping. */
void resample_zoom(float *out, const float *in, int64_t h, int64_t w, double factor);

#endif
