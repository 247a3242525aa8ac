/* config.c - the coordinator's options, all of them in one table. */
#include "coordinator/config.h"

#include <string.h>

#include "coordinator/db/blobs.h"

const struct param config_params[] = {
    PARAM_ROW_STRING(
        struct config, database, "",
        "PostgreSQL, a libpq connection string; default: PGHOST, PGDATABASE "
        "and friends"),
    PARAM_ROW_STRING(struct config, listen, "tcp://127.0.0.1:5555",
                     "where workers connect: tcp://HOST:PORT or ipc:///path"),
    PARAM_ROW_STRING(struct config, listen_bulk, "tcp://127.0.0.1:5556",
                     "where weights and checkpoints travel"),
    PARAM_ROW_STRING(
        struct config, artifact_dir, "",
        "folder for large artifacts and checkpoints as files, twice as fast as in "
        "PostgreSQL; other coordinators of the database need the same one, shared"),
    PARAM_ROW_INT(struct config, artifact_min_mib, "16", 0, 65536,
                  "MiB from which on --artifact-dir is used"),
    PARAM_ROW_STRING(
        struct config, keys, "",
        "folder of the keys that TCP connections need, see `relusweep keys`; "
        "without it only this machine can connect"),
    PARAM_ROW_INT(struct config, lease_ms, "3000", 200, 3600000,
                  "ms of silence after which a worker's jobs run elsewhere"),
    PARAM_ROW_INT(struct config, heartbeat_ms, "500", 20, 600000,
                  "ms between signs of life"),
    PARAM_ROW_INT(struct config, max_lost, "2", 1, 1000000,
                  "workers that a job may lose before it is quarantined at the next"),
    PARAM_ROW_STRING(struct config, ready_file, "",
                     "JSON file with the endpoints, written when workers are served"),
    PARAM_ROW_BOOL(struct config, help, "false", "show this help"),
    PARAM_ROW_BOOL(struct config, version, "false", "show the version"),
};
const size_t n_config_params = PARAM_COUNT(config_params);

int
config_read(struct config *out, struct args *args, int argc, char *const *argv,
            struct err *err)
{
    if (args_parse(args, config_params, n_config_params, out, argc, argv, NULL, err)
        != 0)
        return -1;
    if (args->n_words > 0)
        err_set(err, ERR_USAGE, "`%s` is not an option (--help lists them)",
                args->words[0]);
    else if (out->artifact_dir[0] != '\0' && out->artifact_dir[0] != '/')
        err_set(err, ERR_USAGE,
                "--artifact-dir %s: write the whole path from / on, for the database "
                "keeps it for others",
                out->artifact_dir);
    else if (strlen(out->artifact_dir) >= BLOB_FOLDER_MAX)
        err_set(err, ERR_USAGE, "--artifact-dir: a path has at most %d characters",
                BLOB_FOLDER_MAX - 1);
    else if (out->lease_ms < 3 * out->heartbeat_ms)
        err_set(err, ERR_USAGE,
                "--lease-ms %lld is too short for --heartbeat-ms %lld: one or two lost "
                "heartbeats must not cost a worker its jobs; use at least %lld",
                (long long)out->lease_ms, (long long)out->heartbeat_ms,
                3 * (long long)out->heartbeat_ms);
    else
        return 0;
    args_release(args);
    return -1;
}
