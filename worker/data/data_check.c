/* data_check.c - what of each registered data set is on this machine, and sound. */
#include "worker/data/data_check.h"

#include <inttypes.h>

#include "worker/data/corrupted.h"
#include "worker/data/dataset.h"
#include "worker/data/own_sets.h"

int
data_check(const char *dir, struct buf *out, struct err *err)
{
    struct buf complaints = {0};
    int rc = 0;

    (void)own_sets_find(NULL, dir, &complaints);
    for (const struct dataset_source **s = dataset_sources; *s != NULL; s++) {
        struct err each;

        buf_printf(out,
                   "%s: %" PRId64 " classes, %" PRId64 "x%" PRId64 ", %" PRId64
                   " training and %" PRId64 " test images\n",
                   (*s)->name, (*s)->classes, (*s)->h, (*s)->w, (*s)->n_train,
                   (*s)->n_test);
        if ((*s)->check(*s, out, dir, &each) == 0
            && corrupted_check(out, *s, dir, &each) == 0)
            continue;
        if (rc != 0)
            continue;
        *err = each;
        rc = err_wrap(err, "data set %s", (*s)->name);
    }
    buf_puts(out, buf_str(&complaints));
    buf_release(&complaints);
    return rc;
}
