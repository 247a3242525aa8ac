/* config.c - the options of relusweep-web, all of them in one table. */
#include "coordinator/web/config.h"

const struct param web_params[] = {
    PARAM_ROW_STRING(struct web_config, database, "",
                     "PostgreSQL, a libpq connection string; default: PGHOST, "
                     "PGDATABASE and friends"),
    PARAM_ROW_STRING(struct web_config, listen, "127.0.0.1:8080",
                     "HOST:PORT; port 0: any that is free; anything but this machine "
                     "needs --token-file"),
    PARAM_ROW_BOOL(struct web_config, another_port, "false",
                   "any port that is free, where that one is taken"),
    PARAM_ROW_STRING(struct web_config, names, "",
                     "more names that browsers may call this server, with commas "
                     "between"),
    PARAM_ROW_STRING(struct web_config, token_file, "",
                     "file of mode 600 with the secret that opens the page"),
    PARAM_ROW_INT(struct web_config, threads, "3", 1, 64,
                  "pages made at once, each with a connection to the database"),
    PARAM_ROW_INT(struct web_config, poll_ms, "100", 10, 60000,
                  "ms between looks for changes while somebody watches; one query for "
                  "all that watch"),
    PARAM_ROW_STRING(struct web_config, ready_file, "",
                     "JSON file with the address, written when pages are served"),
    PARAM_ROW_BOOL(struct web_config, help, "false", "show this help"),
    PARAM_ROW_BOOL(struct web_config, version, "false", "show the version"),
};
const size_t n_web_params = PARAM_COUNT(web_params);

int
web_config_read(struct web_config *out, struct args *args, int argc, char *const *argv,
                struct err *err)
{
    if (args_parse(args, web_params, n_web_params, out, argc, argv, NULL, err) != 0)
        return -1;
    if (args->n_words == 0)
        return 0;
    err_set(err, ERR_USAGE, "`%s` is not an option (--help lists them)",
            args->words[0]);
    args_release(args);
    return -1;
}
