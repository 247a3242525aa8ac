/*
 * process.c - starting, watching and stopping child processes. Knows nothing of what
 * they do. Children never inherit descriptors beyond the standard three, because every
 * descriptor of ours is opened close-on-exec.
 */
#include "coordinator/launch/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

enum { EXEC_FAILED = 127 };

/* Without a log the child shares our terminal. */
static void
redirect(const char *log)
{
    if (log == NULL)
        return;
    const int null = open("/dev/null", O_RDONLY);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    const int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd >= 0) {
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
    }
}

static int
become(const struct process_user *user)
{
    if (user == NULL || user->uid == 0)
        return 0;
    if (setgroups(1, &user->gid) != 0 || setgid(user->gid) != 0
        || setuid(user->uid) != 0)
        return -1;
    return chdir("/");
}

/* In the child: never returns. */
static void
exec_child(char *const *argv, const char *log, const struct process_user *user)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL); /* an ignored one would be inherited */
    redirect(log);
    if (become(user) != 0) {
        fprintf(stderr, "cannot change to user %u: %s\n", (unsigned)user->uid,
                strerror(errno));
        _exit(EXEC_FAILED);
    }
    execvp(argv[0], argv);
    fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(EXEC_FAILED);
}

char *
process_log_tail(const char *path, int lines)
{
    struct buf text = {0};
    struct err ignored;

    if (path == NULL || file_read(&text, path, &ignored) != 0)
        return xstrdup("");
    const char *all = buf_str(&text);
    size_t at = text.len;
    while (at > 0 && all[at - 1] == '\n')
        at--;
    const size_t end = at;
    while (at > 0 && (all[at - 1] != '\n' || --lines > 0))
        at--;
    char *tail = xstrndup(all + at, end - at);
    buf_release(&text);
    return tail;
}

const char *
process_describe(int status)
{
    static char text[64];

    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof text, "exit code %d", WEXITSTATUS(status));
    return text;
}

int
process_run(char *const *argv, const char *log, const struct process_user *user,
            struct err *err)
{
    int status;
    const pid_t pid = fork();

    if (pid < 0)
        return err_sys(err, "fork for %s", argv[0]);
    if (pid == 0)
        exec_child(argv, log, user);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_sys(err, "wait for %s", argv[0]);
    if (status == 0)
        return 0;
    char *tail = process_log_tail(log, 4);
    err_set(err, ERR_SYS, "%s ended with %s%s%s", argv[0], process_describe(status),
            tail[0] ? ": " : "", tail);
    free(tail);
    return -1;
}

int
process_start(pid_t *out, char *const *argv, const char *log, struct err *err)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();

    if (pid < 0)
        return err_sys(err, "fork for %s", argv[0]);
    if (pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) /* it died before prctl */
            _exit(EXEC_FAILED);
        exec_child(argv, log, NULL);
    }
    *out = pid;
    return 0;
}

bool
process_alive(pid_t pid, int *status)
{
    return waitpid(pid, status, WNOHANG) == 0;
}

void
process_stop(pid_t pid, int64_t grace_ms)
{
    const int64_t deadline = clock_mono_ms() + grace_ms;
    int status;

    kill(pid, SIGTERM);
    while (process_alive(pid, &status)) {
        if (clock_mono_ms() > deadline)
            kill(pid, SIGKILL);
        clock_pause_ms(20);
    }
}

int
process_output(struct buf *out, char *const *argv, struct err *err)
{
    char chunk[8192];
    ssize_t n;
    int ends[2], status;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_sys(err, "pipe for %s", argv[0]);
    const pid_t pid = fork();
    if (pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return err_sys(err, "fork for %s", argv[0]);
    }
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        exec_child(argv, NULL, NULL);
    }
    close(ends[1]);
    while ((n = read(ends[0], chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            buf_add(out, chunk, (size_t)n);
    close(ends[0]);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_sys(err, "wait for %s", argv[0]);
    if (status != 0)
        return err_set(err, ERR_SYS, "%s ended with %s", argv[0],
                       process_describe(status));
    return 0;
}
