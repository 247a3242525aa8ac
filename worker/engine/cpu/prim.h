#ifndef WORKER_ENGINE_CPU_PRIM_H
#define WORKER_ENGINE_CPU_PRIM_H

#include <dnnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

#if DNNL_VERSION_MAJOR != 2
#error "prim.c and dnnl.c speak oneDNN 2; version 3 changed descriptors and attributes"
#endif

/*
 * A oneDNN primitive that any thread of a team may run at any time: memory objects and
 * streams are there once for each thread, the scratchpad is the caller's. Initialise
 * with {0}.
 */
enum { PRIM_MAX_ARGS = 4 };

struct prim {
    dnnl_primitive_t primitive;
    int threads, n_args;
    dnnl_exec_arg_t *args; /* PRIM_MAX_ARGS of each thread */
    dnnl_stream_t *streams;
    int64_t scratch; /* floats; the scratchpad is the last argument */
};

/* One argument: DNNL_ARG_* and its layout. */
struct prim_arg {
    int name;
    dnnl_memory_desc_t desc;
};

/* The CPU engine; made at first use, never released. */
MUST_CHECK int prim_engine(dnnl_engine_t *out, struct err *err);

/* Attributes that ask for a scratchpad from the user; caller destroys. */
dnnl_status_t prim_attr(dnnl_primitive_attr_t *out);

/* Makes a primitive of `pd` (taken, also on failure) with n arguments; the scratchpad is
 * added as one more. */
MUST_CHECK int prim_make(struct prim *p, int threads, dnnl_primitive_desc_t pd,
                         const struct prim_arg *args, int n, struct err *err);

/* A primitive that copies `from` into layout `to`, or adds to it. */
MUST_CHECK int prim_make_reorder(struct prim *p, int threads,
                                 const dnnl_memory_desc_t *from,
                                 const dnnl_memory_desc_t *to, bool accumulate,
                                 struct err *err);
void prim_release(struct prim *p);

/* Runs on the calling thread, which is `thread` of its team. data: of the n arguments in
 * their order; scratch: p->scratch floats. */
void prim_run(const struct prim *p, int thread, float *const *data, float *scratch);

MUST_CHECK int prim_failed(struct err *err, const char *what, dnnl_status_t status);

#endif
