/*
 * options.c - the agent's command line as a table, and the environment that it gives to
 * stages. Invariant: a stage sees no variable that is not named here, so what changes
 * numbers is either in its spec or recorded with its profile.
 */
#include "worker/agent/options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "worker/agent/profile.h"

#define OPT struct agent_options

const struct param agent_params[] = {
    PARAM_ROW_STRING(OPT, connect, NULL,
                     "the coordinator's address; several, separated by commas, are "
                     "tried in turn"),
    PARAM_ROW_STRING(
        OPT, keys, "",
        "folder with worker.key and coordinator.pub, see `relusweep keys`: "
        "for a coordinator on another machine"),
    PARAM_ROW_STRING(OPT, name, "", "of this worker, for people; default the host's"),
    PARAM_ROW_INT(OPT, slots, "0", 0, AGENT_MAX_SLOTS,
                  "jobs at once, while no other worker needs the cores; 0: one a core"),
    PARAM_ROW_INT(OPT, threads, "0", 0, 1024,
                  "of each job; 0: all cores, shared among the jobs that run"),
    PARAM_ROW_STRING(OPT, work_dir, "",
                     "folder for running jobs, results that wait and fetched files; "
                     "default relusweep/worker/NAME in the XDG state folder"),
    PARAM_ROW_STRING(OPT, cores_dir, "",
                     "folder where this machine's workers count their jobs; default "
                     "relusweep-cores in XDG_RUNTIME_DIR or /tmp"),
    PARAM_ROW_INT(OPT, memory_mib, "0", 0, 1e9,
                  "MiB that all jobs together may use, for jobs that need much; 0: "
                  "what the machine or the control group has"),
    PARAM_ROW_STRING(OPT, labels, "",
                     "words with commas between, for jobs that need them"),
    PARAM_ROW_STRING(OPT, backend, "auto", "of the engine"),
    {.name = "profile",
     .type = PARAM_CHOICE,
     .offset = offsetof(OPT, profile),
     .dflt = "fast",
     .choices = profile_names,
     .doc = "numerics: the kernels of this processor, or those that all have"},
    PARAM_ROW_INT(OPT, checkpoint_seconds, "60", 1, 86400,
                  "between two checkpoints of a job"),
    PARAM_ROW_STRING(
        OPT, data_dir, "",
        "folder of the data sets; default RELUSWEEP_DATA or the usual places"),
    PARAM_ROW_INT(OPT, stop_when_idle, "0", 0, 1e9,
                  "end after so many seconds without work; 0: never"),
    PARAM_ROW_INT(OPT, cache_gib, "8", 0, 100000, "GiB of fetched files to keep"),
};
const size_t agent_n_params = PARAM_COUNT(agent_params);

/* Variables that a stage may inherit; a name that ends in '_' stands for all that begin
 * with it. */
static const char *const inherited[] = {"PATH",
                                        "HOME",
                                        "LANG",
                                        "LC_",
                                        "TZ",
                                        "TMPDIR",
                                        "RELUSWEEP_CRASH",
                                        "XDG_",
                                        "LD_LIBRARY_PATH",
                                        "RELUSWEEP_DATA",
                                        "RELUSWEEP_CACHE",
                                        "RELUSWEEP_LOG",
                                        "ASAN_OPTIONS",
                                        "UBSAN_OPTIONS",
                                        "LSAN_OPTIONS",
                                        "TSAN_OPTIONS",
                                        "CUDA_VISIBLE_DEVICES"};

static int
is_inherited(const char *entry)
{
    for (size_t i = 0; i < sizeof inherited / sizeof inherited[0]; i++) {
        const size_t n = strlen(inherited[i]);
        const int prefix = inherited[i][n - 1] == '_';
        if (strncmp(entry, inherited[i], n) == 0 && (prefix || entry[n] == '='))
            return 1;
    }
    return 0;
}

struct env {
    char **entries;
    size_t n, capacity;
};

/* Takes ownership of entry; keeps a NULL behind the last. */
static void
add(struct env *e, char *entry)
{
    e->entries = xgrow(e->entries, &e->capacity, e->n + 2, sizeof *e->entries);
    e->entries[e->n++] = entry;
    e->entries[e->n] = NULL;
}

char **
options_env(const struct agent_options *o)
{
    struct env e = {0};

    add(&e, xasprintf("RELUSWEEP_THREADS=%" PRId64,
                      o->threads > 0 ? o->threads : (int64_t)proc_cores()));
    add(&e, xasprintf("RELUSWEEP_BACKEND=%s", o->backend));
    add(&e, xasprintf("RELUSWEEP_PROFILE=%s", o->profile));
    add(&e, xasprintf("RELUSWEEP_CHECKPOINT_SECONDS=%" PRId64, o->checkpoint_seconds));
    if (o->data_dir[0] != '\0')
        add(&e, xasprintf("RELUSWEEP_DATA=%s", o->data_dir));
    for (const char *const *v = profile_find(o->profile)->env; *v != NULL; v++)
        add(&e, xstrdup(*v));
    for (char *const *v = environ; *v != NULL; v++)
        if (is_inherited(*v)
            && (o->data_dir[0] == '\0' || strncmp(*v, "RELUSWEEP_DATA=", 15) != 0))
            add(&e, xstrdup(*v));
    return e.entries;
}

void
options_env_free(char **env)
{
    for (char **v = env; v != NULL && *v != NULL; v++)
        free(*v);
    free(env);
}
