#ifndef COORDINATOR_WEB_CONFIG_H
#define COORDINATOR_WEB_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/args.h"

/* The command line of relusweep-web. */
struct web_config {
    const char *database, *listen, *names, *token_file, *ready_file;
    int64_t threads, poll_ms;
    bool another_port, help, version;
};

extern const struct param web_params[];
extern const size_t n_web_params;

/* On success the caller owns *args. */
MUST_CHECK int web_config_read(struct web_config *out, struct args *args, int argc,
                               char *const *argv, struct err *err);

#endif
