/*
 * curve.c - keys of this process and of its peers. Invariant: once server keys are loaded,
 * whoever is not in the folder of allowed keys has no message read.
 */
#include "shared/wire/curve.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "shared/base/file.h"
#include "shared/wire/zap.h"

static struct {
    bool server, client;
    struct keypair server_pair, client_pair;
    char coordinator[KEY_TEXT];
    struct allow *allow; /* lives as long as the process, as the context does */
} keys;

/* ---- loading ---------------------------------------------------------------------- */

int
curve_load_server(void *context, const char *dir, struct err *err)
{
    char *path = file_join(dir, "coordinator.key"),
         *allowed = file_join(dir, "allowed");
    int rc = keyfile_read_secret(&keys.server_pair, path, err);

    if (rc == 0 && keys.allow == NULL) {
        keys.allow = allow_open(allowed);
        rc = zap_start(context, keys.allow, err);
    }
    keys.server = rc == 0;
    free(path);
    free(allowed);
    return rc;
}

int
curve_load_client(const char *dir, struct err *err)
{
    char *path = file_join(dir, "worker.key");
    char *coordinator = file_join(dir, "coordinator.pub");
    const int rc = keyfile_read_secret(&keys.client_pair, path, err) == 0
                       ? keyfile_read_public(keys.coordinator, coordinator, err)
                       : -1;

    keys.client = rc == 0;
    free(path);
    free(coordinator);
    return rc;
}

bool
curve_has_server(void)
{
    return keys.server;
}

bool
curve_has_client(void)
{
    return keys.client;
}

/* ---- sockets ---------------------------------------------------------------------- */

static void
set_text(void *zmq, int option, const char *text)
{
    const int rc = zmq_setsockopt(zmq, option, text, strlen(text));

    assert(rc == 0); /* keys were checked when they were read */
    (void)rc;
}

void
curve_server(void *zmq)
{
    const int on = 1;
    const int rc = zmq_setsockopt(zmq, ZMQ_CURVE_SERVER, &on, sizeof on);

    assert(rc == 0);
    (void)rc;
    set_text(zmq, ZMQ_CURVE_SECRETKEY, keys.server_pair.secret_key);
    set_text(zmq, ZMQ_ZAP_DOMAIN, "relusweep");
}

void *
curve_client(void *context, void *zmq)
{
    char name[64];
    void *monitor;

    set_text(zmq, ZMQ_CURVE_SERVERKEY, keys.coordinator);
    set_text(zmq, ZMQ_CURVE_PUBLICKEY, keys.client_pair.public_key);
    set_text(zmq, ZMQ_CURVE_SECRETKEY, keys.client_pair.secret_key);
    snprintf(name, sizeof name, "inproc://monitor-%p", zmq);
    if (zmq_socket_monitor(zmq, name,
                           ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
                               | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
                               | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
            != 0
        || (monitor = zmq_socket(context, ZMQ_PAIR)) == NULL)
        return NULL;
    (void)zmq_connect(monitor, name);
    return monitor;
}

void
curve_end(void *zmq, void *monitor)
{
    zmq_socket_monitor(zmq, NULL, 0);
    zmq_close(monitor);
}

/* The number of the next event, 0 when there is none. Its second frame is the address. */
static uint16_t
next_event(void *monitor)
{
    unsigned char data[16], address[512];
    uint16_t number = 0;

    if (zmq_recv(monitor, data, sizeof data, ZMQ_DONTWAIT) < (int)sizeof number)
        return 0;
    memcpy(&number, data, sizeof number);
    (void)zmq_recv(monitor, address, sizeof address, ZMQ_DONTWAIT);
    return number;
}

const char *
curve_trouble(void *monitor)
{
    const char *trouble = NULL;
    uint16_t number;

    while ((number = next_event(monitor)) != 0)
        trouble = number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
                      ? "the coordinator does not allow this worker's key"
                      : "the coordinator has another key than coordinator.pub, or none";
    return trouble;
}

bool
curve_user(void *message, char user[ALLOW_NAME])
{
    const char *key = zmq_msg_gets(message, "User-Id");

    user[0] = '\0';
    return key != NULL && allow_find(keys.allow, key, user);
}
