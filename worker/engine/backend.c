/* backend.c - the list of backends and the choice of one.
 *
 * The first row that this build has is "auto"; a CUDA backend is one more line. */
#include "worker/engine/backend.h"

#include <string.h>

#include "shared/base/buf.h"
#include "worker/engine/backend_table.h"

extern const struct backend backend_dnnl, backend_blas;

const struct backend *const backends[] = {
#if RELUSWEEP_DNNL
    &backend_dnnl,
#endif
    &backend_blas,
    NULL,
};

int
backend_find(const struct backend **out, const char *name, struct err *err)
{
    struct buf known = {0};

    if (strcmp(name, "auto") == 0) {
        *out = backends[0];
        return 0;
    }
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        if (strcmp((*b)->name, name) == 0) {
            buf_release(&known);
            *out = *b;
            return 0;
        }
        buf_printf(&known, ", %s", (*b)->name);
    }
    err_set(err, ERR_USAGE, "backend `%s` is not in this build; it has: auto%s", name,
            buf_str(&known));
    buf_release(&known);
    return -1;
}

const char *
backend_name(const struct backend *b)
{
    return b->name;
}

void
backend_describe(const struct backend *b, char *text, size_t size)
{
    b->describe(text, size);
}
