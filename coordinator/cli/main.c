/* main.c - `relusweep VERB ...`: finds the verb, parses by its table, runs it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/context.h"
#include "shared/base/args.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"

static void
print_overview(FILE *to)
{
    const char *group = "";

    fprintf(to,
            "relusweep %s: sweeps of ReLU-reduction methods, from a grid to a Pareto "
            "report\n\nusage: relusweep VERB [arguments] [options]\n",
            RELUSWEEP_VERSION);
    for (const struct cmd *const *c = cmds; *c != NULL; c++) {
        if (strcmp((*c)->group, group) != 0)
            fprintf(to, "\n%s\n", (*c)->group);
        group = (*c)->group;
        fprintf(to, "  %-11s %s\n", (*c)->name, (*c)->doc);
    }
    fprintf(to,
            "\n`relusweep VERB --help` tells the options of a verb. Exit codes: 0 ok, "
            "1 jobs failed,\n2 usage or sweep file, 3 cannot reach database or "
            "coordinator, 4 refused, 130 interrupted.\n");
}

static void
print_help(const struct cmd *c)
{
    struct buf text = {0};

    buf_printf(&text, "relusweep %s: %s\n\nusage: relusweep %s %s [options]\n", c->name,
               c->doc, c->name, c->usage);
    if (c->n_params > 0) {
        buf_puts(&text, "\noptions:\n");
        args_help(&text, c->params, c->n_params);
    }
    buf_puts(&text, "\noptions of every verb:\n");
    args_help(&text, global_params, n_global_params);
    fputs(buf_str(&text), stdout);
    buf_release(&text);
}

/* One table for the parser: the verb's rows, then the global ones, whose fields lie
 * behind the verb's config. */
struct combined {
    struct param *rows;
    size_t n, globals_at;
    void *config;
};

static struct combined
combine(const struct cmd *c)
{
    const size_t align = sizeof(void *);
    struct combined all = {.n = c->n_params + n_global_params,
                           .globals_at = (c->config_size + align - 1) / align * align};

    all.rows = xcalloc(all.n, sizeof *all.rows);
    all.config = xcalloc(1, all.globals_at + sizeof(struct global_options));
    if (c->n_params > 0)
        memcpy(all.rows, c->params, c->n_params * sizeof *all.rows);
    for (size_t i = 0; i < n_global_params; i++) {
        all.rows[c->n_params + i] = global_params[i];
        all.rows[c->n_params + i].offset += all.globals_at;
    }
    return all;
}

static int
check_words(const struct cmd *c, const struct args *args, struct err *err)
{
    const int n = (int)args->n_words;

    if (n < c->min_words)
        return err_set(err, ERR_USAGE, "something is missing; usage: relusweep %s %s",
                       c->name, c->usage);
    if (c->max_words >= 0 && n > c->max_words)
        return err_set(err, ERR_USAGE,
                       "`%s` is one argument too many; usage: relusweep "
                       "%s %s",
                       args->words[c->max_words], c->name, c->usage);
    return 0;
}

static int
run_verb(const struct cmd *c, int argc, char **argv, struct err *err)
{
    struct combined all = combine(c);
    const struct global_options *globals =
        (const void *)((char *)all.config + all.globals_at);
    struct cmd_ctx ctx = {0};
    struct args args = {0};
    int rc =
        args_parse(&args, all.rows, all.n, all.config, argc, argv, c->repeated, err);

    if (rc != 0)
        goto out;
    if (globals->help) {
        print_help(c);
        goto out;
    }
    rc = check_words(c, &args, err);
    if (rc == 0)
        rc = cmd_ctx_init(&ctx, globals, err);
    if (rc == 0)
        rc = c->run(&ctx, all.config, args.words, args.n_words, err);
    cmd_ctx_release(&ctx);
out:
    args_release(&args);
    free(all.rows);
    free(all.config);
    return rc;
}

static const struct cmd *
verb_or_hint(const char *name)
{
    const char *names[64] = {NULL};
    const struct cmd *c = cmd_find(name);

    if (c != NULL)
        return c;
    for (size_t i = 0; cmds[i] != NULL && i < 63; i++)
        names[i] = cmds[i]->name;
    const char *near = word_nearest(names, name);
    fprintf(stderr,
            "relusweep: there is no verb `%s`%s%s%s (relusweep --help lists them)\n",
            name, near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
    return NULL;
}

int
main(int argc, char **argv)
{
    struct err err = {0};

    signal(SIGPIPE, SIG_IGN);
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_overview(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("relusweep %s\n", RELUSWEEP_VERSION);
        return EXIT_OK;
    }
    const struct cmd *c = verb_or_hint(argv[1]);
    if (c == NULL)
        return EXIT_USAGE;
    const int rc = run_verb(c, argc - 1, argv + 1, &err);
    if (rc >= 0)
        return rc;
    fprintf(stderr, "relusweep %s: %s\n", c->name, err.text);
    return exit_code_of(err.kind);
}
