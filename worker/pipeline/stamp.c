/* stamp.c - job and version in the metadata of files to resume from. */
#include "worker/pipeline/stamp.h"

#include <stdio.h>
#include <string.h>

enum { DIGITS = 16 };

void
stamp_write(struct st_writer *w, const char *job, int version)
{
    char text[DIGITS];

    snprintf(text, sizeof text, "%d", version);
    st_writer_metadata(w, "job", job);
    st_writer_metadata(w, "version", text);
}

int
stamp_check(const struct st_file *f, const char *job, int version, struct err *err)
{
    const char *of_version = st_metadata(f, "version"), *of_job = st_metadata(f, "job");
    char own[DIGITS];

    snprintf(own, sizeof own, "%d", version);
    if (of_version == NULL || strcmp(of_version, own) != 0)
        return err_set(err, ERR_DATA, "written by another version of this program");
    if (of_job == NULL || strcmp(of_job, job) != 0)
        return err_set(err, ERR_DATA, "is of another job (%.12s, not %.12s)",
                       of_job != NULL ? of_job : "none", job);
    return 0;
}
