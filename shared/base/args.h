#ifndef SHARED_BASE_ARGS_H
#define SHARED_BASE_ARGS_H

#include <stddef.h>

#include "shared/base/err.h"
#include "shared/base/param.h"

/*
 * Command lines by parameter tables: the row `state_dir` is written --state-dir VALUE
 * or --state-dir=VALUE; a PARAM_BOOL row is a flag (--json), or --json=false. `-o VALUE`
 * is --out VALUE, wherever there is such a row. "--" ends options. A string row whose name is listed in `repeated` may be given several times;
 * its values arrive separated by '\n'.
 */
struct args {
    const char **words; /* positional arguments, borrowed from argv */
    size_t n_words;
    json_t *values; /* what was given; strings in config are borrowed from it */
};

/* Parses argv[1..argc) into `config`. On success the caller owns *out. */
MUST_CHECK int args_parse(struct args *out, const struct param *params, size_t n,
                          void *config, int argc, char *const *argv,
                          const char *repeated, struct err *err);
void args_release(struct args *a);

/* "-o, " for the one option with a short form, "" for the others. */
const char *args_short(const struct param *p);

/* One aligned line per option, default in brackets, for --help. */
void args_help(struct buf *out, const struct param *params, size_t n);

#endif
