#ifndef SHARED_BASE_SIGNALS_H
#define SHARED_BASE_SIGNALS_H

#include <stddef.h>

#include "shared/base/err.h"

/*
 * Signals as bytes of a pipe, for programs that wait with poll. Blocking them and reading
 * a signalfd is not enough where a library starts threads before main does anything
 * (OpenBLAS): a thread that does not block a signal gets it, and it ends the process.
 */

/* *fd becomes readable when one of the n signals has come; one pipe for each process.
 * The descriptor is not inherited. */
MUST_CHECK int signals_open(int *fd, const int *signals, size_t n, struct err *err);

/* The next signal that has come, 0 when there is none. */
int signals_next(int fd);

/* Default actions again. */
void signals_close(int fd);

#endif
