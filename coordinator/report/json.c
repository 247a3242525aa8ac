/* json.c - the report document itself, as report.json. */
#include <stdlib.h>

#include "coordinator/report/format.h"
#include "shared/base/file.h"

static int
write_json(const json_t *report, const char *dir, struct err *err)
{
    char *path = file_join(dir, "report.json");
    const int rc = json_save(report, path, err);

    free(path);
    return rc;
}

const struct format format_json = {
    .name = "json",
    .doc = "report.json: everything, for programs",
    .write = write_json,
};
