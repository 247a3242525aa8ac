#ifndef SHARED_SPEC_DATA_OPTIONS_H
#define SHARED_SPEC_DATA_OPTIONS_H

#include "shared/base/param.h"

/* Options of `relusweep data`, which hands them on to `relusweep-worker data`. */
struct data_options {
    const char *data_dir;
    const char *corruption, *severity, *out;
    int64_t images, threads;
};
enum { DATA_OPTIONS = 6 };
extern const struct param data_options[DATA_OPTIONS];
extern const size_t data_options_count; /* as many, for tables that want a pointer */

#endif
