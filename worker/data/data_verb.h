#ifndef WORKER_DATA_DATA_VERB_H
#define WORKER_DATA_DATA_VERB_H

#include "shared/base/err.h"

#define DATA_VERB_USAGE "check [DIR] | corrupt DATASET [options]"

/* `relusweep-worker data ...`: argv[0] is "data". Prints on stdout. ERR_USAGE for what
 * it does not know. */
MUST_CHECK int data_verb(int argc, char *const *argv, struct err *err);

#endif
