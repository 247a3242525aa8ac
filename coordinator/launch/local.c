/*
 * local.c - the programs of `relusweep run`. Knows how they are started and that they
 * must live; what they do is their own business.
 */
#include "coordinator/launch/local.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/launch/paths.h"
#include "coordinator/launch/process.h"
#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/json.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"

enum {
    READY_MS = 30000,  /* for the coordinator to come up */
    PAGE_MS = 5000,    /* for the page; the sweep does not wait longer for it */
    GRACE_MS = 35000,  /* for workers to write checkpoints and hand jobs back */
    STABLE_MS = 60000, /* a program that lived this long may die again */
    MAX_RESTARTS = 5,
    MAX_ARGS = 32,
    MAX_PROGRAMS = 2 + LOCAL_MAX_NOOP,
};

struct program {
    char *name; /* "coordinator", "page", "worker" */
    char *log;
    char *argv[MAX_ARGS];
    size_t n_args;
    pid_t pid; /* 0: not running */
    int restarts;
    int64_t started_ms;
    bool is_spare;    /* the others can do without */
    bool is_given_up; /* a spare one that kept dying */
};

struct local {
    char *ready_file, *page_file;          /* of the coordinator and the page */
    struct program programs[MAX_PROGRAMS]; /* the coordinator first */
    size_t n;                              /* described */
    int lock;
};

static void
add_arg(struct program *p, const char *arg)
{
    if (p->n_args + 1 < MAX_ARGS)
        p->argv[p->n_args++] = xstrdup(arg);
}

static void
add_option(struct program *p, const char *name, const char *value)
{
    add_arg(p, name);
    add_arg(p, value);
}

static void
add_number(struct program *p, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)value);
    add_option(p, name, text);
}

static int
start_program(struct program *p, struct err *err)
{
    p->started_ms = clock_mono_ms();
    return process_start(&p->pid, p->argv, p->log, err);
}

static void
describe_coordinator(struct program *p, const struct local *l, const char *dir,
                     const struct local_config *c)
{
    char *program = proc_sibling("relusweep-coordinator");
    char *control = c->keys != NULL ? xstrdup("tcp://127.0.0.1:*")
                                    : xasprintf("ipc://%s/control", dir);
    char *bulk = c->keys != NULL ? xstrdup("tcp://127.0.0.1:*")
                                 : xasprintf("ipc://%s/bulk", dir);
    char *artifacts = file_join(c->state_dir, "artifacts");

    p->name = xstrdup("coordinator");
    p->log = file_join(c->state_dir, "coordinator.log");
    add_arg(p, program);
    add_option(p, "--database", c->conninfo);
    add_option(p, "--listen", control);
    add_option(p, "--listen-bulk", bulk);
    add_option(p, "--ready-file", l->ready_file);
    if (c->files) {
        add_option(p, "--artifact-dir", artifacts);
        add_number(p, "--artifact-min-mib", c->artifact_min_mib);
    }
    if (c->keys != NULL)
        add_option(p, "--keys", c->keys);
    free(artifacts);
    free(program);
    free(control);
    free(bulk);
}

static void
describe_page(struct program *p, const struct local *l, const struct local_config *c)
{
    char *program = proc_sibling("relusweep-web");

    p->name = xstrdup("page");
    p->log = file_join(c->state_dir, "page.log");
    p->is_spare = true;
    add_arg(p, program);
    add_option(p, "--database", c->conninfo);
    add_option(p, "--listen", c->page);
    add_arg(p, "--another-port");
    add_option(p, "--ready-file", l->page_file);
    free(program);
}

static void
describe_worker(struct program *p, const char *dir, const struct local_config *c)
{
    char *program = proc_sibling("relusweep-worker");
    char *control = xasprintf("ipc://%s/control", dir);

    p->name = xstrdup("worker");
    p->log = xasprintf("%s/%s.log", c->state_dir, p->name);
    char *work = file_join(c->state_dir, p->name);
    add_arg(p, program);
    add_arg(p, "agent");
    add_option(p, "--connect", control);
    add_option(p, "--name", p->name);
    add_option(p, "--work-dir", work);
    add_number(p, "--slots", c->slots);
    add_number(p, "--threads", c->threads);
    add_option(p, "--backend", c->backend);
    add_option(p, "--profile", c->profile);
    add_number(p, "--checkpoint-seconds", c->checkpoint_seconds);
    if (c->data[0] != '\0')
        add_option(p, "--data-dir", c->data);
    free(program);
    free(control);
    free(work);
}

static void
describe_noop(struct program *p, int64_t i, const char *control,
              const struct local_config *c)
{
    char *program = proc_sibling("relusweep-worker");
    char *starts = xasprintf("%s/noop-%lld.starts", c->state_dir, (long long)i);

    p->name = xasprintf("noop-%lld", (long long)i);
    p->log = xasprintf("%s/%s.log", c->state_dir, p->name);
    add_arg(p, program);
    add_arg(p, "noop");
    add_option(p, "--connect", control);
    add_option(p, "--name", p->name);
    add_number(p, "--slots", c->slots);
    add_number(p, "--finals", c->finals);
    if (c->started)
        add_arg(p, "--started");
    if (c->starts)
        add_option(p, "--starts", starts);
    if (c->keys != NULL)
        add_option(p, "--keys", c->keys);
    free(program);
    free(starts);
}

/* Where the coordinator listens, as it says in its ready file. Caller frees. */
static int
read_endpoint(char **out, const struct local *l, struct err *err)
{
    struct buf text = {0};
    json_t *doc = NULL;
    int rc = file_read(&text, l->ready_file, err);

    if (rc == 0)
        rc = json_parse(&doc, buf_str(&text), text.len, l->ready_file, err);
    if (rc == 0)
        *out = xstrdup(json_string_value(json_object_get(doc, "control")));
    json_decref(doc);
    buf_release(&text);
    return rc;
}

/* Once the coordinator is there. */
static int
describe_workers(struct local *l, const char *dir, const struct local_config *c,
                 struct err *err)
{
    char *control;

    if (c->noop == 0) {
        describe_worker(&l->programs[l->n++], dir, c);
        return 0;
    }
    if (read_endpoint(&control, l, err) != 0)
        return -1;
    for (int64_t i = 0; i < c->noop && l->n < MAX_PROGRAMS; i++)
        describe_noop(&l->programs[l->n++], i, control, c);
    free(control);
    return 0;
}

static int
take_lock(struct local *l, const char *state_dir, struct err *err)
{
    char *path = file_join(state_dir, "run.lock");
    int rc = 0;

    l->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (l->lock < 0)
        rc = err_sys(err, "open %s (--state-dir chooses another folder)", path);
    else if (flock(l->lock, LOCK_EX | LOCK_NB) != 0)
        rc = err_set(
            err, ERR_REFUSED,
            "another `relusweep run` works in %s; add a sweep to it with "
            "`relusweep submit`, follow it with `relusweep watch`, or give this "
            "one a --state-dir of its own",
            state_dir);
    free(path);
    return rc;
}

static int
make_socket_dir(const char *dir, struct err *err)
{
    struct stat st;

    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_sys(err, "make folder %s", dir);
    if (lstat(dir, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return err_set(err, ERR_REFUSED, "%s belongs to somebody else", dir);
    return 0;
}

static void
program_died(const struct program *p, int status, struct err *err)
{
    char *tail = process_log_tail(p->log, 3);

    (void)err_set(err, ERR_SYS, "%s ended with %s (log: %s)%s%s", p->name,
                  process_describe(status), p->log, tail[0] ? ": " : "", tail);
    free(tail);
}

static int
wait_ready(struct local *l, struct err *err)
{
    const int64_t deadline = clock_mono_ms() + READY_MS;
    int status;

    while (!file_exists(l->ready_file)) {
        if (!process_alive(l->programs[0].pid, &status)) {
            l->programs[0].pid = 0;
            program_died(&l->programs[0], status, err);
            return -1;
        }
        if (clock_mono_ms() > deadline)
            return err_set(err, ERR_NET,
                           "the coordinator did not come up in %d s (log: "
                           "%s)",
                           READY_MS / 1000, l->programs[0].log);
        clock_pause_ms(20);
    }
    return 0;
}

/* The page comes up or not, the sweep runs all the same. */
static int
start_page(struct local *l, const struct local_config *c, struct err *err)
{
    const int64_t deadline = clock_mono_ms() + PAGE_MS;
    struct program *p = &l->programs[l->n++];
    int status;

    l->page_file = file_join(c->state_dir, "page.ready");
    unlink(l->page_file);
    describe_page(p, l, c);
    if (start_program(p, err) != 0)
        return -1;
    while (!file_exists(l->page_file) && clock_mono_ms() < deadline
           && process_alive(p->pid, &status))
        clock_pause_ms(20);
    return 0;
}

char *
local_page_url(const struct local *l)
{
    struct buf text = {0};
    json_t *doc = NULL;
    struct err err = {0};
    char *url = NULL;

    if (l->page_file != NULL && file_read(&text, l->page_file, &err) == 0
        && json_parse(&doc, buf_str(&text), text.len, l->page_file, &err) == 0)
        url = xstrdup(json_str(doc, "url", ""));
    json_decref(doc);
    buf_release(&text);
    return url;
}

int
local_reserve(struct local **out, const char *state_dir, struct err *err)
{
    struct local *l = xcalloc(1, sizeof *l);

    *out = NULL;
    l->lock = -1;
    if (paths_make_state_dir(state_dir, err) != 0
        || take_lock(l, state_dir, err) != 0) {
        local_stop(l);
        return -1;
    }
    *out = l;
    return 0;
}

int
local_start(struct local *l, const struct local_config *config, struct err *err)
{
    char *dir = paths_socket_dir(config->state_dir, "ipc");
    int rc = make_socket_dir(dir, err);

    if (rc == 0) {
        l->ready_file = file_join(config->state_dir, "coordinator.ready");
        describe_coordinator(&l->programs[0], l, dir, config);
        l->n = 1;
        unlink(l->ready_file);
        rc = start_program(&l->programs[0], err);
    }
    if (rc == 0)
        rc = wait_ready(l, err);
    if (rc == 0 && config->page != NULL && config->page[0] != '\0')
        rc = start_page(l, config, err);
    const size_t first = l->n;
    if (rc == 0)
        rc = describe_workers(l, dir, config, err);
    for (size_t i = first; rc == 0 && i < l->n; i++)
        rc = start_program(&l->programs[i], err);
    free(dir);
    return rc;
}

int
local_tend(struct local *l, struct err *err)
{
    for (size_t i = 0; i < l->n; i++) {
        struct program *p = &l->programs[i];
        int status = 0;

        if (p->is_given_up || (p->pid != 0 && process_alive(p->pid, &status)))
            continue;
        p->pid = 0;
        if (clock_mono_ms() - p->started_ms > STABLE_MS)
            p->restarts = 0;
        if (p->restarts++ >= MAX_RESTARTS) {
            program_died(p, status, err);
            if (!p->is_spare)
                return -1;
            log_warn("run", "program=%s action=\"give up\" error=\"%s\"", p->name,
                     err->text);
            p->is_given_up = true;
            continue;
        }
        log_warn("run", "program=%s ended=\"%s\" action=restart log=%s", p->name,
                 process_describe(status), p->log);
        if (start_program(p, err) != 0)
            return -1;
    }
    return 0;
}

void
local_stop(struct local *l)
{
    if (l == NULL)
        return;
    for (size_t i = l->n; i-- > 0;) /* the worker hands its jobs back first */
        if (l->programs[i].pid != 0)
            process_stop(l->programs[i].pid, GRACE_MS);
    for (size_t i = 0; i < l->n; i++) {
        for (size_t a = 0; a < l->programs[i].n_args; a++)
            free(l->programs[i].argv[a]);
        free(l->programs[i].name);
        free(l->programs[i].log);
    }
    if (l->lock >= 0)
        close(l->lock);
    free(l->ready_file);
    free(l->page_file);
    free(l);
}
