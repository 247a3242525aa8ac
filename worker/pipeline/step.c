/*
 * step.c - one optimiser step of training on several views (RLNet; methods.md 4.1, 4.3,
 * 4.4, 4.5). Which images make which view on which batch norm is views.h's.
 *
 * Invariant: the numbers are those of the released order (all forwards, then one
 * backward), but each view is differentiated right after its forward, so that only one
 * view's activations are in memory. With two batch norms, h = B/2:
 *
 *   SGD begins                    gradients are added to the momentum
 *   teacher x[h:], x[:h]          eval, path 0: targets; terms note maps of x[:h]
 *   student x[:h]                 train, path 0, losses, backward; in a mask search the
 *                                 teacher sees x[:h] between, compared as it goes
 *   teacher x_aug, student x_aug  the same
 *   attack x[h:] -> x_adv         student, eval, path 1 as the last step left it
 *   teacher x_adv, student x_adv  path 1
 *   SGD ends                      the weights change
 *
 * That is the same because gradients only add up, the weights change at the end, and
 * the order in which the batch norms are updated (clean, augmented; adversarial after
 * the attack) is kept. A view that no term reads is left out, and the teacher runs only
 * where its outputs or maps are read. A loss on pairs needs the clean view's logits
 * before the attack and its gradient after: the view is run twice, and the second run
 * leaves the running statistics alone.
 */
#include "worker/pipeline/step.h"

#include <assert.h>
#include <string.h>

#include "worker/pipeline/step_state.h"

/* ---- scores of the mask search --------------------------------------------------- */

void
step_scores(const struct step *s, int mask, float *chw)
{
    int64_t size;
    const float *d = map_scores_at(s->scores, mask, &size);

    memcpy(chw, d, (size_t)size * sizeof(float));
}

void
step_scores_clear(struct step *s)
{
    memset(step_scores_data(s), 0, (size_t)step_scores_size(s) * sizeof(float));
}

int64_t
step_scores_size(const struct step *s)
{
    int64_t size;

    map_scores_data(s->scores, &size);
    return size;
}

float *
step_scores_data(struct step *s)
{
    int64_t size;

    return map_scores_data(s->scores, &size);
}

/* ---- one step -------------------------------------------------------------------- */

/* Copies the student's running statistics away, or back. */
static void
move_running(struct step *s, float *kept, bool back)
{
    size_t count;
    struct net_param *params = net_params(s->student, &count);

    for (size_t i = 0; i < count; i++) {
        struct net_param *p = &params[i];
        if (!step_is_running(p))
            continue;
        memcpy(back ? p->value : kept, back ? kept : p->value,
               (size_t)p->size * sizeof(float));
        kept += p->size;
    }
    if (back)
        net_params_changed(s->student);
}

/* A step at work: its batch, and what each view is made of. */
struct pass {
    struct step *s;
    const struct step_batch *b;
    struct views_part part[LOSS_N_VIEWS];
    struct err *err;
};

static bool
is_taken(const struct pass *p, enum loss_view_id id)
{
    return p->s->takes[id] && p->part[id].n > 0;
}

static const float *
images_of(const struct pass *p, enum loss_view_id id)
{
    if (id == LOSS_ADV)
        return p->s->x_adv;
    return (id == LOSS_AUG ? p->b->x_aug : p->b->x)
           + p->part[id].first * p->s->per_image;
}

static bool
same_images(struct views_part a, struct views_part b)
{
    return a.first == b.first && a.n == b.n;
}

/* Does the step read the teacher's maps of the clean images? */
static bool
clean_maps(const struct step *s)
{
    return (s->scores != NULL && !s->watches)
           || loss_set_needs_teacher(s->losses, LOSS_CLEAN);
}

/* The teacher on clean images of a part, whose logits go to `target`. */
static void
run_teacher_on(const struct pass *p, struct views_part part)
{
    struct step *s = p->s;
    const float *logits = net_forward(s->teacher, p->b->x + part.first * s->per_image,
                                      part.n, NET_EVAL, 0);

    memcpy(s->target + part.first * s->classes, logits,
           (size_t)(part.n * s->classes) * sizeof(float));
}

/* All clean images. Those of the clean view come last: its maps stay. Where the scores
 * are taken while the teacher runs, that is left for when the student has seen the
 * view. */
static void
run_teacher(const struct pass *p)
{
    struct step *s = p->s;

    for (int v = LOSS_N_VIEWS - 1; v >= (s->watches ? LOSS_AUG : LOSS_CLEAN); v--) {
        const struct views_part part = p->part[v];
        const bool again = v != LOSS_CLEAN && same_images(part, p->part[LOSS_CLEAN]);
        if (again || part.n == 0 || !(s->targets || (v == LOSS_CLEAN && clean_maps(s))))
            continue;
        run_teacher_on(p, part);
    }
    if (clean_maps(s))
        loss_set_note(s->losses, LOSS_CLEAN, s->teacher, p->part[LOSS_CLEAN].n);
}

/* ---- scores of a batch ----------------------------------------------------------- */

static void
take_scores(void *ctx, int mask)
{
    const struct pass *p = ctx;
    const struct step *s = p->s;

    map_scores_take(s->scores, mask, s->student, s->teacher, p->part[LOSS_CLEAN].n);
}

/* Of the clean view, which the student has just seen. */
static void
take_all_scores(struct pass *p)
{
    struct step *s = p->s;

    if (s->watches) {
        net_watch(s->teacher, take_scores, p);
        run_teacher_on(p, p->part[LOSS_CLEAN]);
        net_watch(s->teacher, NULL, NULL);
        return;
    }
    for (int i = 0; i < graph_n_masks(net_graph(s->student)); i++)
        take_scores(p, i);
}

/* ---- views ----------------------------------------------------------------------- */

static void
forward(const struct pass *p, enum loss_view_id id)
{
    struct step *s = p->s;
    const int64_t n = p->part[id].n;
    const float *logits = net_forward(s->student, images_of(p, id), n, NET_TRAIN,
                                      views_path(id, s->paths));

    memcpy(s->logits[id], logits, (size_t)(n * s->classes) * sizeof(float));
}

/* Losses and gradients of the view of the last forward. */
static int
differentiate(const struct pass *p, enum loss_view_id id)
{
    struct step *s = p->s;
    const struct views_part part = p->part[id];
    const struct loss_view view = {
        .n = part.n,
        .classes = s->classes,
        .logits = s->logits[id],
        .y = p->b->y + part.first,
        .target = s->teacher != NULL ? s->target + part.first * s->classes : NULL,
        .student = s->student,
        .teacher = s->teacher,
        .own = s->pairs ? s->logits[LOSS_CLEAN] : NULL,
        .d_own = s->pairs ? s->d_own : NULL};

    if (loss_set_view(s->losses, id, view, s->dlogits, p->err) != 0)
        return -1;
    if (id == LOSS_CLEAN && s->scores != NULL)
        map_scores_add(s->scores);
    for (int64_t i = 0; id == LOSS_CLEAN && s->pairs && i < part.n * s->classes; i++)
        s->dlogits[i] += s->d_own[i];
    if (loss_set_takes(s->losses, id) || s->pairs)
        net_backward(s->student, s->dlogits, NET_GRAD_PARAMS);
    return 0;
}

static int
run_view(struct pass *p, enum loss_view_id id)
{
    struct step *s = p->s;

    if (!is_taken(p, id))
        return 0;
    if (id != LOSS_CLEAN && loss_set_needs_teacher(s->losses, id)) {
        net_forward(s->teacher, images_of(p, id), p->part[id].n, NET_EVAL,
                    views_path(id, s->teacher_paths));
        loss_set_note(s->losses, id, s->teacher, p->part[id].n);
    }
    forward(p, id);
    if (id == LOSS_CLEAN && s->scores != NULL)
        take_all_scores(p);
    return differentiate(p, id);
}

/* The clean view of a loss on pairs: the logits, which the other view needs, ... */
static void
begin_pair(const struct pass *p)
{
    struct step *s = p->s;

    forward(p, LOSS_CLEAN);
    memset(s->d_own, 0,
           (size_t)(p->part[LOSS_CLEAN].n * s->classes) * sizeof *s->d_own);
}

/* ... and what the other view said about them. */
static int
end_pair(const struct pass *p)
{
    struct step *s = p->s;

    move_running(s, s->running[1], false);
    forward(p, LOSS_CLEAN);
    const int rc = differentiate(p, LOSS_CLEAN);
    move_running(s, s->running[1], true);
    return rc;
}

static int
run_attack(const struct pass *p)
{
    struct step *s = p->s;
    const struct views_part part = p->part[LOSS_ADV];
    const struct attack_target target = {
        .net = s->student,
        .path = views_path(LOSS_ADV, s->paths),
        .y = p->b->y + part.first,
        .teacher =
            s->pairs ? s->logits[LOSS_CLEAN] : s->target + part.first * s->classes,
        .temperature = s->temperature,
        .classes = s->classes};

    if (!is_taken(p, LOSS_ADV))
        return 0;
    return s->attack->run(s->x_adv, p->b->x + part.first * s->per_image,
                          p->b->start + part.first * s->per_image, part.n, &target,
                          &s->attack_config, p->err);
}

static int
run_views(struct pass *p)
{
    struct step *s = p->s;

    optim_sgd_begin(s->student, &s->sgd);
    loss_set_start(s->losses);
    run_teacher(p);
    if (s->pairs)
        begin_pair(p);
    else if (run_view(p, LOSS_CLEAN) != 0)
        return -1;
    if (run_view(p, LOSS_AUG) != 0 || run_attack(p) != 0 || run_view(p, LOSS_ADV) != 0)
        return -1;
    return s->pairs ? end_pair(p) : 0;
}

static int64_t
count_correct(const float *logits, const int64_t *y, int64_t n, int64_t classes)
{
    int64_t correct = 0;

    for (int64_t i = 0; i < n; i++) {
        const float *z = logits + i * classes;
        int64_t best = 0;
        for (int64_t k = 1; k < classes; k++)
            best = z[k] > z[best] ? k : best;
        correct += best == y[i];
    }
    return correct;
}

static void
fill_result(const struct pass *p, struct step_result *result)
{
    const struct step *s = p->s;
    const struct views_part *part = p->part;

    *result = (struct step_result){
        .total = loss_set_total(s->losses),
        .logits_clean = s->logits[LOSS_CLEAN],
        .logits_aug = s->logits[LOSS_AUG],
        .logits_adv = s->logits[LOSS_ADV],
        .x_adv = s->x_adv,
        .n_clean = is_taken(p, LOSS_CLEAN) ? part[LOSS_CLEAN].n : 0,
        .n_aug = is_taken(p, LOSS_AUG) ? part[LOSS_AUG].n : 0,
        .n_adv = is_taken(p, LOSS_ADV) ? part[LOSS_ADV].n : 0,
    };
    result->correct_clean =
        count_correct(s->logits[LOSS_CLEAN], p->b->y + part[LOSS_CLEAN].first,
                      result->n_clean, s->classes);
    result->correct_adv = count_correct(
        s->logits[LOSS_ADV], p->b->y + part[LOSS_ADV].first, result->n_adv, s->classes);
    for (int i = 0; losses[i] != NULL; i++)
        result->terms[i] = loss_set_value(s->losses, losses[i]->name);
}

int
step_run(struct step *s, const struct step_batch *batch, double lr,
         struct step_result *result, struct err *err)
{
    struct pass p = {.s = s, .b = batch, .err = err};

    assert(batch->n >= 1 && batch->n <= s->batch);
    views_split(p.part, batch->n, s->paths);
    move_running(s, s->running[0], false);
    if (run_views(&p) != 0) {
        move_running(s, s->running[0], true);
        return -1;
    }
    optim_sgd_end(s->student, lr);
    fill_result(&p, result);
    return 0;
}

bool
step_has_term(const struct step *s, int row)
{
    return loss_set_has(s->losses, losses[row]->name);
}

bool
step_takes(const struct step *s, enum loss_view_id view)
{
    return s->takes[view];
}

/* Forwards of the teacher, in images. */
static int64_t
teacher_units(const struct step *s, const struct views_part *part, int64_t n)
{
    int64_t units = s->targets ? n : clean_maps(s) ? part[LOSS_CLEAN].n : 0;

    if (loss_set_needs_teacher(s->losses, LOSS_AUG))
        units += part[LOSS_AUG].n;
    if (loss_set_needs_teacher(s->losses, LOSS_ADV))
        units += part[LOSS_ADV].n;
    return units;
}

double
step_macs(const struct step *s, int64_t n)
{
    struct views_part part[LOSS_N_VIEWS];
    int64_t units = s->pairs ? n : 0;

    views_split(part, n, s->paths);
    for (int v = 0; v < LOSS_N_VIEWS; v++)
        units += s->takes[v] ? 3 * part[v].n : 0;
    if (s->takes[LOSS_ADV])
        units += 2 * (int64_t)s->attack_config.steps * part[LOSS_ADV].n;
    if (s->teacher != NULL)
        units += teacher_units(s, part, n);
    return (double)units * (double)graph_macs(net_graph(s->student));
}
