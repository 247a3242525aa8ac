/* exit.c - kinds of errors as exit codes, the same for all programs. */
#include "shared/base/exit.h"

enum exit_code
exit_code_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE: return EXIT_OK;
    case ERR_USAGE: return EXIT_USAGE;
    case ERR_DB:
    case ERR_NET: return EXIT_UNREACHABLE;
    case ERR_REFUSED: return EXIT_REFUSED;
    case ERR_STOPPED: return EXIT_INTERRUPTED;
    case ERR_NUMERIC:
    case ERR_DATA:
    case ERR_OOM:
    case ERR_SYS:
    case ERR_BUG:
    case ERR_CHECKPOINT:
    case ERR_KIND_COUNT: break;
    }
    return EXIT_JOBS_FAILED;
}
