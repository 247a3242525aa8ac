/* paths.c - the state folder, and where sockets go. */
#include "coordinator/launch/paths.h"

#include <string.h>
#include <unistd.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { SOCKET_PATH_MAX = 107, SOCKET_NAME_ROOM = 20 };

char *
paths_socket_dir(const char *state_dir, const char *leaf)
{
    if (strlen(state_dir) + strlen(leaf) + 1 + SOCKET_NAME_ROOM <= SOCKET_PATH_MAX)
        return xasprintf("%s/%s", state_dir, leaf);
    const struct sha256 name = sha256_bytes(state_dir, strlen(state_dir));
    return xasprintf("/tmp/relusweep-%u-%.8s-%s", (unsigned)geteuid(), name.hex, leaf);
}

int
paths_make_state_dir(const char *state_dir, struct err *err)
{
    if (file_make_dirs(state_dir, err) == 0)
        return 0;
    err->kind = ERR_DB;
    return err_wrap(err, "the state folder cannot be used; choose another with "
                         "--state-dir or RELUSWEEP_STATE");
}
