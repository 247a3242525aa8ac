#ifndef COORDINATOR_WEB_DOWNLOAD_H
#define COORDINATOR_WEB_DOWNLOAD_H

#include "coordinator/web/pool.h"

struct evhttp_request;

/* Sends the blob that `response` names as the answer, headers being set already: piece
 * after piece, each read when the one before has left, so that a download takes the
 * memory of one piece however large it is and however slow the client. To be called in
 * the loop. */
void download_start(struct evhttp_request *http, struct pool *pool,
                    const struct response *response);

#endif
