#ifndef SHARED_WIRE_ZAP_H
#define SHARED_WIRE_ZAP_H

#include "shared/base/err.h"
#include "shared/keys/allow.h"

/*
 * Answers libzmq's question whether a peer may connect (ZAP, RFC 27): yes when the peer's
 * key is allowed, and then its key is the user id of every message that it sends.
 */

/* Starts the thread that answers, for all CURVE servers of this context. `allow` must
 * outlive it. It ends with the context. */
MUST_CHECK int zap_start(void *zmq_context, struct allow *allow, struct err *err);

#endif
