#ifndef WORKER_PIPELINE_EVAL_PART_H
#define WORKER_PIPELINE_EVAL_PART_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "worker/attacks/attack.h"
#include "worker/data/corrupt/corrupt.h"
#include "worker/data/dataset.h"
#include "worker/methods/config.h"

/*
 * An evaluation is a list of parts, each one pass over test images: as they are, under
 * one corruption of one severity, or under one attack on one path. What a part knows is
 * an answer for each image, right or wrong; all metrics follow from these. It may be
 * done to any image, so an evaluation that was cut short goes on where it was.
 */
enum eval_kind { EVAL_CLEAN, EVAL_CORRUPTED, EVAL_ATTACKED, EVAL_KINDS };

struct eval_images {
    int64_t *order; /* (n) indices into the test part */
    int64_t n;
};

struct eval_part {
    char name[96]; /* "clean", "corruption/fog/3", "attack/pgd-7/1" */
    enum eval_kind kind;
    int path;                            /* batch norm that the images go through */
    const struct corruption *corruption; /* EVAL_CORRUPTED */
    int severity;
    const struct attack *attack; /* EVAL_ATTACKED */
    struct attack_config attack_config;
    int64_t n;
    const int64_t *order; /* (n) indices into the test part, of eval_parts.images */
    uint8_t *right;       /* (n) 1: classified correctly */
    int64_t done;         /* images measured, from the first */
    int64_t passes;       /* through the network, forward or backward, for one image */
};

struct eval_parts {
    struct eval_part *items;
    size_t n, capacity;
    struct eval_images images[EVAL_KINDS]; /* of the parts of one kind */
};

/* The parts that the parameters ask for, nothing done yet, in the order in which they
 * are to run. ERR_USAGE when a subset cannot be drawn. Release also after a failure. */
MUST_CHECK int eval_parts_init(struct eval_parts *p, const struct stage_config *c,
                               const struct dataset *test, int bn_paths,
                               struct err *err);
void eval_parts_release(struct eval_parts *p);

/* NULL where there is no such part. */
const struct eval_part *eval_parts_find(const struct eval_parts *p, const char *name);

/* Right answers so far, per cent; 0 where nothing is done. */
double eval_part_percent(const struct eval_part *part);

/* Passes of one image, of all parts and of what is done. */
int64_t eval_parts_passes(const struct eval_parts *p);
int64_t eval_parts_passes_done(const struct eval_parts *p);

#endif
