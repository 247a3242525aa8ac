/*
 * screen.c - a terminal taken over and given back. Knows escape sequences and terminal
 * modes, nothing of what is drawn. Whatever ends the view, screen_close must run:
 * follow.c turns deadly signals into an ordinary end.
 */
#include "coordinator/cli/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"

struct screen {
    struct termios before;
    struct sigaction before_winch, before_tstp, before_cont;
    char *drawn; /* what stands there, NULL: unknown */
};

static volatile sig_atomic_t resized, stopped;

static void
on_resize(int number)
{
    (void)number;
    resized = 1;
}

static void
on_stop(int number)
{
    (void)number;
    stopped = 1;
}

static void
send(const char *text)
{
    fputs(text, stdout);
    fflush(stdout);
}

/* Keys come one by one and unseen; Ctrl-C and Ctrl-Z stay signals. */
static void
take_over(const struct screen *s)
{
    struct termios mode = s->before;

    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    mode.c_cc[VMIN] = 0;
    mode.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
    send("\033[?1049h\033[?25l\033[H\033[2J");
}

static void
give_back(const struct screen *s)
{
    send("\033[0m\033[?25h\033[?1049l");
    tcsetattr(STDIN_FILENO, TCSADRAIN, &s->before);
}

static void
forget_drawn(struct screen *s)
{
    free(s->drawn);
    s->drawn = NULL;
}

static bool
terminal_is_able(void)
{
    const char *term = getenv("TERM");

    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term != NULL
           && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

struct screen *
screen_open(void)
{
    const struct sigaction resize = {.sa_handler = on_resize};
    const struct sigaction stop = {.sa_handler = on_stop};
    struct termios mode;

    if (!terminal_is_able() || tcgetattr(STDIN_FILENO, &mode) != 0)
        return NULL;
    struct screen *s = xcalloc(1, sizeof *s);
    s->before = mode;
    sigaction(SIGWINCH, &resize, &s->before_winch);
    sigaction(SIGCONT, &resize, &s->before_cont);
    sigaction(SIGTSTP, &stop, &s->before_tstp);
    take_over(s);
    return s;
}

void
screen_size(const struct screen *s, int *columns, int *rows)
{
    struct winsize size = {0};

    (void)s;
    *columns = 80;
    *rows = 24;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return;
    *columns = size.ws_col > 0 ? size.ws_col : *columns;
    *rows = size.ws_row > 0 ? size.ws_row : *rows;
}

/* Ends where the line does, at '\n' or NUL. */
static size_t
line_length(const char *line)
{
    return line != NULL ? strcspn(line, "\n") : 0;
}

static const char *
next_line(const char *line)
{
    if (line == NULL || line[line_length(line)] == '\0')
        return NULL;
    return line + line_length(line) + 1;
}

static bool
is_same_line(const char *a, const char *b)
{
    return line_length(a) == line_length(b)
           && (a == NULL || b == NULL || memcmp(a, b, line_length(a)) == 0);
}

void
screen_draw(struct screen *s, const char *lines)
{
    const char *old = s->drawn, *line = lines;
    struct buf out = {0};

    if (old == NULL)
        buf_puts(&out, "\033[2J");
    for (int row = 1; line != NULL || old != NULL; row++) {
        if (!is_same_line(line, old)) {
            buf_printf(&out, "\033[%d;1H", row);
            if (line != NULL)
                buf_add(&out, line, line_length(line));
            buf_puts(&out, "\033[0m\033[K");
        }
        line = next_line(line);
        old = next_line(old);
    }
    send(buf_str(&out));
    buf_release(&out);
    forget_drawn(s);
    s->drawn = xstrdup(lines);
}

/* Ctrl-Z: as long as it lasts the terminal is the shell's. */
static void
pause_for_shell(struct screen *s)
{
    stopped = 0;
    give_back(s);
    raise(SIGSTOP);
    take_over(s);
    forget_drawn(s);
}

int
screen_wait(struct screen *s, int64_t ms)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char key = 0;
    const int ready = poll(&in, 1, (int)ms);
    const int why = errno;

    if (stopped)
        pause_for_shell(s);
    if (resized) {
        resized = 0;
        forget_drawn(s);
    }
    if (ready < 0)
        return why == EINTR ? 0 : -1;
    if (ready == 0)
        return 0;
    const ssize_t n = read(STDIN_FILENO, &key, 1);
    if (n == 1)
        return (unsigned char)key;
    return n < 0 && errno == EINTR ? 0 : -1;
}

void
screen_close(struct screen *s)
{
    if (s == NULL)
        return;
    give_back(s);
    sigaction(SIGWINCH, &s->before_winch, NULL);
    sigaction(SIGCONT, &s->before_cont, NULL);
    sigaction(SIGTSTP, &s->before_tstp, NULL);
    forget_drawn(s);
    free(s);
}
