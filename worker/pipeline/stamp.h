#ifndef WORKER_PIPELINE_STAMP_H
#define WORKER_PIPELINE_STAMP_H

#include "worker/pipeline/safetensors.h"

/*
 * What a file to resume from says of itself: the job (its digest) and the version of its
 * own layout. A file of another job or version is no error of the disk: it is refused,
 * and the stage begins anew.
 */
void stamp_write(struct st_writer *w, const char *job, int version);

/* -1 with err (ERR_DATA) when the file is of another job or version. */
MUST_CHECK int stamp_check(const struct st_file *f, const char *job, int version,
                           struct err *err);

#endif
