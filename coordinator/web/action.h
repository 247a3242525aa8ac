#ifndef COORDINATOR_WEB_ACTION_H
#define COORDINATOR_WEB_ACTION_H

#include "coordinator/web/answer.h"

/*
 * What people change from the page: POST /actions with the fields of the form on the
 * page /confirm, and POST /login with the token. All else is 405. The fields: form (the secret of our
 * forms), action (retry or cancel), and the filter of the jobs, see filter.h.
 */
void action_answer(struct seat *seat, struct request *r, struct response *out);

#endif
