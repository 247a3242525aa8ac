/* zap.c - the ZAP handler. Knows RFC 27's frames; who may connect is asked of allow.c. */
#include "shared/wire/zap.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "shared/base/log.h"
#include "shared/base/mem.h"

/* Frames of a request, in their order. */
enum { VERSION, ID, DOMAIN, ADDRESS, IDENTITY, MECHANISM, KEY, FRAMES };
enum { FRAME_MAX = 256, KEY_BYTES = 32 };

struct request {
    unsigned char data[FRAMES][FRAME_MAX];
    size_t size[FRAMES];
    size_t n; /* frames that came, also more than there should be */
};

struct handler {
    void *socket;
    struct allow *allow;
};

/* False when the context ends. Frames that are too long are cut, and so match nothing. */
static bool
receive(void *socket, struct request *r)
{
    int more = 1;
    size_t size = sizeof more;

    *r = (struct request){0};
    while (more) {
        unsigned char ignored[FRAME_MAX];
        unsigned char *to = r->n < FRAMES ? r->data[r->n] : ignored;
        const int got = zmq_recv(socket, to, FRAME_MAX - 1, 0);
        if (got < 0)
            return zmq_errno() == EINTR ? receive(socket, r) : false;
        if (r->n < FRAMES)
            r->size[r->n] = (size_t)got < FRAME_MAX ? (size_t)got : FRAME_MAX - 1;
        r->n++;
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) != 0)
            return false;
    }
    return true;
}

static void
answer(void *socket, const struct request *r, const char *code, const char *text,
       const char *user)
{
    zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(socket, r->data[ID], r->size[ID], ZMQ_SNDMORE);
    zmq_send(socket, code, 3, ZMQ_SNDMORE);
    zmq_send(socket, text, strlen(text), ZMQ_SNDMORE);
    zmq_send(socket, user, strlen(user), ZMQ_SNDMORE);
    zmq_send(socket, "", 0, 0);
}

static void
decide(const struct handler *h, const struct request *r)
{
    char key[KEY_TEXT], name[ALLOW_NAME], print[KEY_FINGERPRINT];

    if (r->n != FRAMES || strcmp((const char *)r->data[VERSION], "1.0") != 0
        || strcmp((const char *)r->data[MECHANISM], "CURVE") != 0
        || r->size[KEY] != KEY_BYTES) {
        answer(h->socket, r, "400", "keys are needed", "");
        return;
    }
    key_to_text(key, r->data[KEY]);
    key_fingerprint(print, key);
    if (allow_find(h->allow, key, name)) {
        answer(h->socket, r, "200", "OK", key);
        return;
    }
    log_warn("keys", "address=%s key=\"%s\" fingerprint=\"%s\" action=refused",
             (const char *)r->data[ADDRESS], key, print);
    answer(h->socket, r, "400", "this key is not allowed", "");
}

static void *
handler_main(void *arg)
{
    struct handler *h = arg;
    struct request r;

    while (receive(h->socket, &r))
        decide(h, &r);
    zmq_close(h->socket);
    free(h);
    return NULL;
}

static int
start_thread(struct handler *h)
{
    sigset_t all, before;
    pthread_t thread;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int rc = pthread_create(&thread, NULL, handler_main, h);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        pthread_detach(thread);
    return rc;
}

int
zap_start(void *zmq_context, struct allow *allow, struct err *err)
{
    struct handler *h = xcalloc(1, sizeof *h);

    h->allow = allow;
    h->socket = zmq_socket(zmq_context, ZMQ_REP);
    if (h->socket != NULL && zmq_bind(h->socket, "inproc://zeromq.zap.01") == 0
        && start_thread(h) == 0)
        return 0;
    err_set(err, ERR_SYS, "start the check of keys: %s", zmq_strerror(zmq_errno()));
    if (h->socket != NULL)
        zmq_close(h->socket);
    free(h);
    return -1;
}
