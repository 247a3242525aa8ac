/*
 * child.c - starting and supervising one stage process. Invariant: a struct child whose
 * process has not been reaped owns a process group of that number, so signals to the
 * group cannot reach a stranger. Must not know what events mean or what a stage is.
 */
#include "worker/agent/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/crash.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

enum {
    EVENT_FD = 3,
    MAX_LINE_BYTES = 8 << 20, /* of one event */
    READ_AT_ONCE = 256 << 10, /* of events, before somebody else has a turn */
};

struct child {
    pid_t pid;
    int events; /* read end, -1 after its end */
    struct buf pending;
    double started_s;
    int64_t kill_at_ms; /* 0: no deadline */
    bool reaped;
    struct child_end end;
};

/* ---- starting --------------------------------------------------------------------- */

/* Between fork and exec: only calls that are safe there. Does not return. */
static void
become(const char *program, char *const *argv, char *const *env, int events, int log,
       pid_t parent)
{
    const struct rlimit no_core = {0, 0};
    sigset_t none;

    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    const int null = open("/dev/null", O_RDONLY);
    /* above every target, so that no dup2 overwrites a source */
    const int high_events = fcntl(events, F_DUPFD, 10),
              high_log = fcntl(log, F_DUPFD, 10);
    if (getppid() != parent || dup2(null, 0) < 0 || dup2(high_log, 1) < 0
        || dup2(high_log, 2) < 0 || dup2(high_events, EVENT_FD) < 0
        || close_range(EVENT_FD + 1, ~0u, 0) != 0)
        _exit(err_kind_exit(ERR_SYS));
    crash_point("child-exec");
    execve(program, argv, env);
    static const char text[] = "the stage's program cannot be executed\n";
    (void)!write(2, text, sizeof text - 1);
    _exit(err_kind_exit(ERR_SYS));
}

static int
fork_child(struct child *c, const char *program, char *const *argv, char *const *env,
           const char *log_path, struct err *err)
{
    int ends[2], rc = -1;
    const pid_t parent = getpid();
    const int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (log < 0)
        return err_sys(err, "create %s", log_path);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        err_sys(err, "make a pipe for a stage");
        goto out;
    }
    c->pid = fork();
    if (c->pid == 0)
        become(program, argv, env, ends[1], log, parent);
    close(ends[1]);
    if (c->pid < 0) {
        err_sys(err, "start a stage's process");
        close(ends[0]);
        goto out;
    }
    (void)setpgid(c->pid, c->pid); /* here too, so that no signal comes too early */
    c->events = ends[0];
    (void)fcntl(c->events, F_SETFL, O_NONBLOCK);
    rc = 0;
out:
    close(log);
    return rc;
}

int
child_start(struct child **out, const char *program, char *const *argv,
            char *const *env, const char *log_path, struct err *err)
{
    struct child *c = xcalloc(1, sizeof *c);

    *out = NULL;
    *c = (struct child){.events = -1, .started_s = clock_mono_s()};
    if (fork_child(c, program, argv, env, log_path, err) != 0) {
        free(c);
        return -1;
    }
    *out = c;
    return 0;
}

void
child_free(struct child *c)
{
    int status;

    if (c == NULL)
        return;
    if (!c->reaped) {
        child_kill(c);
        while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    if (c->events >= 0)
        close(c->events);
    buf_release(&c->pending);
    free(c);
}

pid_t
child_pid(const struct child *c)
{
    return c->pid;
}

int
child_fd(const struct child *c)
{
    return c->events;
}

/* ---- events ----------------------------------------------------------------------- */

static void
end_events(struct child *c)
{
    close(c->events);
    c->events = -1;
}

static void
read_events(struct child *c)
{
    char chunk[16384];
    ssize_t n = 1;

    for (size_t got = 0; c->events >= 0 && n > 0 && got < READ_AT_ONCE;
         got += (size_t)n) {
        n = read(c->events, chunk, sizeof chunk);
        if (n > 0)
            buf_add(&c->pending, chunk, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            end_events(c);
    }
    if (c->pending.len > MAX_LINE_BYTES
        && memchr(c->pending.data, '\n', c->pending.len) == NULL) {
        log_error("child", "pid=%d event=too-long bytes=%zu", c->pid, c->pending.len);
        buf_clear(&c->pending);
        child_kill(c);
    }
}

static json_t *
parse_event(const struct child *c, const char *line, size_t n)
{
    json_t *event = NULL;
    struct err err;

    if (json_parse(&event, line, n, "event of a stage", &err) == 0
        && json_is_object(event))
        return event;
    json_decref(event);
    log_warn("child", "pid=%d event=not-json text=\"%.*s\"", c->pid,
             n < 200 ? (int)n : 200, line);
    return NULL;
}

json_t *
child_next_event(struct child *c)
{
    json_t *event = NULL;

    if (c->pending.len == 0 || memchr(c->pending.data, '\n', c->pending.len) == NULL)
        read_events(c);
    while (event == NULL && c->pending.len > 0) {
        const char *end = memchr(c->pending.data, '\n', c->pending.len);
        if (end == NULL)
            break;
        const size_t n = (size_t)(end - c->pending.data);
        if (n > 0)
            event = parse_event(c, c->pending.data, n);
        buf_drop(&c->pending, n + 1);
    }
    return event;
}

/* ---- stopping --------------------------------------------------------------------- */

void
child_stop(struct child *c, int64_t now_ms, int64_t grace_ms)
{
    const int64_t deadline = now_ms + grace_ms;

    if (c->reaped)
        return;
    if (c->kill_at_ms == 0)
        (void)kill(c->pid, SIGTERM); /* the stage only; it ends its helpers itself */
    if (c->kill_at_ms == 0 || deadline < c->kill_at_ms)
        c->kill_at_ms = deadline;
}

void
child_kill(struct child *c)
{
    if (!c->reaped)
        (void)kill(-c->pid, SIGKILL);
}

void
child_tick(struct child *c, int64_t now_ms)
{
    if (c->kill_at_ms != 0 && now_ms >= c->kill_at_ms)
        child_kill(c);
}

bool
child_ended(struct child *c, struct child_end *end)
{
    struct rusage usage;
    int status;

    if (!c->reaped) {
        siginfo_t info = {0};
        /* look first: the group's number is ours only until the leader is reaped */
        if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0
            || info.si_pid == 0)
            return false;
        (void)kill(-c->pid, SIGKILL);
        if (wait4(c->pid, &status, 0, &usage) < 0)
            return false;
        c->reaped = true;
        c->end = (struct child_end){
            .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
            .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
            .seconds = clock_mono_s() - c->started_s,
            .peak_rss_bytes = (int64_t)usage.ru_maxrss * 1024,
        };
    }
    *end = c->end;
    return true;
}
