#ifndef TESTS_COORDINATOR_DISPATCH_FAKE_WORKER_H
#define TESTS_COORDINATOR_DISPATCH_FAKE_WORKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "coordinator/db/db.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"
#include "shared/wire/sock.h"

/*
 * The real coordinator on a database of its own, and workers that a test plays over its
 * sockets. Whatever goes wrong fails the running test.
 */
enum { WAIT_MS = 60000 }; /* a busy machine is no failure */

#define CATALOG "{\"version\": 1, \"program\": \"0\", \"methods\": [], \"limits\": []}"

struct world {
    char *name, *conninfo, *control, *bulk, *ready, *log;
    struct db *db;
    pid_t pid;
};

struct fake {
    struct sock *sock;
    struct arena mem;
    const char *boot;
    const char *catalog; /* NULL: CATALOG */
    int64_t session;
    bool mute; /* sends no heartbeats by itself */
};

/* Starts a coordinator on these addresses. */
pid_t world_spawn(struct world *w, const char *control, const char *bulk,
                  const char *ready);
/* Starts the one of the world and waits until it serves. */
void world_start(struct world *w);
/* Signals it; its wait status. */
int world_stop(struct world *w, int sig);
/* Set-up and tear-down of a test: a database with one chain of three jobs (1, 2, 3) and a
 * coordinator. */
int world_make(void **state);
int world_free(void **state);
/* The number that a query gives. */
int64_t world_number(struct world *w, const char *sql);
void fake_connect(struct fake *f, const char *endpoint, const char *boot);
void fake_hang_up(struct fake *f);
/* Waits while the queue is full. */
void fake_send(struct fake *f, const struct msg *m);
/* The next message of this type; others are skipped. NULL after wait_ms. */
struct msg *fake_await(struct fake *f, enum msg_type type, int64_t wait_ms);
/* Fails the test when none comes. */
struct msg *fake_need(struct fake *f, enum msg_type type);
/* Says HELLO until WELCOME. */
const struct msg_welcome *fake_hello(struct fake *f, struct msg_run *running,
                                     size_t n_running);
void fake_offer(struct fake *f);
/* Offers a slot and expects this attempt. */
const struct msg_grant *fake_get_grant(struct fake *f, int64_t job, int64_t attempt);
/* Sends a RESULT, with a model when sha is not NULL; the disposition of its ACK. */
const char *fake_report(struct fake *f, struct msg_run run, const char *outcome,
                        const char *sha, int64_t size);
/* Stores these bytes as a blob. */
struct sha256 world_upload(struct world *w, const char *bytes);

#endif
