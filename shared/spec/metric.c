/* metric.c - words of a metric record. */
#include "shared/spec/metric.h"

#include <string.h>

static const char *const goal_names[] =
    {[METRIC_NONE] = "none", [METRIC_MAX] = "max", [METRIC_MIN] = "min"};

const char *
metric_goal_name(enum metric_goal goal)
{
    return goal_names[goal];
}

enum metric_goal
metric_goal_find(const char *name)
{
    if (strcmp(name, "max") == 0)
        return METRIC_MAX;
    return strcmp(name, "min") == 0 ? METRIC_MIN : METRIC_NONE;
}
