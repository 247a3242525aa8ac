#ifndef TESTS_SIM_STATEMENTS_H
#define TESTS_SIM_STATEMENTS_H

#include "coordinator/db/pg.h"
#include "tests/sim/model.h"

/* The rows that the next statement of this connection works on: those of its transaction,
 * or the committed ones outside of one. NULL: the statement or the connection failed. */
struct model *statement(struct pg *pg, struct err *err);

#endif
