/* cmd_completion.c - shell completion from the verb and option tables. */
#include <stdio.h>
#include <string.h>

#include "coordinator/cli/context.h"

static void
print_option(const struct param *p)
{
    printf("--");
    for (const char *c = p->name; *c != '\0'; c++)
        putchar(*c == '_' ? '-' : *c);
}

static void
print_options(const struct param *params, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        putchar(' ');
        print_option(&params[i]);
    }
}

/* What may stand behind an option that chooses from a list. */
static void
print_choices(const struct cmd *c)
{
    for (size_t i = 0; i < c->n_params; i++) {
        if (c->params[i].choices == NULL)
            continue;
        printf("    %s:", c->name);
        print_option(&c->params[i]);
        printf(") options='");
        for (const char *const *choice = c->params[i].choices; *choice != NULL;
             choice++)
            printf("%s ", *choice);
        printf("' ;;\n");
    }
}

static int
completion_run(struct cmd_ctx *ctx, const void *config, const char **words,
               size_t n_words, struct err *err)
{
    (void)ctx;
    (void)config;
    if (n_words == 1 && strcmp(words[0], "bash") != 0)
        return err_set(err, ERR_USAGE, "completion is there for bash, not for `%s`",
                       words[0]);
    printf("# bash completion for relusweep: source <(relusweep completion bash)\n"
           "_relusweep() {\n"
           "  local cur=${COMP_WORDS[COMP_CWORD]} options=\n"
           "  if [ \"$COMP_CWORD\" = 1 ]; then options='");
    for (const struct cmd *const *c = cmds; *c != NULL; c++)
        printf("%s ", (*c)->name);
    printf("help'; else case ${COMP_WORDS[1]}:${COMP_WORDS[COMP_CWORD-1]} in\n");
    for (const struct cmd *const *c = cmds; *c != NULL; c++)
        print_choices(*c);
    for (const struct cmd *const *c = cmds; *c != NULL; c++) {
        printf("    %s:*) options='", (*c)->name);
        print_options((*c)->params, (*c)->n_params);
        print_options(global_params, n_global_params);
        printf("' ;;\n");
    }
    printf(
        "  esac; fi\n"
        "  mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\"; compgen -f -- "
        "\"$cur\")\n"
        "}\n"
        "complete -o filenames -F _relusweep relusweep\n");
    return EXIT_OK;
}

const struct cmd cmd_completion = {
    .name = "completion",
    .usage = "[bash]",
    .doc = "print a completion script for the shell",
    .group = "System",
    .max_words = 1,
    .run = completion_run,
};
