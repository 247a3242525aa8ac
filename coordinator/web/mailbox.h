#ifndef COORDINATOR_WEB_MAILBOX_H
#define COORDINATOR_WEB_MAILBOX_H

#include "shared/base/err.h"

/*
 * Letters from threads to the loop: each is a function to call there with its argument.
 * The loop waits for the file descriptor to become readable.
 */
struct mailbox;

MUST_CHECK int mailbox_new(struct mailbox **out, struct err *err);
void mailbox_free(
    struct mailbox *m); /* accepts NULL; letters that are left are dropped */
int mailbox_fd(const struct mailbox *m);

/* From any thread. */
void mailbox_post(struct mailbox *m, void (*call)(void *arg), void *arg);

/* In the loop: calls all that have come, in their order. */
void mailbox_deliver(struct mailbox *m);

#endif
