#ifndef WORKER_AGENT_PROFILE_H
#define WORKER_AGENT_PROFILE_H

/*
 * Numerics profiles: what the environment of a stage's process says to OpenBLAS and
 * oneDNN. The libraries read it when they are loaded, so it must be set before the
 * process starts; whatever the agent itself inherited is not passed on.
 *
 *   fast      each library chooses the kernels of this processor (the default)
 *   portable  AVX2 kernels everywhere, so that machines agree with each other
 *
 * Both give the libraries one thread: the engine spreads the work itself.
 */
struct profile {
    const char *name;
    const char *const *env; /* "NAME=value", NULL-terminated */
};

/* Names of all profiles, NULL-terminated. */
extern const char *const profile_names[];

/* NULL where there is none. */
const struct profile *profile_find(const char *name);

#endif
