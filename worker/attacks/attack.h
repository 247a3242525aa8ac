#ifndef WORKER_ATTACKS_ATTACK_H
#define WORKER_ATTACKS_ATTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "worker/engine/net.h"

/* What is attacked and by what. Shapes: x, out, start (n,c,h,w) plain, pixels in [0,1];
 * the model's own graph normalises. */
struct attack_target {
    struct net *net; /* run in eval mode; running statistics are not touched */
    int path;
    const int64_t *y;     /* (n) labels, for CE */
    const float *teacher; /* (n,classes) logits, for KL (methods.md 3, Eq. 2) */
    double temperature;   /* for KL */
    int64_t classes;
};

struct attack_config {
    double eps;  /* L_inf radius, 8/255 */
    double step; /* 2/255 */
    int steps;   /* 7 */
};

/* One row of the registry. */
struct attack {
    const char *name; /* as in a sweep file */
    const char *doc, *source;
    struct attack_config config;
    bool needs_teacher; /* reads target->teacher */
    /* start: values in [-1,1] scaled by eps and added to x (random start); ignored by
     * attacks without one. Writes the last iterate to `out`. */
    int (*run)(float *out, const float *x, const float *start, int64_t n,
               const struct attack_target *target, const struct attack_config *config,
               struct err *err);
};

extern const struct attack *const attacks[]; /* NULL-terminated */
extern const char *const attack_names[];     /* the same, for parameter tables */
const struct attack *attack_find(const char *name);

/* start (n, per_image) in [-1,1] for these samples, drawn from (seed, RNG_ATTACK, epoch,
 * sample). */
void attack_start(float *start, int64_t n, int64_t per_image, const int64_t *sample,
                  uint64_t seed, uint32_t epoch);

#endif
