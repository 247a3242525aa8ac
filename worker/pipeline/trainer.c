/*
 * trainer.c - the epoch loop. Invariant: everything that the next step depends on is in
 * struct checkpoint_state, the nets, the step's scores and the best so far; all of it
 * is in a checkpoint, and every random number is named by (seed, epoch, sample). So a
 * run that was killed anywhere ends with the same bits. Must not know losses, models or
 * data sets by name; building is trainer_setup.c's, telling trainer_report.c's.
 */
#include "worker/pipeline/trainer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "worker/attacks/attack.h"
#include "worker/pipeline/tally.h"
#include "worker/pipeline/trainer_report.h"
#include "worker/pipeline/trainer_setup.h"
#include "worker/pipeline/views.h"

/* ---- checkpoints ----------------------------------------------------------------- */

static struct checkpoint
checkpoint_of(struct trainer *t)
{
    struct checkpoint c = {
        .job = t->context->digest, .state = &t->state, .net = t->net, .best = &t->best};

    if (t->plan->extra != NULL)
        c.scores = t->plan->extra(t, &c.n_scores);
    return c;
}

int64_t
trainer_step_number(const struct trainer *t)
{
    return (t->state.counts.epoch - 1) * t->steps_per_epoch + t->state.counts.index;
}

static void
remove_checkpoint(const struct trainer *t, int64_t step)
{
    char *path = xasprintf("%s/checkpoint-%" PRId64, t->context->dir, step);

    unlink(path);
    free(path);
}

static int
save_checkpoint(struct trainer *t, struct err *err)
{
    const int64_t step = trainer_step_number(t);
    char *file = xasprintf("checkpoint-%" PRId64, step);
    char *path = file_join(t->context->dir, file);
    const struct checkpoint c = checkpoint_of(t);

    int rc = checkpoint_save(&c, path, err);
    if (rc == 0)
        rc = events_checkpoint(t->context->events, step, file, err);
    if (rc == 0 && !t->context->keep_checkpoints && t->kept[0] != step) {
        if (t->kept[1] > 0)
            remove_checkpoint(t, t->kept[1]);
        t->kept[1] = t->kept[0];
        t->kept[0] = step;
    }
    t->checkpoint_s = clock_mono_s();
    free(file);
    free(path);
    return rc;
}

/* Goes on from the folder's `resume`. One that cannot be used costs time, not the job: the
 * next attempt is given the one before it, or none, and the same numbers come out. */
static int
resume(struct trainer *t, struct err *err)
{
    const struct checkpoint c = checkpoint_of(t);
    char *path = file_join(t->context->dir, "resume");
    int rc = 0;

    if (file_exists(path) && checkpoint_load(&c, path, err) != 0) {
        if (err->kind == ERR_DATA)
            err->kind = ERR_CHECKPOINT;
        rc = -1;
    }
    free(path);
    if (t->state.counts.index > 0 || t->state.counts.epoch > 1)
        log_info("trainer", "resumed epoch=%" PRId64 " step=%" PRId64,
                 t->state.counts.epoch, t->state.counts.index);
    return rc;
}

/* ---- one step -------------------------------------------------------------------- */

static void
add_result(struct checkpoint_state *s, const struct step_result *r)
{
    s->counts.steps++;
    s->counts.correct_clean += r->correct_clean;
    s->counts.n_clean += r->n_clean;
    s->counts.correct_adv += r->correct_adv;
    s->counts.n_adv += r->n_adv;
    s->sums.total += r->total;
    for (int i = 0; losses[i] != NULL; i++)
        s->sums.terms[i] += r->terms[i];
}

/* Step `index` of the current epoch. The attack starts from noise named by sample. */
static int
one_step(struct trainer *t, struct step_result *result, struct err *err)
{
    const struct dataset *d = &t->data.train;
    const int64_t per_image = d->c * d->h * d->w;
    const int64_t epoch = t->state.counts.epoch, index = t->state.counts.index;
    const bool augments = step_takes(t->step, LOSS_AUG);
    const struct loader_batch b = loader_get(
        t->data.batches, epoch, index,
        augments ? views_augmented(t->context->config.batch, t->bn_paths) : 0);
    const struct step_batch batch = {
        .n = b.n, .x = b.x, .x_aug = b.x_aug, .y = b.y, .start = t->start};
    struct views_part part[LOSS_N_VIEWS];

    views_split(part, b.n, t->bn_paths);
    attack_start(t->start + part[LOSS_ADV].first * per_image, part[LOSS_ADV].n,
                 per_image, b.sample + part[LOSS_ADV].first, t->seed, (uint32_t)epoch);
    if (step_run(t->step, &batch, schedule_lr(&t->schedule, epoch), result, err) != 0)
        return err_wrap(err, "epoch %" PRId64 ", step %" PRId64, epoch, index + 1);
    add_result(&t->state, result);
    t->state.counts.index++;
    if (t->plan->after_step != NULL)
        t->plan->after_step(t);
    t->steps_done++;
    t->epoch_images += b.n;
    return 0;
}

/* After a step: tells, and keeps a checkpoint when it is time or when asked to stop. */
static int
between_steps(struct trainer *t, const struct step_result *result, struct err *err)
{
    if (trainer_report_progress(t, result->total, err) != 0)
        return -1;
    const bool stop = stage_stop_wanted();
    const double age = clock_mono_s() - t->checkpoint_s;
    if ((stop || age >= t->context->checkpoint_seconds) && save_checkpoint(t, err) != 0)
        return -1;
    return stop ? err_set(err, ERR_STOPPED, "asked to stop after step %" PRId64,
                          trainer_step_number(t))
                : 0;
}

/* ---- one epoch ------------------------------------------------------------------- */

static int
train_epoch(struct trainer *t, struct err *err)
{
    struct step_result result;

    t->epoch_s = clock_mono_s();
    t->epoch_images = 0;
    while (t->state.counts.index < t->steps_per_epoch)
        if (one_step(t, &result, err) != 0 || between_steps(t, &result, err) != 0)
            return -1;
    t->epoch_rate = (double)t->epoch_images / (clock_mono_s() - t->epoch_s);
    return 0;
}

/* Measures the new weights on the selection images (path 0) and keeps the best; of
 * equal ones the latest (methods.md 4.1). */
static int
select_epoch(struct trainer *t, struct err *err)
{
    const bool last =
        t->plan->keep_last || strcmp(t->context->config.select_on, "last") == 0;
    struct tally seen;
    int rc = 0;

    tally_init(&seen, t->data.train.classes);
    if (t->data.select != NULL)
        rc = tally_clean(&seen, t->net, 0, t->data.select, err);
    if (rc == 0) {
        if (last || seen.correct >= t->state.counts.best_correct) {
            t->state.counts.best_epoch = t->state.counts.epoch;
            t->state.counts.best_correct = seen.correct;
            t->state.counts.best_n = seen.n;
            snapshot_take(&t->best, t->net);
        }
        rc = trainer_report_epoch(t, &seen, err);
    }
    tally_release(&seen);
    return rc;
}

/* A stop while the epoch is validated is kept as "all steps done": the end of the epoch
 * is repeated on resume. */
static int
end_epoch(struct trainer *t, struct err *err)
{
    struct err failed;

    if (t->plan->end_epoch != NULL && t->plan->end_epoch(t, err) != 0)
        return -1;
    if (select_epoch(t, err) != 0) {
        if (err->kind == ERR_STOPPED && save_checkpoint(t, &failed) != 0)
            *err = failed;
        return err_wrap(err, "end of epoch %" PRId64, t->state.counts.epoch);
    }
    t->state.counts.epoch++;
    t->state.counts.index = 0;
    t->state.counts.steps = 0;
    t->state.counts.correct_clean = t->state.counts.n_clean = 0;
    t->state.counts.correct_adv = t->state.counts.n_adv = 0;
    memset(&t->state.sums, 0, sizeof t->state.sums);
    if (t->plan->stage == STEP_MASK)
        step_scores_clear(t->step);
    return save_checkpoint(t, err);
}

/* ---- the stage ------------------------------------------------------------------- */

static int
finish(struct trainer *t, struct err *err)
{
    const char *const file = "model.safetensors";
    char *path = file_join(t->context->dir, file);

    snapshot_restore(t->net, &t->best);
    const struct model_info info = trainer_setup_info(t);
    int rc = model_file_save(t->net, &info, path, err);
    if (rc == 0)
        rc = trainer_report_result(t, &info, file, err);
    free(path);
    return rc;
}

static int
train(struct trainer *t, struct err *err)
{
    if (t->plan->begin(t, err) != 0 || resume(t, err) != 0)
        return -1;
    t->started_s = t->checkpoint_s = clock_mono_s();
    while (t->state.counts.epoch <= t->plan->epochs)
        if (train_epoch(t, err) != 0 || end_epoch(t, err) != 0)
            return -1;
    return finish(t, err);
}

int
trainer_run(struct stage_context *context, const struct trainer_plan *plan,
            struct err *err)
{
    struct trainer t = {.context = context, .plan = plan};

    int rc = trainer_setup(&t, err);
    if (rc == 0)
        rc = train(&t, err);
    trainer_setup_release(&t);
    return rc;
}
