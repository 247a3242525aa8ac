#ifndef COORDINATOR_CLI_HELP_H
#define COORDINATOR_CLI_HELP_H

#include "coordinator/cli/cmd.h"
#include "shared/base/buf.h"

/* What `--help` says, from the tables of the parser; no line is wider than 80. */
void help_overview(struct buf *out);
void help_verb(struct buf *out, const struct cmd *c);

#endif
