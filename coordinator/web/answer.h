#ifndef COORDINATOR_WEB_ANSWER_H
#define COORDINATOR_WEB_ANSWER_H

#include "coordinator/web/page.h"
#include "coordinator/web/response.h"

/* A place where answers are made, for one thread at a time: a connection to the
 * database. Initialise with the site; released by seat_release. */
struct seat {
    struct site *site;
    struct db *db; /* NULL: not connected */
};
void seat_release(struct seat *seat);

/* Answers any request that has passed the guard. Never fails: what goes wrong is an
 * answer too. */
void answer(struct seat *seat, struct request *r, struct response *out);

/* An answer in words, for the API as {"error": text}. */
void answer_sorry(struct response *out, bool is_api, int status, const char *text);

#endif
