/* schedule.c - the step-wise learning rate. Pure. */
#include "worker/pipeline/schedule.h"

#include <stdlib.h>
#include <string.h>

static int
add(struct schedule *s, double percent, struct err *err)
{
    const double epoch = percent * (double)s->epochs / 100;

    if (!(percent > 0 && percent < 100))
        return err_set(err, ERR_USAGE, "milestone %g is not between 0 and 100 %%",
                       percent);
    if (s->n == SCHEDULE_MAX_MILESTONES)
        return err_set(err, ERR_USAGE, "more than %d milestones",
                       SCHEDULE_MAX_MILESTONES);
    if (s->n > 0 && epoch <= s->milestones[s->n - 1])
        return err_set(err, ERR_USAGE, "milestone %g does not follow the one before",
                       percent);
    s->milestones[s->n++] = epoch;
    return 0;
}

int
schedule_init(struct schedule *s, int64_t epochs, double first, const char *milestones,
              struct err *err)
{
    const char *at = milestones;
    char *end;

    *s = (struct schedule){.epochs = epochs, .first = first};
    if (strcmp(milestones, "none") == 0)
        return 0;
    for (;; at = end + 1) {
        const double percent = strtod(at, &end);
        if (end == at || (*end != ',' && *end != '\0'))
            return err_set(err, ERR_USAGE,
                           "milestones `%s`: write per cent of the epochs as "
                           "62.5,75,87.5 or none",
                           milestones);
        if (add(s, percent, err) != 0)
            return err_wrap(err, "milestones `%s`", milestones);
        if (*end == '\0')
            return 0;
    }
}

double
schedule_lr(const struct schedule *s, int64_t epoch)
{
    double lr = s->first;

    for (int i = 0; i < s->n; i++)
        if ((double)epoch > s->milestones[i])
            lr *= 0.1;
    return lr;
}
