/* provenance.c - the facts that are recorded with an attempt. */
#include "worker/pipeline/provenance.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/proc.h"

/* "AMD EPYC 7B13 64-Core Processor", or "" where the system does not say. */
static void
cpu_name(char *out, size_t size)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "re");

    out[0] = '\0';
    while (f != NULL && out[0] == '\0' && fgets(line, sizeof line, f) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL)
            snprintf(out, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    if (f != NULL)
        fclose(f);
}

json_t *
provenance_describe(const struct backend *backend, int threads)
{
    char host[256] = "", cpu[256], engine[256];
    const char *profile = getenv("RELUSWEEP_PROFILE");

    gethostname(host, sizeof host - 1);
    cpu_name(cpu, sizeof cpu);
    backend_describe(backend, engine, sizeof engine);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "host", host, "cpu",
                     cpu, "program", RELUSWEEP_VERSION, "backend",
                     backend_name(backend), "engine", engine, "blas_core",
                     openblas_get_corename(), "threads", threads, "profile",
                     profile != NULL ? profile : "");
}
