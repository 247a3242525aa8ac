#ifndef WORKER_PIPELINE_MODEL_IMPORT_H
#define WORKER_PIPELINE_MODEL_IMPORT_H

#include <stddef.h>

#include "shared/base/err.h"
#include "shared/base/param.h"

/*
 * Teachers that were trained elsewhere. An import is data: it lies among them as
 * imports/<digest>.safetensors, and a sweep that says `teacher: import:<digest>` has it
 * as its teacher's model, on every machine that has the file. The digest is in the job,
 * so another teacher is another job.
 */
struct model_import_config {
    const char *model, *dataset, *data_dir;
};
extern const struct param model_import_params[];
extern const size_t model_import_n_params;

/* Reads a safetensors file of a PyTorch network (F32; names as released, perhaps after
 * `module.`; one, two or three batch norms, shortcuts' shared or not: told from the
 * names; num_batches_tracked may be missing), writes it as a teacher of ours into the
 * data folder and its digest to `digest`. ERR_DATA names the first tensor that is
 * missing, too much, or of another shape. */
MUST_CHECK int model_import(char digest[65], const char *file,
                            const struct model_import_config *c, struct err *err);

/* The digest of "import:<digest>", or NULL where `teacher` is not of that form. */
const char *model_import_digest(const char *teacher);

/* Copies the import to `path`, its digest checked. ERR_DATA says where it was looked
 * for. */
MUST_CHECK int model_import_fetch(const char *digest, const char *data_dir,
                                  const char *path, struct err *err);

#endif
