#ifndef COORDINATOR_CLI_EXPORT_METRICS_H
#define COORDINATOR_CLI_EXPORT_METRICS_H

#include "coordinator/cli/export.h"

/* Formats of measurements; each writes r->out, replacing what it wrote before. */

/* finals.csv: a line for each job and final metric; curves.csv: for each point. */
MUST_CHECK int export_csv(const struct export_request *r, struct err *err);

/* One document of db_job_metrics a line. */
MUST_CHECK int export_jsonl(const struct export_request *r, struct err *err);

/* A folder with an event file for each job. The times of points are not kept, so all
 * points of a job have the time of its start and finals that of its end. */
MUST_CHECK int export_tensorboard(const struct export_request *r, struct err *err);

/* A file store: one experiment, a run for each job that ran. */
MUST_CHECK int export_mlflow(const struct export_request *r, struct err *err);

/* Calls `each` with the document of every selected job, by id, until one fails. *n: how
 * many. */
typedef int (*export_job_fn)(void *arg, const json_t *job, struct err *err);
MUST_CHECK int export_each_job(const struct export_request *r, export_job_fn each,
                               void *arg, int64_t *n, struct err *err);

/* Writes a whole file. Without the care for crashes that file_write takes, which costs too
 * much for thousands of small ones: an export can be made again. */
MUST_CHECK int export_write(const char *path, struct buf *bytes, struct err *err);

/* "train/loss" -> "train-loss": a name that is one part of a path. Appends to `out`. */
void export_file_name(struct buf *out, const char *text);

#endif
