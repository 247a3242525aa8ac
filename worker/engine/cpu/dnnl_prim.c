/* dnnl_prim.c - primitives of oneDNN that the threads of a team share.
 *
 * Invariant: oneDNN never starts threads. Its OpenMP is limited to one thread in every
 * thread that makes or runs a primitive, so each primitive is made for one thread and
 * its result does not depend on the size of the team. */
#include "worker/engine/cpu/dnnl_prim.h"

#include <assert.h>
#include <omp.h>
#include <pthread.h>
#include <stdlib.h>

#include "shared/base/mem.h"

static dnnl_engine_t engine;
static dnnl_status_t engine_status;

int
dnnl_prim_failed(struct err *err, const char *what, dnnl_status_t status)
{
    const enum err_kind kind = status == dnnl_out_of_memory ? ERR_OOM : ERR_BUG;

    return err_set(err, kind, "oneDNN: %s failed with status %d", what, (int)status);
}

/* Limits OpenMP in this thread; cheap after the first time. */
static void
enter_thread(void)
{
    static _Thread_local bool entered;

    if (!entered)
        omp_set_num_threads(1);
    entered = true;
}

static void
make_engine(void)
{
    engine_status = dnnl_engine_create(&engine, dnnl_cpu, 0);
}

int
dnnl_prim_engine(dnnl_engine_t *out, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    enter_thread();
    pthread_once(&once, make_engine);
    *out = engine;
    return engine_status == dnnl_success
               ? 0
               : dnnl_prim_failed(err, "engine", engine_status);
}

dnnl_status_t
dnnl_prim_attr(dnnl_primitive_attr_t *out)
{
    const dnnl_status_t status = dnnl_primitive_attr_create(out);

    if (status != dnnl_success)
        return status;
    return dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
}

/* Stream and memory objects of one thread. */
static dnnl_status_t
bind_thread(struct dnnl_prim *p, int thread, const struct dnnl_prim_arg *args)
{
    dnnl_exec_arg_t *bound = p->args + (int64_t)thread * DNNL_PRIM_ARGS;
    dnnl_status_t status =
        dnnl_stream_create(&p->streams[thread], engine, dnnl_stream_default_flags);

    for (int i = 0; i < p->n_args && status == dnnl_success; i++) {
        bound[i].arg = args[i].name;
        status = dnnl_memory_create(&bound[i].memory, &args[i].desc, engine,
                                    DNNL_MEMORY_NONE);
    }
    return status;
}

int
dnnl_prim_make(struct dnnl_prim *p, int threads, dnnl_primitive_desc_t pd,
               const struct dnnl_prim_arg *args, int n, struct err *err)
{
    struct dnnl_prim_arg all[DNNL_PRIM_ARGS];

    assert(n < DNNL_PRIM_ARGS);
    for (int i = 0; i < n; i++)
        all[i] = args[i];
    all[n].name = DNNL_ARG_SCRATCHPAD;
    all[n].desc = *dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    p->scratch = ((int64_t)dnnl_memory_desc_get_size(&all[n].desc) + 3) / 4;
    p->threads = threads;
    p->n_args = n + 1;
    p->args = xcalloc((size_t)threads * DNNL_PRIM_ARGS, sizeof(*p->args));
    p->streams = xcalloc((size_t)threads, sizeof(dnnl_stream_t));

    dnnl_status_t status = dnnl_primitive_create(&p->primitive, pd);
    dnnl_primitive_desc_destroy(pd);
    for (int t = 0; t < threads && status == dnnl_success; t++)
        status = bind_thread(p, t, all);
    return status == dnnl_success ? 0 : dnnl_prim_failed(err, "primitive", status);
}

static dnnl_status_t
reorder_attr(dnnl_primitive_attr_t *attr, bool accumulate)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_prim_attr(attr);

    if (status != dnnl_success || !accumulate)
        return status;
    status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success)
        status = dnnl_post_ops_append_sum(ops, 1.0f);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    dnnl_post_ops_destroy(ops);
    return status;
}

int
dnnl_prim_make_copy(struct dnnl_prim *p, int threads, const dnnl_memory_desc_t *from,
                    const dnnl_memory_desc_t *to, bool accumulate, struct err *err)
{
    const struct dnnl_prim_arg args[] = {{DNNL_ARG_FROM, *from}, {DNNL_ARG_TO, *to}};
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status = reorder_attr(&attr, accumulate);

    if (status == dnnl_success)
        status =
            dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, attr);
    dnnl_primitive_attr_destroy(attr);
    if (status != dnnl_success)
        return dnnl_prim_failed(err, "reorder", status);
    return dnnl_prim_make(p, threads, pd, args, 2, err);
}

void
dnnl_prim_release(struct dnnl_prim *p)
{
    for (int i = 0; p->args != NULL && i < p->threads * DNNL_PRIM_ARGS; i++)
        if (p->args[i].memory != NULL)
            dnnl_memory_destroy(p->args[i].memory);
    for (int t = 0; p->streams != NULL && t < p->threads; t++)
        if (p->streams[t] != NULL)
            dnnl_stream_destroy(p->streams[t]);
    if (p->primitive != NULL)
        dnnl_primitive_destroy(p->primitive);
    free(p->args);
    free(p->streams);
    *p = (struct dnnl_prim){0};
}

/* oneDNN zeroes padding when a pointer is set, so an unchanged one is left alone: packed
 * weights are shared by the threads. */
static void
point_to(dnnl_memory_t memory, float *data)
{
    void *old = NULL;

    dnnl_memory_get_data_handle(memory, &old);
    if (old != data)
        dnnl_memory_set_data_handle(memory, data);
}

void
dnnl_prim_run(const struct dnnl_prim *p, int thread, float *const data[DNNL_PRIM_ARGS])
{
    const dnnl_exec_arg_t *args = p->args + (int64_t)thread * DNNL_PRIM_ARGS;

    enter_thread();
    for (int i = 0; i < p->n_args; i++)
        point_to(args[i].memory, data[i]);
    const dnnl_status_t status =
        dnnl_primitive_execute(p->primitive, p->streams[thread], p->n_args, args);
    assert(status == dnnl_success); /* sizes were checked when it was made */
}
