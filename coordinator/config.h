#ifndef COORDINATOR_CONFIG_H
#define COORDINATOR_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/args.h"

/* The coordinator's command line. */
struct config {
    const char *database;
    const char *listen, *listen_bulk;
    const char *artifact_dir;
    int64_t artifact_min_mib;
    int64_t lease_ms, heartbeat_ms, max_lost;
    const char *keys;
    const char *ready_file;
    bool help, version;
};

extern const struct param config_params[];
extern const size_t n_config_params;

/* Reads argv and checks what a table cannot say. On success the caller owns *args. */
MUST_CHECK int config_read(struct config *out, struct args *args, int argc,
                           char *const *argv, struct err *err);

#endif
