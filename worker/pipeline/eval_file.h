#ifndef WORKER_PIPELINE_EVAL_FILE_H
#define WORKER_PIPELINE_EVAL_FILE_H

#include "shared/base/err.h"
#include "worker/pipeline/eval_part.h"

/*
 * The answers of an evaluation on disk: its checkpoint, and in the end its artifact
 * "answers". A safetensors file: for each part that has begun a U8 tensor of its name,
 * as long as the images that are done, 1 = right; `images/clean`, `images/corrupted`,
 * `images/attacked` (I64): the test images of these places; metadata `job` (digest of
 * the spec) and `version`.
 */
enum { EVAL_FILE_VERSION = 1 };

MUST_CHECK int eval_file_save(const struct eval_parts *p, const char *job,
                              const char *path, struct err *err);

/* Fills `right` and `done` of the parts. ERR_DATA, with nothing changed, when the file
 * is missing, damaged, of another job or version, or of other images. */
MUST_CHECK int eval_file_load(struct eval_parts *p, const char *job, const char *path,
                              struct err *err);

#endif
