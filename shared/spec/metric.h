#ifndef SHARED_SPEC_METRIC_H
#define SHARED_SPEC_METRIC_H

#include <stdint.h>

/*
 * A metric is emitted by a stage and needs no code elsewhere: its name, unit and
 * direction travel with it. Final metrics (step < 0) are what reports read; the others
 * are curves.
 *
 * Names used by the stages of this project: "CA", "NPA", "AdvA", "mCE" (percent),
 * "relus", "relus_total", "macs", "train/loss", "train/<loss term>", "val/CA",
 * "images_per_second",
 * "corruption/<name>/<severity>", "attack/<name>/<path>".
 */
enum metric_goal { METRIC_NONE, METRIC_MAX, METRIC_MIN };

struct metric {
    const char *name;
    double value;
    int64_t step;     /* optimiser step or epoch; -1: final value */
    const char *unit; /* "%", "ReLUs", "MACs", "images/s", "" */
    enum metric_goal goal;
};

const char *metric_goal_name(enum metric_goal goal); /* "none", "max", "min" */
enum metric_goal metric_goal_find(const char *name);

#endif
