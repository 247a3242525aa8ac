/* keys_fuzz.c - files of keys: what is taken for a key is one, whatever else is there. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/keys/keyfile.h"
#include "tests/fuzz/fuzz.h"

static void
expect_key(const char *key)
{
    char fingerprint[KEY_FINGERPRINT];

    assert(strlen(key) == KEY_TEXT - 1 && key_is_text(key));
    key_fingerprint(fingerprint, key);
    assert(strlen(fingerprint) == KEY_FINGERPRINT - 1);
}

static void
read_it(const char *path)
{
    struct keypair pair;
    char key[KEY_TEXT];
    struct err err;

    if (keyfile_read_public(key, path, &err) == 0)
        expect_key(key);
    if (keyfile_read_secret(&pair, path, &err) == 0) {
        expect_key(pair.public_key);
        expect_key(pair.secret_key);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (fd < 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (write(fd, data, size) == (ssize_t)size && fchmod(fd, 0600) == 0)
        read_it(path);
    close(fd);
    return 0;
}
