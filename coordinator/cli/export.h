#ifndef COORDINATOR_CLI_EXPORT_H
#define COORDINATOR_CLI_EXPORT_H

#include "coordinator/db/db.h"

/*
 * What `relusweep export --format` can write. A format is one function and one line in
 * the table of export.c, from which help, completion and the check of --format come.
 */
struct export_request {
    struct db *db;
    struct db_selection selection; /* a sweep or a job */
    const char *word;              /* as it was typed */
    const char *out;               /* file or folder to write; never "" */
    const char *path;              /* models: "clean" or "adv", whose batch norms */
};

struct export_format {
    const char *name, *doc;
    const char *out; /* how the default of --out ends: "<word>-<out>" */
    /* Says on stdout what it has written. */
    int (*write)(const struct export_request *r, struct err *err);
};

const struct export_format *export_find(const char *name); /* NULL: there is none */
extern const char *const export_names[];                   /* NULL-terminated */

#endif
