/*
 * keyfile.c - key files. Invariant: a secret never exists in a file that others may read,
 * not even for a moment. Must not know who may connect (allow.c).
 */
#include "shared/keys/keyfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { LINE_MAX_BYTES = 256, NAME_MAX_BYTES = 63, GROUP = 4 };

static const char z85[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    ".-:+=^!/*?&<>()[]{}@%$#";

bool
key_is_text(const char *text)
{
    return strlen(text) == KEY_TEXT - 1 && strspn(text, z85) == KEY_TEXT - 1;
}

void
key_to_text(char key[KEY_TEXT], const unsigned char bytes[32])
{
    const char *done = zmq_z85_encode(key, bytes, 32);

    assert(done != NULL); /* 32 is a multiple of 4 */
    (void)done;
}

void
key_fingerprint(char out[KEY_FINGERPRINT], const char *key)
{
    const struct sha256 digest = sha256_bytes(key, strlen(key));

    snprintf(out, KEY_FINGERPRINT, "%.*s %.*s %.*s %.*s", GROUP, digest.hex, GROUP,
             digest.hex + 4, GROUP, digest.hex + 8, GROUP, digest.hex + 12);
}

int
key_check_name(const char *name, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-";
    const size_t n = strlen(name);

    if (n > 0 && n <= NAME_MAX_BYTES && strspn(name, allowed) == n && name[0] != '.')
        return 0;
    return err_set(err, ERR_USAGE,
                   "`%.80s` cannot be the name of a key: use 1 to %d letters, digits, "
                   "dots, minus signs and underscores",
                   name, NAME_MAX_BYTES);
}

char *
keys_default_dir(void)
{
    const char *own = getenv("RELUSWEEP_KEYS"), *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (own != NULL && own[0] != '\0')
        return xstrdup(own);
    if (xdg != NULL && xdg[0] != '\0')
        return xasprintf("%s/relusweep/keys", xdg);
    return home != NULL && home[0] != '\0'
               ? xasprintf("%s/.config/relusweep/keys", home)
               : NULL;
}

/* ---- writing ---------------------------------------------------------------------- */

static int
write_new(const char *path, mode_t mode, const char *text, struct err *err)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0 && errno == EEXIST)
        return err_set(err, ERR_REFUSED,
                       "%s is there already; remove it first if nobody uses it", path);
    if (fd < 0)
        return err_sys(err, "make %s", path);
    const bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text)
                    && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    const int rc = ok ? 0 : err_sys(err, "write %s", path);
    close(fd);
    return rc;
}

int
keyfile_new(struct keypair *out, const char *dir, const char *name, struct err *err)
{
    char *secret_path, *public_path, secret[LINE_MAX_BYTES], public[LINE_MAX_BYTES];

    if (key_check_name(name, err) != 0 || file_make_dirs(dir, err) != 0)
        return -1;
    if (zmq_curve_keypair(out->public_key, out->secret_key) != 0)
        return err_set(err, ERR_SYS, "this libzmq was built without CURVE");
    snprintf(secret, sizeof secret, "relusweep-secret 1 %s %s\n", out->public_key,
             out->secret_key);
    snprintf(public, sizeof public, "relusweep-public 1 %s\n", out->public_key);
    secret_path = xasprintf("%s/%s.key", dir, name);
    public_path = xasprintf("%s/%s.pub", dir, name);
    int rc = write_new(secret_path, 0600, secret, err);
    if (rc == 0)
        rc = write_new(public_path, 0644, public, err);
    explicit_bzero(secret, sizeof secret);
    free(secret_path);
    free(public_path);
    return rc;
}

/* ---- reading ---------------------------------------------------------------------- */

/* The owner and the mode are looked at before the content is. */
static int
check_private(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return err_sys(err, "%s (`relusweep keys new` makes a key)", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return err_set(err, ERR_REFUSED, "%s belongs to somebody else", path);
    if ((st.st_mode & 077) != 0)
        return err_set(
            err, ERR_REFUSED,
            "others may read %s (mode %03o), so the key is not secret: make a "
            "new one, and `chmod 600` it",
            path, (unsigned)(st.st_mode & 0777));
    return 0;
}

static int
not_a_key(const char *path, const char *kind, struct err *err)
{
    return err_set(err, ERR_DATA, "%s is not a %s key of relusweep", path, kind);
}

int
keyfile_read_secret(struct keypair *out, const char *path, struct err *err)
{
    struct buf text = {0};
    int rc = -1;

    if (check_private(path, err) != 0 || file_read(&text, path, err) != 0)
        return -1;
    if (sscanf(buf_str(&text), "relusweep-secret 1 %40s %40s", out->public_key,
               out->secret_key)
            == 2
        && key_is_text(out->public_key) && key_is_text(out->secret_key))
        rc = 0;
    else
        not_a_key(path, "secret", err);
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    buf_release(&text);
    return rc;
}

int
keyfile_read_public(char key[KEY_TEXT], const char *path, struct err *err)
{
    struct buf text = {0};
    int rc = -1;

    if (file_read(&text, path, err) != 0)
        return -1;
    if (sscanf(buf_str(&text), "relusweep-public 1 %40s", key) == 1 && key_is_text(key))
        rc = 0;
    else
        not_a_key(path, "public", err);
    buf_release(&text);
    return rc;
}
