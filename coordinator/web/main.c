/*
 * main.c - relusweep-web: the page that people keep open. It reads, and what it changes
 * on request goes the way of the command line; so it can neither stall nor change the
 * queue by itself.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/web/server.h"
#include "shared/base/exit.h"
#include "shared/base/json.h"
#include "shared/base/log.h"
#include "shared/base/proc.h"

static void
print_help(void)
{
    struct buf text = {0};

    buf_puts(&text, "relusweep-web: sweeps in the browser, live\n\n"
                    "usage: relusweep-web [options]\n\n");
    args_help(&text, web_params, n_web_params);
    fputs(buf_str(&text), stdout);
    buf_release(&text);
}

static int
say_ready(const struct web_config *config, int port, struct err *err)
{
    char host[256], url[300];
    int asked;

    if (guard_split(config->listen, host, sizeof host, &asked, err) != 0)
        return -1;
    snprintf(url, sizeof url, strchr(host, ':') ? "http://[%s]:%d/" : "http://%s:%d/",
             host, port);
    log_info("web", "url=%s version=%s", url, RELUSWEEP_VERSION);
    if (config->ready_file[0] == '\0')
        return 0;
    json_t *doc =
        json_pack("{s:s, s:i, s:i}", "url", url, "port", port, "pid", (int)getpid());
    const int rc = json_save(doc, config->ready_file, err);
    json_decref(doc);
    return rc;
}

static int
serve(const struct web_config *config, struct err *err)
{
    struct site site = {.config = config};
    struct server *server = NULL;
    int rc = -1;

    signal(SIGPIPE, SIG_IGN);
    if (guard_init(&site.guard, config->listen, config->names, config->token_file, err)
        != 0)
        goto out;
    site.cache = cache_new();
    site.mirror = mirror_new();
    if (server_new(&server, &site, err) != 0)
        goto out;
    if (say_ready(config, server_port(server), err) != 0)
        goto out;
    server_run(server);
    rc = 0;
out:
    server_free(server);
    cache_free(site.cache);
    mirror_free(site.mirror);
    guard_release(&site.guard);
    return rc;
}

int
main(int argc, char **argv)
{
    struct web_config config;
    struct args args;
    struct err err = {0};
    int rc = 0;

    if (web_config_read(&config, &args, argc, argv, &err) != 0) {
        fprintf(stderr, "relusweep-web: %s\n", err.text);
        return exit_code_of(err.kind);
    }
    if (config.help) {
        print_help();
    } else if (config.version) {
        puts("relusweep-web " RELUSWEEP_VERSION);
    } else if (serve(&config, &err) != 0) {
        fprintf(stderr, "relusweep-web: %s\n", err.text);
        rc = exit_code_of(err.kind);
    }
    args_release(&args);
    return rc;
}
