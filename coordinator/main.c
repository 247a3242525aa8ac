/*
 * main.c - relusweep-coordinator: options, sockets, the store's thread, the dispatcher's
 * loop, and the end. SIGTERM and SIGINT end it cleanly; being killed loses nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "coordinator/config.h"
#include "coordinator/dispatch/dispatcher.h"
#include "shared/base/crash.h"
#include "shared/base/exit.h"
#include "shared/base/json.h"
#include "shared/base/log.h"
#include "shared/base/proc.h"

static int
print_help(void)
{
    struct buf text = {0};

    buf_puts(&text,
             "relusweep-coordinator: the queue between PostgreSQL and workers\n\n"
             "usage: relusweep-coordinator [options]\n\n");
    args_help(&text, config_params, n_config_params);
    fputs(buf_str(&text), stdout);
    buf_release(&text);
    return 0;
}

/* Signals arrive as bytes of a file; blocked before any thread starts. */
static int
open_signals(int *fd, struct err *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    *fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return *fd < 0 ? err_sys(err, "signalfd") : 0;
}

/* An address in use is a peer that cannot be reached, for a script. */
static int
open_sockets(const struct config *config, struct sock **control, struct store **store,
             struct err *err)
{
    const struct store_config s = {.endpoint = config->listen_bulk,
                                   .database = config->database,
                                   .folder = config->artifact_dir,
                                   .folder_min_bytes = config->artifact_min_mib << 20};

    if (config->keys[0] != '\0' && sock_use_server_keys(config->keys, err) != 0)
        return -1;
    if (sock_bind(control, config->listen, err) == 0
        && store_start(store, &s, err) == 0)
        return 0;
    if (err->kind == ERR_REFUSED || err->kind == ERR_SYS)
        err->kind = ERR_NET;
    return -1;
}

static char *
ready_text(const struct sock *control, const struct store *store)
{
    json_t *doc = json_pack("{s:s, s:s, s:i}", "control", sock_endpoint(control),
                            "bulk", store_endpoint(store), "pid", (int)getpid());
    char *text = json_dumps(doc, JSON_COMPACT);

    json_decref(doc);
    return text;
}

static int
serve(const struct config *config, int stop_fd, struct err *err)
{
    struct sock *control = NULL;
    struct store *store = NULL;
    struct dispatcher *dispatcher = NULL;
    char *text = NULL;
    int rc = -1;

    if (open_sockets(config, &control, &store, err) != 0)
        goto out;
    text = ready_text(control, store);
    const struct dispatcher_config d = {.database = config->database,
                                        .lease_ms = config->lease_ms,
                                        .heartbeat_ms = config->heartbeat_ms,
                                        .max_lost = config->max_lost,
                                        .control = control,
                                        .store = store,
                                        .ready_file = config->ready_file,
                                        .ready_text = text,
                                        .stop_fd = stop_fd};
    log_info("coordinator", "listen=%s bulk=%s version=%s", sock_endpoint(control),
             store_endpoint(store), RELUSWEEP_VERSION);
    if (dispatcher_new(&dispatcher, &d, err) == 0)
        rc = dispatcher_run(dispatcher, err);
out:
    dispatcher_free(dispatcher);
    store_stop(store);
    sock_close(control);
    free(text);
    return rc;
}

int
main(int argc, char **argv)
{
    struct config config;
    struct args args;
    struct err err = {0};
    int stop_fd, rc = 0;

    crash_arm();
    if (config_read(&config, &args, argc, argv, &err) != 0) {
        fprintf(stderr, "relusweep-coordinator: %s\n", err.text);
        return exit_code_of(err.kind);
    }
    if (config.help) {
        rc = print_help();
    } else if (config.version) {
        puts("relusweep-coordinator " RELUSWEEP_VERSION);
    } else if (open_signals(&stop_fd, &err) != 0
               || serve(&config, stop_fd, &err) != 0) {
        fprintf(stderr, "relusweep-coordinator: %s\n", err.text);
        rc = exit_code_of(err.kind);
    }
    args_release(&args);
    return rc;
}
