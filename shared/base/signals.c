/* signals.c - a handler that writes the number of its signal into a pipe. */
#include "shared/base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int writer = -1; /* set before the first handler is installed */

static void
on_signal(int number)
{
    const int saved = errno;
    const unsigned char byte = (unsigned char)number;

    (void)!write(writer, &byte, 1); /* a full pipe is readable anyway */
    errno = saved;
}

int
signals_open(int *fd, const int *signals, size_t n, struct err *err)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_sys(err, "make a pipe for signals");
    writer = ends[1];
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < n; i++)
        if (sigaction(signals[i], &action, NULL) != 0)
            return err_sys(err, "watch signal %d", signals[i]);
    *fd = ends[0];
    return 0;
}

int
signals_next(int fd)
{
    unsigned char byte;

    return read(fd, &byte, 1) == 1 ? byte : 0;
}

void
signals_close(int fd)
{
    if (fd < 0)
        return;
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == on_signal)
            signal(number, SIG_DFL);
    }
    close(writer);
    close(fd);
    writer = -1;
}
