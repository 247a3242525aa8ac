/* help.c - help of the program and of its verbs, folded to the width of a terminal. */
#include "coordinator/cli/help.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/context.h"
#include "shared/base/args.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"

enum { WIDTH = 80, VERB_COLUMN = 14, OPTION_COLUMN = 29 };

/* Words from column `at` on; where a line would be too long, the next begins at column
 * `indent`. */
static void
put_folded(struct buf *out, const char *text, size_t at, size_t indent)
{
    for (bool first = true; *text != '\0'; first = false) {
        const size_t n = strcspn(text, " ");
        if (!first && at + 1 + n > WIDTH) {
            buf_printf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            buf_putc(out, ' ');
            at++;
        }
        buf_add(out, text, n);
        at += n;
        text += n + (text[n] == ' ');
    }
    buf_putc(out, '\n');
}

/* "--some-name int", "-o, --out string" */
static char *
option_text(const struct param *p)
{
    char *text = p->type == PARAM_BOOL ? xasprintf("--%s", p->name)
                                       : xasprintf("%s--%s %s", args_short(p), p->name,
                                                   param_type_name(p->type));

    for (char *c = text; *c != '\0'; c++)
        if (*c == '_')
            *c = '-';
    return text;
}

static void
put_option(struct buf *out, const struct param *p)
{
    struct buf doc = {0};
    char *left = option_text(p);

    buf_puts(&doc, p->doc);
    for (size_t i = 0; p->choices != NULL && p->choices[i] != NULL; i++)
        buf_printf(&doc, "%s%s", i == 0 ? "; one of " : ", ", p->choices[i]);
    if (p->type != PARAM_BOOL && p->dflt != NULL && p->dflt[0] != '\0')
        buf_printf(&doc, " [%s]", p->dflt);
    buf_printf(out, "  %-26s ", left);
    put_folded(out, buf_str(&doc), OPTION_COLUMN, OPTION_COLUMN);
    free(left);
    buf_release(&doc);
}

void
help_verb(struct buf *out, const struct cmd *c)
{
    const bool words = c->usage[0] != '\0';

    buf_printf(out, "relusweep %s: %s\n\nusage: relusweep %s%s%s [options]\n", c->name,
               c->doc, c->name, words ? " " : "", c->usage);
    if (c->n_params > 0)
        buf_puts(out, "\noptions:\n");
    for (size_t i = 0; i < c->n_params; i++)
        put_option(out, &c->params[i]);
    buf_puts(out, "\noptions of every verb:\n");
    for (size_t i = 0; i < n_global_params; i++)
        put_option(out, &global_params[i]);
}

void
help_overview(struct buf *out)
{
    const char *group = "";

    buf_printf(out,
               "relusweep %s: sweeps of ReLU-reduction methods, from a grid to a "
               "Pareto report\n\nusage: relusweep VERB [arguments] [options]\n",
               RELUSWEEP_VERSION);
    for (const struct cmd *const *c = cmds; *c != NULL; c++) {
        if (strcmp((*c)->group, group) != 0)
            buf_printf(out, "\n%s\n", (*c)->group);
        group = (*c)->group;
        buf_printf(out, "  %-11s ", (*c)->name);
        put_folded(out, (*c)->doc, VERB_COLUMN, VERB_COLUMN);
    }
    buf_putc(out, '\n');
    put_folded(out,
               "`relusweep VERB --help` tells the options of a verb. Exit codes: 0 ok, "
               "1 some jobs failed, 2 usage or sweep file, 3 cannot reach database or "
               "coordinator, 4 refused, 130 interrupted.",
               0, 0);
}
