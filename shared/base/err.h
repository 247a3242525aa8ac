#ifndef SHARED_BASE_ERR_H
#define SHARED_BASE_ERR_H

/*
 * One error value, filled in by the function that failed and prefixed with
 * context by each caller on the way up.
 *
 * A function that can fail returns 0 or -1, is MUST_CHECK, takes
 * `struct err *err` as its last parameter (never NULL) and has filled *err
 * exactly when it returns -1.
 */

/* What the receiver can do about it: id, name on the wire and in SQL, exit code of
 * a stage's process (ECOSYSTEM: 1:1 with the failure causes of the report). */
#define ERR_KINDS(X)                                                                  \
    X(ERR_NONE, "none", 0)                                                            \
    X(ERR_USAGE, "usage", 2)            /* sweep file, flag, parameter: tell user */  \
    X(ERR_NUMERIC, "numeric", 10)       /* NaN or divergence in training */           \
    X(ERR_DATA, "data", 11)             /* malformed input from disk or a peer */     \
    X(ERR_OOM, "oom", 12)               /* memory ran out */                          \
    X(ERR_SYS, "sys", 13)               /* a system call failed: retry */             \
    X(ERR_DB, "db", 3)                  /* PostgreSQL refused or went away: retry */  \
    X(ERR_NET, "net", 14)               /* peer gone, deadline passed: retry */       \
    X(ERR_REFUSED, "refused", 4)        /* version, lock, permission: do not retry */ \
    X(ERR_STOPPED, "stopped", 15)       /* asked to stop; a checkpoint was kept */    \
    X(ERR_BUG, "bug", 16)               /* an invariant of ours does not hold */      \
    X(ERR_CHECKPOINT, "checkpoint", 17) /* unusable: go on from an older one */

#define AS_ENUM(id, name, code) id,
enum err_kind { ERR_KINDS(AS_ENUM) ERR_KIND_COUNT };
#undef AS_ENUM

struct err {
    enum err_kind kind;
    char text[1024]; /* "outer context: inner context: root cause" */
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Sets kind and text. Always returns -1, so `return err_set(err, ...)`. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set with ERR_SYS and ": strerror(errno)" appended. Returns -1. */
int err_sys(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prefixes text with "<fmt>: ", keeps kind. Always returns -1. */
int err_wrap(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

const char *err_kind_name(enum err_kind kind);

/* The kind called `name`, or ERR_BUG where there is none. */
enum err_kind err_kind_find(const char *name);

/* Exit code of a stage process that ended with this kind. */
int err_kind_exit(enum err_kind kind);

/* The kind of a stage process's exit code, ERR_BUG where it is none of ours. */
enum err_kind err_kind_from_exit(int code);

#endif
