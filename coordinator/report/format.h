#ifndef COORDINATOR_REPORT_FORMAT_H
#define COORDINATOR_REPORT_FORMAT_H

#include "shared/base/err.h"
#include "shared/base/json.h"

/* One kind of file that report_write leaves in the folder. A new one is one file with a
 * `const struct format format_<name>` and one line in registry.c. */
struct format {
    const char *name, *doc;
    /* Writes its files into the folder `dir`, which is there. */
    int (*write)(const json_t *report, const char *dir, struct err *err);
};

extern const struct format *const formats[]; /* NULL-terminated */

#endif
