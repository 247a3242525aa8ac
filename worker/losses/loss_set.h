#ifndef WORKER_LOSSES_LOSS_SET_H
#define WORKER_LOSSES_LOSS_SET_H

#include <stdbool.h>

#include "shared/base/err.h"
#include "worker/losses/loss.h"

/*
 * The loss of a training stage: terms with their weights, evaluated view by view.
 *
 *   total = sum over terms of  weight * (1/|views|) * sum over its views of term(view)
 *
 * Which views a term takes depends on what it compares: see struct loss_config.
 */
struct loss_set;

struct loss_config {
    const char *sum;       /* "0.5*ce+0.5*kl+1000*pram", "kl+pram", ... */
    const char *weighting; /* "released" | "paper": of terms without a weight */
    /* Views of the terms on labels (ce), on the teacher's outputs (kl) and on maps
     * (pram); NULL: all three. A term on pairs takes the adversarial one. */
    const char *label_views, *target_views, *map_views;
    double temperature;
    bool paper_form; /* of terms that have one */
    bool teacher;    /* there is one */
};

/* Unknown terms or views and terms that need a teacher that is not there are ERR_USAGE.
 * Nothing of `config` is kept. */
MUST_CHECK int loss_set_new(struct loss_set **out, const struct loss_config *config,
                            struct err *err);
void loss_set_free(struct loss_set *s);

/* Does a term of this view compare maps, so that the teacher must have seen it? */
bool loss_set_needs_teacher(const struct loss_set *s, enum loss_view_id view);

/* Does any term, of the loss or of this view only, ... read the teacher's logits; take
 * this view; compare it with the clean one? */
bool loss_set_needs_targets(const struct loss_set *s);
bool loss_set_takes(const struct loss_set *s, enum loss_view_id view);
bool loss_set_pairs(const struct loss_set *s);

/* Is the term called `name` a part of the loss? */
bool loss_set_has(const struct loss_set *s, const char *name);

/* Forgets the last step's values. */
void loss_set_start(struct loss_set *s);

/* To be called when the teacher has seen n images of a view: terms note what they need of
 * its maps, those that do not need all of them. */
void loss_set_note(struct loss_set *s, enum loss_view_id id, struct net *teacher,
                   int64_t n);

/* Evaluates every term of a view (notes, temperature and paper_form are filled in
 * here); overwrites dlogits (n,classes) with the total's gradient and adds to the
 * student's map seeds. A term that is not finite is ERR_NUMERIC naming it. */
MUST_CHECK int loss_set_view(struct loss_set *s, enum loss_view_id id,
                             struct loss_view view, float *dlogits, struct err *err);

/* Since loss_set_start: mean over its views of the term called `name`, without its
 * weight, 0 when it is no part of the loss; and the weighted total. */
double loss_set_value(const struct loss_set *s, const char *name);
double loss_set_total(const struct loss_set *s);

#endif
