/* write.c - the report as a folder of files. Same document in, same bytes out. */
#include "coordinator/report/format.h"
#include "coordinator/report/report.h"
#include "shared/base/file.h"

int
report_write(const json_t *report, const char *dir, struct err *err)
{
    if (file_make_dirs(dir, err) != 0)
        return err_wrap(err, "report");
    for (const struct format *const *f = formats; *f != NULL; f++)
        if ((*f)->write(report, dir, err) != 0)
            return err_wrap(err, "report, %s", (*f)->name);
    return 0;
}
