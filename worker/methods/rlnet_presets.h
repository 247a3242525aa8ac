#ifndef WORKER_METHODS_RLNET_PRESETS_H
#define WORKER_METHODS_RLNET_PRESETS_H

#include "worker/methods/method.h"

/* The ablations and baselines of RLNet's tables and figures (methods.md 4.1, 4.5), by
 * the names used there. */
extern const struct method_preset rlnet_presets[]; /* ends with a name of NULL */

#endif
