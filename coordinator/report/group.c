/* group.c - reading one group of the report document; changes nothing. */
#include "coordinator/report/group.h"

#include <math.h>

#include "coordinator/report/number.h"

static const json_t *
metric_of(const json_t *group, const char *metric)
{
    return json_object_get(json_object_get(group, "metrics"), metric);
}

double
group_stat(const json_t *group, const char *metric, const char *stat)
{
    return json_num(metric_of(group, metric), stat, NAN);
}

const char *
group_unit(const json_t *group, const char *metric)
{
    return json_str(metric_of(group, metric), "unit", "");
}

double
group_x(const json_t *group, const char *x)
{
    const double mean = group_stat(group, x, "mean");

    return isnan(mean) ? json_num(json_object_get(group, "params"), x, NAN) : mean;
}

bool
group_is_reference(const json_t *group)
{
    return json_is_true(json_object_get(group, "reference"));
}

bool
group_is_complete(const json_t *group)
{
    return json_is_true(json_object_get(group, "complete"));
}

bool
group_on_front(const json_t *group, const char *metric)
{
    return json_is_true(json_object_get(json_object_get(group, "on_front"), metric));
}

void
group_put_metric(struct buf *out, const json_t *group, const char *metric,
                 const char *plus_minus)
{
    const char *unit = group_unit(group, metric);
    const double sd = group_stat(group, metric, "sd");

    number_metric(out, group_stat(group, metric, "mean"), unit);
    if (!isnan(sd) && plus_minus != NULL) {
        buf_puts(out, plus_minus);
        number_metric(out, sd, unit);
    }
}
