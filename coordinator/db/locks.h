#ifndef COORDINATOR_DB_LOCKS_H
#define COORDINATOR_DB_LOCKS_H

/* Advisory locks of this project: the first key, and one second key each. */
enum {
    LOCK_SPACE = 0x72656c75, /* "relu" */
    LOCK_MIGRATE = 1,        /* transaction: one program changes the schema */
    LOCK_EDIT = 2,           /* transaction: one person's command edits the queue */
    LOCK_LEADER = 3,         /* session: the coordinator that may write */
    LOCK_FILES = 4,          /* transaction: files of blobs get their names or go */
};

#endif
