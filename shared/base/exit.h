#ifndef SHARED_BASE_EXIT_H
#define SHARED_BASE_EXIT_H

#include "shared/base/err.h"

/* What every program of relusweep ends with; scripts rely on these numbers. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_JOBS_FAILED = 1, /* also anything that no other code names */
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3, /* database, coordinator or address */
    EXIT_REFUSED = 4,
    EXIT_INTERRUPTED = 130,
};

/* The exit code for an error of this kind. */
enum exit_code exit_code_of(enum err_kind kind);

#endif
