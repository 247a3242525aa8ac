#ifndef WORKER_LOSSES_LOSS_H
#define WORKER_LOSSES_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/engine/net.h"

/*
 * A loss is a weighted sum of terms; a term is a mean over views of the batch. To add a
 * term, write one file with a `const struct loss loss_<name>` and one line in
 * registry.c; sweep files can then say "0.5*ce+<name>".
 */

/* The three views of a training step. */
enum loss_view_id { LOSS_CLEAN, LOSS_AUG, LOSS_ADV, LOSS_N_VIEWS };
extern const char *const loss_view_names[]; /* "clean", "aug", "adv", NULL */

/* What a term sees of one view, n >= 1 samples. The student's last forward is this
 * view; the teacher's is too when loss_set_needs_teacher says so. */
struct loss_view {
    int64_t n, classes;
    const float *logits; /* (n,classes) of the student */
    const int64_t *y;    /* (n) */
    const float *target; /* (n,classes) the teacher's logits of the clean images
                                      on path 0; NULL without a teacher */
    struct net *student, *teacher; /* for terms on maps; teacher may be NULL */
    const float *own;              /* (n,classes) the student's own logits of the clean
                                      images, and */
    float *d_own;                  /* their gradient, added to; both only for terms on
                                      pairs, else NULL */
    double temperature;            /* of distillation */
    bool paper_form;               /* the paper's formula where the released code has
                                      another one (methods.md 4.4) */
    const double *notes; /* what the term has noted of the teacher's maps, if it does */
};

enum loss_input {
    LOSS_ON_LOGITS, /* adds its gradient to dlogits */
    LOSS_ON_MAPS,   /* adds its gradient to net_group_gain, net_group_seed or
                       net_act_seed of the student */
    LOSS_ON_PAIR,   /* compares the adversarial view with the clean view of the same
                       images; adds to dlogits and to d_own */
};

/* One row of the registry. */
struct loss {
    const char *name; /* as in a sweep file */
    const char *doc, *source;
    enum loss_input on;
    bool needs_teacher;
    /* Weights of a term written without one: when no other term is on the logits, and
     * when there is one, as in the released code and as in the paper. */
    double weight_alone, weight_released, weight_paper;
    /* Optional, of a term on maps: how many numbers it notes of the teacher's maps of an
     * image, so that it needs no more of them; 0: it does. And the notes (n, that many),
     * taken when the teacher has just seen the view. */
    int64_t (*notes)(const struct graph *teacher, bool paper_form);
    void (*note)(double *notes, const struct loss_view *view);
    /* Returns the mean over the view's samples; adds scale * gradient (+=). */
    double (*run)(const struct loss_view *view, double scale, float *dlogits);
};

enum { LOSS_MAX_ROWS = 16 };               /* room for one number a row */
extern const struct loss *const losses[];  /* NULL-terminated */
extern const char *const loss_names[];     /* the same, for parameter tables; */
extern const char *loss_teacher_names[];   /* those that need no teacher, and */
extern const char *loss_student_names[];   /* those that a student can have */
extern const char *const loss_weighting[]; /* "released", "paper", NULL */
const struct loss *loss_find(const char *name);

#endif
