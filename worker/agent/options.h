#ifndef WORKER_AGENT_OPTIONS_H
#define WORKER_AGENT_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/param.h"

enum { AGENT_MAX_SLOTS = 32 };

/* How an agent was started; see the rows in options.c for meanings. */
struct agent_options {
    const char *connect, *name, *work_dir, *backend, *profile, *data_dir, *cores_dir;
    const char *keys, *labels;
    int64_t memory_mib, slots, threads, checkpoint_seconds, stop_when_idle, cache_gib;
};

extern const struct param agent_params[];
extern const size_t agent_n_params;

/* The environment of a stage's process: what it may inherit, the numerics profile and
 * the RELUSWEEP_ variables of the contract in PROTOCOL.md. NULL-terminated; freed with
 * options_env_free. */
char **options_env(const struct agent_options *o);
void options_env_free(char **env);

#endif
