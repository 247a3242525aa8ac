/* joblog.c - pieces of a growing log file. Knows the session only as a way to send. */
#include "worker/agent/joblog.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/wire/codec.h"

enum {
    PIECE_BYTES = 32 << 10,
    PAUSE_MS = 250,         /* between pieces */
    MAX_BEHIND = 512 << 10, /* then the middle is left out */
    KEEP_BEHIND = 128 << 10,
    REWIND_BYTES = 64 << 10,
    TAIL_BYTES = 1024,
};

void
joblog_init(struct joblog *l, const char *dir)
{
    *l = (struct joblog){.path = file_join(dir, "log")};
}

void
joblog_release(struct joblog *l)
{
    free(l->path);
    *l = (struct joblog){0};
}

void
joblog_rewind(struct joblog *l)
{
    l->offset = l->offset > REWIND_BYTES ? l->offset - REWIND_BYTES : 0;
}

/* Up to n bytes at offset as a string without NUL in it; the number read. */
static size_t
read_piece(const char *path, int64_t offset, char *text, size_t n)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd >= 0 ? pread(fd, text, n, offset) : 0;

    if (fd >= 0)
        close(fd);
    const size_t len = got > 0 ? (size_t)got : 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\0')
            text[i] = '?';
    text[len] = '\0';
    return len;
}

/* Length without a character that is cut at the end. */
static size_t
whole_characters(const char *text, size_t n)
{
    for (size_t back = 1; back <= 3 && back < n; back++) {
        const unsigned char c = (unsigned char)text[n - back];
        if (c >= 0xc0) /* a first byte: is all of it here? */
            return codec_utf8_char(text + n - back, back) == 0 ? n - back : n;
        if (c < 0x80)
            break;
    }
    return n;
}

bool
joblog_step(struct joblog *l, struct session *s, struct msg_run run, int64_t now_ms)
{
    char text[PIECE_BYTES + 1];
    struct stat st;

    if (stat(l->path, &st) != 0 || st.st_size <= l->offset)
        return true;
    if (now_ms < l->due_ms)
        return false;
    l->due_ms = now_ms + PAUSE_MS;
    if (st.st_size - l->offset > MAX_BEHIND)
        l->offset = st.st_size - KEEP_BEHIND;
    size_t n = read_piece(l->path, l->offset, text, PIECE_BYTES);
    if (n == PIECE_BYTES)
        n = whole_characters(text, n);
    text[n] = '\0';
    if (n > 0 && session_run_log(s, run, l->offset, text) == 0)
        l->offset += (int64_t)n;
    return l->offset >= st.st_size;
}

char *
joblog_tail(const struct joblog *l)
{
    char text[TAIL_BYTES + 1];
    struct stat st;

    if (stat(l->path, &st) != 0)
        return xstrdup("");
    const int64_t from = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
    size_t n = read_piece(l->path, from, text, TAIL_BYTES);
    while (n > 0 && text[n - 1] == '\n')
        text[--n] = '\0';
    const char *start = text;
    const char *line = from > 0 ? strchr(text, '\n') : NULL;
    if (line != NULL)
        start = line + 1; /* the first line is cut */
    return xstrdup(start);
}
