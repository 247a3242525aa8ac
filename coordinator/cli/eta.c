/*
 * eta.c - the end of a sweep from its stages: what is left of each, how long one takes
 * and how well that is known.
 */
#include "coordinator/cli/eta.h"

#include <math.h>
#include <string.h>

/* How far the mean of a stage may be off, as a share of it. */
static const double guess_is_off = 0.5;     /* the catalogue's guess of the speed */
static const double elsewhere_is_off = 0.3; /* measured in other sweeps */
static const double least_off = 0.05;
static const double running_is_off = 0.1;  /* of what a running job says */
static const double usual_variation = 0.3; /* between jobs of a stage, before two */

struct stage {
    bool known;
    double mean_s, off; /* of one job; share by which the mean may be off */
    double sd_s;        /* from one job to the next */
};

/* Sums over all that is to do. */
struct load {
    bool known;
    double work_s, off_s, variance; /* of one machine that does it all */
    double chain_s, chain_off_s;
};

/* Mean estimate of the sampled jobs, -1 where one has none. */
static double
sample_mean(const json_t *row, struct estimate *e)
{
    const json_t *sample = json_object_get(row, "sample"), *spec;
    double sum = 0;
    size_t i;

    if (e == NULL || json_array_size(sample) == 0)
        return -1;
    json_array_foreach(sample, i, spec)
    {
        const double s = estimate_spec(e, spec);
        if (s < 0)
            return -1;
        sum += s;
    }
    return sum / (double)json_array_size(sample);
}

/* A measured speed knows that jobs to come are larger than those that were; the plain
 * mean of these is still better than a guess. */
static struct stage
stage_of(const json_t *row, struct estimate *e)
{
    const double n = json_num(row, "timed", 0), mean = json_num(row, "mean", -1);
    const double sd = json_num(row, "sd", -1);
    const double variation =
        n >= 2 && mean > 0 && sd >= 0 ? sd / mean : usual_variation;
    struct stage s = {.known = true};

    if (e != NULL)
        e->guessed = false;
    s.mean_s = sample_mean(row, e);
    const bool guessed = e != NULL && s.mean_s >= 0 && e->guessed;
    s.off = guessed ? guess_is_off : elsewhere_is_off;
    if (n > 0 && (s.mean_s < 0 || guessed))
        s.mean_s = mean;
    if (n > 0)
        s.off = fmax(least_off, variation / sqrt(n));
    s.known = s.mean_s >= 0;
    s.sd_s = variation * s.mean_s;
    return s;
}

static void
add_waiting(struct load *sum, const struct stage *s, double n)
{
    if (n <= 0)
        return;
    sum->known = sum->known && s->known;
    sum->work_s += n * s->mean_s;
    sum->off_s += n * s->mean_s * s->off;
    sum->variance += n * s->sd_s * s->sd_s;
}

/* What the stage's running jobs say, else half of the mean. Returns the longest. */
static double
add_running(struct load *sum, const struct stage *s, const json_t *row,
            const json_t *running)
{
    const json_t *r;
    double longest = 0;
    size_t i;

    json_array_foreach(running, i, r)
    {
        double left = json_num(r, "seconds_left", -1);
        if (strcmp(json_str(r, "stage", ""), json_str(row, "stage", "")) != 0)
            continue;
        sum->known = sum->known && (left >= 0 || s->known);
        sum->off_s += left >= 0 ? left * running_is_off : s->mean_s / 2;
        left = left >= 0 ? left : s->mean_s / 2;
        sum->work_s += left;
        longest = fmax(longest, left);
    }
    return longest;
}

/* Stages of one method follow each other; methods run beside each other. */
static struct load
add_up(const json_t *outlook, const json_t *running, struct estimate *e)
{
    const json_t *stages = json_object_get(outlook, "stages"), *row;
    struct load sum = {.known = true};
    const char *method = "";
    double chain = 0, chain_off = 0;
    size_t i;

    json_array_foreach(stages, i, row)
    {
        const struct stage s = stage_of(row, e);
        const double waiting = json_num(row, "waiting", 0);
        if (strcmp(method, json_str(row, "method", "")) != 0)
            chain = chain_off = 0;
        method = json_str(row, "method", "");
        add_waiting(&sum, &s, waiting);
        const double longest = add_running(&sum, &s, row, running);
        chain += waiting > 0 ? s.mean_s : longest;
        chain_off += waiting > 0 ? s.mean_s * s.off : longest * running_is_off;
        if (chain > sum.chain_s) {
            sum.chain_s = chain;
            sum.chain_off_s = chain_off;
        }
    }
    return sum;
}

struct eta
eta_of(const json_t *outlook, const json_t *running, int64_t slots, struct estimate *e)
{
    const struct load sum = add_up(outlook, running, e);
    const double off = sum.off_s + sqrt(sum.variance), n = (double)slots;

    if (!sum.known || slots < 1)
        return (struct eta){.known = false};
    return (struct eta){
        .known = true,
        .low_s =
            fmax(fmax(0, sum.work_s - off) / n, fmax(0, sum.chain_s - sum.chain_off_s)),
        .high_s =
            (sum.work_s + off) / n + (1 - 1 / n) * (sum.chain_s + sum.chain_off_s),
    };
}

/* The unit in which `seconds` is written, and how fine. */
struct unit {
    double below_s, size_s, step;
    const char *name;
};
static const struct unit units[] = {
    {20, 1, 1, "s"},           {90, 1, 5, "s"},
    {90 * 60, 60, 1, "min"},   {10 * 3600, 3600, 0.5, "h"},
    {72 * 3600, 3600, 1, "h"}, {INFINITY, 86400, 1, "days"},
};

void
eta_put(struct buf *out, const struct eta *eta)
{
    const struct unit *u = units;

    while (eta->high_s >= u->below_s)
        u++;
    const double low = floor(eta->low_s / u->size_s / u->step) * u->step;
    const double high = ceil(eta->high_s / u->size_s / u->step) * u->step;
    if (high - low <= u->step && low > 0)
        buf_printf(out, "about %.3g %s", high, u->name);
    else if (low <= 0)
        buf_printf(out, "up to %.3g %s", high > 0 ? high : u->step, u->name);
    else
        buf_printf(out, "%.3g to %.3g %s", low, high, u->name);
}
