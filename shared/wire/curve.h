#ifndef SHARED_WIRE_CURVE_H
#define SHARED_WIRE_CURVE_H

#include <stdbool.h>

#include "shared/base/err.h"
#include "shared/keys/allow.h"

/* Keys on libzmq's sockets: this process's pairs, and what a peer's key is called. Part of
 * sock.c; `zmq` is a libzmq socket before it is bound or connected. */

MUST_CHECK int curve_load_server(void *context, const char *dir, struct err *err);
MUST_CHECK int curve_load_client(const char *dir, struct err *err);
bool curve_has_server(void);
bool curve_has_client(void);

void curve_server(void *zmq);

/* Returns the socket on which trouble with the keys is heard, NULL where it cannot be
 * made; ended by curve_end. */
void *curve_client(void *context, void *zmq);
void curve_end(void *zmq, void *monitor);

/* The last trouble that was heard, NULL for none. */
const char *curve_trouble(void *monitor);

/* Name of the peer that sent `message`, a zmq_msg_t that holds its body: the routing id's
 * frame has no properties in libzmq 4.3.4. False when its key is not allowed any more. */
bool curve_user(void *message, char user[ALLOW_NAME]);

#endif
