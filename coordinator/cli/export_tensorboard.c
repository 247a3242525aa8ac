/* export_tensorboard.c - a folder that `tensorboard --logdir` reads, a run for a job. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/cli/export_metrics.h"
#include "coordinator/cli/tfevents.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

static const double ms = 1e-3;

static void
put_curves(struct buf *out, const json_t *job, double wall)
{
    json_t *curve, *point;
    size_t i, k;

    json_array_foreach(json_object_get(job, "curves"), i, curve)
    {
        json_array_foreach(json_object_get(curve, "points"), k, point)
        {
            const json_t *value = json_array_get(point, 1);
            if (json_is_number(value))
                tfevents_scalar(out, wall, json_integer_value(json_array_get(point, 0)),
                                json_str(curve, "name", ""),
                                (float)json_number_value(value));
        }
    }
}

static void
put_finals(struct buf *out, const json_t *job, double wall)
{
    struct buf tag = {0};
    json_t *final;
    size_t i;

    json_array_foreach(json_object_get(job, "finals"), i, final)
    {
        const json_t *value = json_object_get(final, "value");
        buf_clear(&tag);
        buf_printf(&tag, "final/%s", json_str(final, "name", ""));
        if (json_is_number(value))
            tfevents_scalar(out, wall, 0, buf_str(&tag),
                            (float)json_number_value(value));
    }
    buf_release(&tag);
}

/* The folder of a run is named by stage and job; its event file by the job's start. */
static int
write_run(void *arg, const json_t *job, struct err *err)
{
    const struct export_request *r = arg;
    const double started = json_num(job, "started_ms", 0) * ms;
    const double ended = json_num(job, "ended_ms", 1000 * started) * ms;
    struct buf events = {0}, name = {0};

    export_file_name(&name, json_str(job, "stage", "job"));
    char *dir =
        xasprintf("%s/%s-%" PRId64, r->out, buf_str(&name), json_int(job, "id", 0));
    char *path = xasprintf("%s/events.out.tfevents.%.0f.relusweep.%" PRId64 ".0", dir,
                           started, json_int(job, "id", 0));
    tfevents_begin(&events, started);
    put_curves(&events, job, started);
    put_finals(&events, job, ended);
    int rc = file_make_dirs(dir, err);
    if (rc == 0)
        rc = export_write(path, &events, err);
    free(path);
    free(dir);
    buf_release(&name);
    buf_release(&events);
    return rc;
}

int
export_tensorboard(const struct export_request *r, struct err *err)
{
    int64_t n;

    if (export_each_job(r, write_run, (void *)r, &n, err) != 0)
        return -1;
    printf("%" PRId64 " jobs: tensorboard --logdir %s\n", n, r->out);
    return 0;
}
