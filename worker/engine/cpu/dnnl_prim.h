#ifndef WORKER_ENGINE_CPU_DNNL_PRIM_H
#define WORKER_ENGINE_CPU_DNNL_PRIM_H

#include <dnnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

#if DNNL_VERSION_MAJOR != 2
#error "this code speaks oneDNN 2; version 3 changed descriptors and attributes"
#endif

enum { DNNL_PRIM_ARGS = 4 }; /* at most, the scratchpad among them */

/* A primitive that any thread of a team may run at any time: memory objects and streams
 * are there once for each thread, the scratchpad is the caller's. */
struct dnnl_prim {
    dnnl_primitive_t primitive;
    int threads, n_args;
    dnnl_exec_arg_t
        *args; /* DNNL_PRIM_ARGS of each thread; the scratchpad is the last */
    dnnl_stream_t *streams;
    int64_t scratch; /* floats */
};

/* One argument: DNNL_ARG_* and its layout. */
struct dnnl_prim_arg {
    int name;
    dnnl_memory_desc_t desc;
};

/* The CPU engine, made at first use and never released. */
MUST_CHECK int dnnl_prim_engine(dnnl_engine_t *out, struct err *err);

/* Attributes that ask for a scratchpad from the user; caller destroys. */
dnnl_status_t dnnl_prim_attr(dnnl_primitive_attr_t *out);

/* Makes a primitive of `pd` (taken, also on failure) with n arguments; the scratchpad is
 * added as one more. On failure dnnl_prim_release is the caller's. */
MUST_CHECK int dnnl_prim_make(struct dnnl_prim *p, int threads,
                              dnnl_primitive_desc_t pd,
                              const struct dnnl_prim_arg *args, int n, struct err *err);

/* A primitive that copies `from` into layout `to`, or adds to it. */
MUST_CHECK int dnnl_prim_make_copy(struct dnnl_prim *p, int threads,
                                   const dnnl_memory_desc_t *from,
                                   const dnnl_memory_desc_t *to, bool accumulate,
                                   struct err *err);
void dnnl_prim_release(struct dnnl_prim *p);

/* Runs on the calling thread, which is `thread` of its team. data: of the arguments in
 * their order, and then the scratchpad. */
void dnnl_prim_run(const struct dnnl_prim *p, int thread,
                   float *const data[DNNL_PRIM_ARGS]);

/* Sets err from a status; returns -1. */
int dnnl_prim_failed(struct err *err, const char *what, dnnl_status_t status);

#endif
