/* estimate.c - seconds of a job that has not run, from those that have. */
#include "coordinator/cli/estimate.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

static double
work_of(const struct estimate *e, const json_t *spec)
{
    const struct catalog_method *m =
        catalog_find_method(e->catalog, json_str(spec, "method", ""));
    const struct catalog_stage *s =
        m != NULL ? catalog_find_stage(m, json_str(spec, "stage", "")) : NULL;

    return s != NULL ? catalog_work(e->catalog, s, json_object_get(spec, "params"))
                     : -1;
}

/* A shorter job is mostly its start. */
static const double long_enough_s = 10;

static const char *
model_of(const json_t *spec)
{
    return json_str(json_object_get(spec, "params"), "model", "");
}

/* Does a finished job tell the speed of this one? Small networks are slower at the same
 * number of multiply-adds: only those of the same model do. */
static bool
is_like(const json_t *a, const json_t *b, bool any_stage)
{
    if (strcmp(model_of(a), model_of(b)) != 0)
        return false;
    return any_stage
           || (strcmp(json_str(a, "method", ""), json_str(b, "method", "")) == 0
               && strcmp(json_str(a, "stage", ""), json_str(b, "stage", "")) == 0);
}

/* Work a second of finished jobs like this one; -1: there are none. */
static double
measured_speed(const struct estimate *e, const json_t *like, bool any_stage)
{
    const json_t *timings = json_object_get(e->known, "timings"), *row;
    double work = 0, seconds = 0;
    size_t i;

    json_array_foreach(timings, i, row)
    {
        const json_t *spec = json_object_get(row, "spec");
        const double took = json_num(row, "seconds", 0);
        if (took < long_enough_s || !is_like(spec, like, any_stage))
            continue;
        const double its_work = work_of(e, spec);
        work += its_work > 0 ? its_work : 0;
        seconds += its_work > 0 ? took : 0;
    }
    return seconds > 0 ? work / seconds : -1;
}

/* The measured speed of a stage and model, -1 without; looked up once each. */
static double
known_speed(struct estimate *e, const json_t *spec)
{
    char *key = xasprintf("%s/%s/%s", json_str(spec, "method", ""),
                          json_str(spec, "stage", ""), model_of(spec));

    if (e->speeds == NULL)
        e->speeds = json_object();
    if (json_object_get(e->speeds, key) == NULL) {
        const double own = measured_speed(e, spec, false);
        json_object_set_new(e->speeds, key,
                            json_real(own > 0 ? own : measured_speed(e, spec, true)));
    }
    const double speed = json_num(e->speeds, key, -1);
    free(key);
    return speed;
}

static double
speed_of(struct estimate *e, const json_t *spec)
{
    const double speed = known_speed(e, spec);

    if (speed > 0)
        return speed;
    e->guessed = true;
    return catalog_speed(e->catalog);
}

/* Mean seconds of finished jobs of this stage, whatever they did. */
static double
mean_seconds(const struct estimate *e, const json_t *spec)
{
    char *key =
        xasprintf("%s/%s", json_str(spec, "method", ""), json_str(spec, "stage", ""));
    const double mean = json_num(json_object_get(e->known, "seconds"), key, -1);

    free(key);
    return mean;
}

double
estimate_spec(struct estimate *e, const json_t *spec)
{
    const double work = work_of(e, spec);

    if (work < 0)
        return mean_seconds(e, spec);
    const double speed = speed_of(e, spec);
    return speed > 0 ? work / speed : -1;
}

void
estimate_release(struct estimate *e)
{
    json_decref(e->speeds);
    e->speeds = NULL;
}
