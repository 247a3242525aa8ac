/* main.c - `relusweep VERB ...`: finds the verb, parses by its table, runs it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/context.h"
#include "coordinator/cli/help.h"
#include "shared/base/args.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "shared/base/word.h"

static void
print_overview(FILE *to)
{
    struct buf text = {0};

    help_overview(&text);
    fputs(buf_str(&text), to);
    buf_release(&text);
}

static void
print_help(const struct cmd *c)
{
    struct buf text = {0};

    help_verb(&text, c);
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
        return err_set(err, ERR_USAGE, "an argument is missing; usage: relusweep %s %s",
                       c->name, c->usage);
    if (c->max_words >= 0 && n > c->max_words)
        return err_set(
            err, ERR_USAGE, "`%s` is one argument too many; usage: relusweep %s%s%s",
            args->words[c->max_words], c->name, c->usage[0] ? " " : "", c->usage);
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
    if (name[0] == '-') {
        fprintf(stderr,
                "relusweep: `%s` stands where the verb belongs; write relusweep VERB "
                "%s (relusweep --help lists the verbs)\n",
                name, name);
        return NULL;
    }
    for (size_t i = 0; cmds[i] != NULL && i < 63; i++)
        names[i] = cmds[i]->name;
    fprintf(stderr,
            "relusweep: there is no verb `%s`%s (relusweep --help lists them)\n", name,
            word_hint(word_nearest(names, name)).text);
    return NULL;
}

static bool
is_one_of(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

/* -h is --help wherever an option may stand. */
static void
lengthen_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "-h") == 0)
            argv[i] = (char *)"--help";
}

/* What was printed must have arrived: a full disk is an error, a reader that has seen
 * enough (`| head`) is not. */
static int
close_output(int code)
{
    const bool failed = fflush(stdout) != 0 || ferror(stdout);

    if (!failed || errno == EPIPE)
        return code;
    fprintf(stderr, "relusweep: cannot write the output: %s\n", strerror(errno));
    return code == EXIT_OK ? EXIT_JOBS_FAILED : code;
}

/* argv[1] is neither missing nor an option of the program itself. */
static int
run_named(int argc, char **argv)
{
    struct err err = {0};
    const struct cmd *c = verb_or_hint(argv[1]);

    if (c == NULL)
        return EXIT_USAGE;
    lengthen_help(argc - 1, argv + 1);
    const int rc = run_verb(c, argc - 1, argv + 1, &err);
    if (rc >= 0)
        return rc;
    fprintf(stderr, "relusweep %s: %s\n", c->name, err.text);
    return exit_code_of(err.kind);
}

static int
help_about(const char *verb)
{
    const struct cmd *c = verb_or_hint(verb);

    if (c == NULL)
        return EXIT_USAGE;
    print_help(c);
    return EXIT_OK;
}

int
main(int argc, char **argv)
{
    int code = EXIT_OK;

    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_overview(stderr);
        code = EXIT_USAGE;
    } else if (strcmp(argv[1], "help") == 0 && argc > 2) {
        code = help_about(argv[2]);
    } else if (is_one_of(argv[1], "--help", "-h", "help")) {
        print_overview(stdout);
    } else if (is_one_of(argv[1], "--version", "-V", "version")) {
        printf("relusweep %s\n", RELUSWEEP_VERSION);
    } else {
        code = run_named(argc, argv);
    }
    return close_output(code);
}
