#ifndef WORKER_PIPELINE_CHECKPOINT_H
#define WORKER_PIPELINE_CHECKPOINT_H

#include <stdint.h>

#include "shared/base/err.h"
#include "worker/engine/net.h"
#include "worker/losses/loss.h"
#include "worker/pipeline/snapshot.h"

/*
 * Everything that a training stage needs to go on exactly where it was: a run that is
 * killed anywhere and resumed ends with the same bits. One safetensors file:
 * `now/<name>`, `momentum/<name>`, `now/mask.<i>`; `best/<name>`, `best/mask.<i>` once
 * there is a best; `scores` in a mask search; `counts` (I64) and `sums` (F64) of struct
 * checkpoint_state; metadata `job` (digest of the spec) and `version`.
 */
enum { CHECKPOINT_VERSION = 2 };

/* The trainer's numbers. All members of a group have one type: they are stored as one
 * tensor. */
struct checkpoint_state {
    struct {
        int64_t epoch; /* 1-based, of the next step */
        int64_t index; /* of the next step within it; steps of an epoch: it is done but
                          not yet validated */
        int64_t best_epoch;           /* 0: none yet */
        int64_t best_correct, best_n; /* of the selection images; n 0: not measured */
        int64_t steps;                /* summed up below, in this epoch */
        int64_t correct_clean, n_clean, correct_adv, n_adv;
        int64_t masked_epoch, masked_changes; /* last one whose end made new masks, and
                                                 how many places they changed */
    } counts;
    struct {
        double total;
        double terms[LOSS_MAX_ROWS]; /* as in struct step_result */
    } sums;                          /* of this epoch's losses */
};

/* What a checkpoint is made of, all borrowed. */
struct checkpoint {
    const char *job; /* digest of the spec */
    struct checkpoint_state *state;
    struct net *net; /* with momentum */
    struct snapshot *best;
    float *scores; /* (n_scores), NULL without */
    int64_t n_scores;
};

MUST_CHECK int checkpoint_save(const struct checkpoint *c, const char *path,
                               struct err *err);

/* Fills what `c` points to. ERR_DATA, with nothing changed, when the file is missing,
 * damaged, of another job or of another version. */
MUST_CHECK int checkpoint_load(const struct checkpoint *c, const char *path,
                               struct err *err);

#endif
