/*
 * transfer.c - how fast an artifact goes up and down: random bytes to a coordinator's
 * bulk socket and back, by the code that workers use. By hand, by scale.py:
 * transfer ENDPOINT MIB FOLDER [KEYS]. Prints one JSON object: MB/s, and from when to when
 * in ms of the monotonic clock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"
#include "worker/agent/blobs.h"

enum { STEP_MS = 20, BEFORE_MS = 3000, MIB = 1 << 20 };

/* Random bytes, which no two places of the file share. On disk at the end: what writes
 * them back would disturb the measurement. */
static int
make_file(const char *path, int64_t mib, struct err *err)
{
    uint64_t *piece = xmalloc(MIB), state;
    FILE *file = fopen(path, "wb");
    int rc = file != NULL ? 0 : err_sys(err, "create %s", path);

    if (getrandom(&state, sizeof state, 0) != sizeof state)
        rc = err_sys(err, "random bytes");
    state |= 1;
    for (int64_t i = 0; rc == 0 && i < mib; i++) {
        for (size_t at = 0; at < MIB / sizeof *piece; at++) {
            state ^= state << 13; /* Marsaglia 2003, xorshift64 */
            state ^= state >> 7;
            state ^= state << 17;
            piece[at] = state;
        }
        if (fwrite(piece, 1, MIB, file) != MIB)
            rc = err_sys(err, "write %s", path);
    }
    if (rc == 0 && (fflush(file) != 0 || fsync(fileno(file)) != 0))
        rc = err_sys(err, "write %s", path);
    if (file != NULL && fclose(file) != 0 && rc == 0)
        rc = err_sys(err, "write %s", path);
    free(piece);
    return rc;
}

/* Works until the transfer is over, and prints how it went. */
static int
wait_for(struct blobs *b, struct blob *t, const char *what, struct err *err)
{
    const int64_t begin_ms = clock_mono_ms();
    struct sock *sock = blobs_sock(b);
    unsigned char ready;

    while (blob_state(t) == BLOB_BUSY) {
        blobs_step(b, clock_mono_ms());
        if (blob_state(t) == BLOB_BUSY)
            (void)sock_wait(&sock, 1, NULL, 0, &ready, STEP_MS);
    }
    if (blob_state(t) != BLOB_DONE) {
        *err = *blob_error(t);
        return -1;
    }
    const int64_t end_ms = clock_mono_ms();
    printf("\"%s\": {\"MB_s\": %.1f, \"from_ms\": %lld, \"to_ms\": %lld}", what,
           (double)blob_size(t) / 1e3 / (double)(end_ms - begin_ms + 1),
           (long long)begin_ms, (long long)end_ms);
    return 0;
}

static int
transfer(const char *endpoint, const char *path, const char *folder, struct err *err)
{
    struct blobs *up, *down;
    struct sha256 digest;
    size_t size;

    char *cache = file_join(folder, "cache");
    if (sha256_file(&digest, &size, path, err) != 0
        || blobs_new(&up, cache, INT64_MAX, err) != 0
        || blobs_connect(up, endpoint, err) != 0)
        return -1;
    putchar('{');
    struct blob *t = blobs_put(up, digest.hex, (int64_t)size, path);
    if (wait_for(up, t, "up", err) != 0)
        return -1;
    blobs_free(up);
    fputs(", ", stdout);
    if (blobs_new(&down, cache, INT64_MAX, err) != 0
        || blobs_connect(down, endpoint, err) != 0)
        return -1;
    if (wait_for(down, blobs_get(down, digest.hex, (int64_t)size), "down", err) != 0)
        return -1;
    blobs_free(down);
    puts("}");
    free(cache);
    return 0;
}

int
main(int argc, char **argv)
{
    struct err err = {0};

    if (argc < 4) {
        fprintf(stderr, "usage: transfer ENDPOINT MIB FOLDER [KEYS]\n");
        return 2;
    }
    char *path = file_join(argv[3], "random");
    int rc = argc > 4 ? sock_use_client_keys(argv[4], &err) : 0;
    if (rc == 0)
        rc = make_file(path, atoll(argv[2]), &err);
    clock_pause_ms(BEFORE_MS);
    if (rc == 0)
        rc = transfer(argv[1], path, argv[3], &err);
    if (rc != 0)
        fprintf(stderr, "transfer: %s\n", err.text);
    (void)unlink(path);
    free(path);
    return rc != 0;
}
