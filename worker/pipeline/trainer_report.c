/* trainer_report.c - a trainer's numbers as events and log lines. Changes none. */
#include "worker/pipeline/trainer_report.h"

#include <inttypes.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

int
trainer_report_progress(struct trainer *t, double loss, struct err *err)
{
    const double now = clock_mono_s();
    const int64_t steps = t->plan->epochs * t->steps_per_epoch;
    const int64_t step =
        (t->state.counts.epoch - 1) * t->steps_per_epoch + t->state.counts.index;
    const struct events_progress p = {
        .epoch = t->state.counts.epoch,
        .epochs = t->plan->epochs,
        .step = step,
        .steps = steps,
        .images_per_second = (double)t->epoch_images / (now - t->epoch_s),
        .loss = loss,
        .seconds_left =
            (now - t->started_s) / (double)t->steps_done * (double)(steps - step),
    };

    return events_progress(t->context->events, &p, err);
}

static double
percent(int64_t part, int64_t all)
{
    return all > 0 ? 100.0 * (double)part / (double)all : 0;
}

enum { MAX_POINTS = 16 + LOSS_MAX_ROWS };

/* One point of each term of the loss; returns how many. Their names live in `mem`. */
static size_t
term_points(struct metric *points, const struct trainer *t, struct arena *mem)
{
    const struct checkpoint_state *s = &t->state;
    size_t n = 0;

    for (int i = 0; losses[i] != NULL; i++)
        if (step_has_term(t->step, i))
            points[n++] =
                (struct metric){arena_printf(mem, "train/%s", losses[i]->name),
                                s->sums.terms[i] / (double)s->counts.steps,
                                s->counts.epoch, "", METRIC_MIN};
    return n;
}

int
trainer_report_epoch(const struct trainer *t, const struct tally *seen, struct err *err)
{
    const struct checkpoint_state *s = &t->state;
    const int64_t epoch = s->counts.epoch;
    const double loss = s->sums.total / (double)s->counts.steps;
    const double clean = percent(s->counts.correct_clean, s->counts.n_clean);
    const double adv = percent(s->counts.correct_adv, s->counts.n_adv);
    const double rate = schedule_lr(&t->schedule, epoch), seen_ca = tally_percent(seen);
    const char *name = t->data.on_test ? "test/CA" : "val/CA";
    struct metric points[MAX_POINTS] = {
        {"train/loss", loss, epoch, "", METRIC_MIN},
        {"lr", rate, epoch, "", METRIC_NONE},
        {"images_per_second", t->epoch_rate, epoch, "images/s", METRIC_MAX},
        {name, seen_ca, epoch, "%", METRIC_MAX},
    };
    struct arena mem = {0};
    size_t n = 4;

    log_info("trainer",
             "epoch=%" PRId64 "/%" PRId64 " loss=%.4f train_CA=%.2f train_AdvA=%.2f "
             "%s=%.2f best_epoch=%" PRId64 " images_per_second=%.1f",
             epoch, t->plan->epochs, loss, clean, adv, name, seen_ca,
             s->counts.best_epoch, t->epoch_rate);
    if (s->counts.n_clean > 0)
        points[n++] = (struct metric){"train/CA", clean, epoch, "%", METRIC_MAX};
    if (s->counts.n_adv > 0)
        points[n++] = (struct metric){"train/AdvA", adv, epoch, "%", METRIC_MAX};
    n += term_points(points + n, t, &mem);
    const int rc = events_metrics(t->context->events, points, n, err);
    arena_release(&mem);
    return rc;
}

int
trainer_report_result(const struct trainer *t, const struct model_info *info,
                      const char *file, struct err *err)
{
    const char *name = t->data.on_test ? "test/CA" : "val/CA";
    const struct metric finals[] = {
        {"best_epoch", (double)t->state.counts.best_epoch, -1, "", METRIC_NONE},
        {"relus", (double)info->relu_count, -1, "ReLUs", METRIC_MIN},
        {"selected_on_test", t->data.on_test, -1, "", METRIC_NONE},
        {name, info->val_accuracy, -1, "%", METRIC_MAX},
    };
    const size_t n = sizeof finals / sizeof finals[0];

    return events_result(t->context->events, finals, t->data.select != NULL ? n : n - 1,
                         file, err);
}
