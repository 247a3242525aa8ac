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
    bool random_start;  /* reads `start`: another start may end elsewhere */
    bool own_step;      /* sets the size of its steps itself: config.step is not read */
    /* start: values in [-1,1] scaled by eps and added to x (random start); ignored by
     * attacks without one. Writes the last iterate to `out`, or what the attack's own
     * rule takes as its result. */
    int (*run)(float *out, const float *x, const float *start, int64_t n,
               const struct attack_target *target, const struct attack_config *config,
               struct err *err);
};

extern const struct attack *const attacks[]; /* NULL-terminated */
extern const char *const attack_names[];     /* the same, for parameter tables */
const struct attack *attack_find(const char *name);

/* Batch norms that an attack can be run on, by what they see in training. The numbers
 * are those in metrics' names: attack/pgd-7/1. */
enum attack_side { ATTACK_SIDE_CLEAN, ATTACK_SIDE_ADV };
extern const char *const attack_side_names[]; /* "clean", "adv", NULL */

/* start (n, per_image) in [-1,1] for these samples, drawn from (seed, RNG_ATTACK, epoch,
 * sample). */
void attack_start(float *start, int64_t n, int64_t per_image, const int64_t *sample,
                  uint64_t seed, uint32_t epoch);

/* Who is attacked, beside target->y: names of the samples' random streams. */
struct attack_batch {
    const float *x;        /* (n,c,h,w) */
    const int64_t *sample; /* (n) */
    int64_t n;
    uint64_t seed;
};

/*
 * Attacks every image from `restarts` starts in turn (one where the attack has none),
 * those that a run has broken not again. out (n,c,h,w): the image that broke it, or the
 * last run's result. right (n) bytes: 1 where the prediction for it is the label.
 */
MUST_CHECK int attack_restarts(float *out, uint8_t *right,
                               const struct attack_batch *batch, const struct attack *a,
                               const struct attack_target *target,
                               const struct attack_config *config, int64_t restarts,
                               struct err *err);

#endif
