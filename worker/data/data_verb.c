/* data_verb.c - the words and options after `data`; the work is done elsewhere. */
#include "worker/data/data_verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/args.h"
#include "shared/base/proc.h"
#include "shared/spec/data_options.h"
#include "worker/data/data_check.h"
#include "worker/data/data_corrupt.h"

static const char *
data_dir(const struct data_options *o)
{
    return o->data_dir[0] != '\0' ? o->data_dir : getenv("RELUSWEEP_DATA");
}

static int
check(const struct data_options *o, const struct args *args, struct err *err)
{
    struct buf report = {0};

    const int rc =
        data_check(args->n_words > 1 ? args->words[1] : data_dir(o), &report, err);
    fputs(buf_str(&report), stdout);
    buf_release(&report);
    return rc;
}

static int
corrupt(const struct data_options *o, const struct args *args, struct err *err)
{
    const struct data_corrupt_config config = {
        .dataset = args->words[1],
        .data_dir = data_dir(o),
        .corruption = o->corruption,
        .severity = o->severity,
        .out = o->out,
        .images = o->images,
        .threads = o->threads > 0 ? (int)o->threads : proc_cores(),
    };

    return data_corrupt(&config, stdout, err);
}

int
data_verb(int argc, char *const *argv, struct err *err)
{
    struct data_options o = {0};
    struct args args = {0};
    int rc =
        args_parse(&args, data_options, data_options_count, &o, argc, argv, NULL, err);

    if (rc == 0) {
        const char *what = args.n_words > 0 ? args.words[0] : "";
        if (strcmp(what, "check") == 0 && args.n_words <= 2)
            rc = check(&o, &args, err);
        else if (strcmp(what, "corrupt") == 0 && args.n_words == 2)
            rc = corrupt(&o, &args, err);
        else
            rc = err_set(err, ERR_USAGE, "write data " DATA_VERB_USAGE);
    }
    args_release(&args);
    return rc;
}
