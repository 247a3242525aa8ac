#ifndef SHARED_BASE_PROC_H
#define SHARED_BASE_PROC_H

/* Small facts about this process and its neighbours. */

/* Absolute path of a program that stands beside the running one ("relusweep-worker");
 * falls back to the bare name, which execvp looks up. Caller frees. */
char *proc_sibling(const char *name);

/* Processor cores that this process may use: those of its affinity, at most the quota of
 * its control groups (whole ones; see cgroup.h) and SLURM_CPUS_PER_TASK. At least 1. */
int proc_cores(void);

/* Program version, as printed by --version and compared between worker and
 * coordinator. */
#define RELUSWEEP_VERSION "0.1.0"

#endif
