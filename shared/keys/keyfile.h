#ifndef SHARED_KEYS_KEYFILE_H
#define SHARED_KEYS_KEYFILE_H

#include <stdbool.h>

#include "shared/base/err.h"

/*
 * Key pairs for CURVE (Bernstein's Curve25519 as ZeroMQ uses it), one file each:
 *
 *   NAME.key  "relusweep-secret 1 PUBLIC SECRET"  readable by its owner alone
 *   NAME.pub  "relusweep-public 1 PUBLIC"         to be given away
 *
 * Keys are written in Z85, 40 characters.
 */
enum { KEY_TEXT = 41, KEY_FINGERPRINT = 20 };

struct keypair {
    char public_key[KEY_TEXT], secret_key[KEY_TEXT];
};

/* Makes DIR/NAME.key and DIR/NAME.pub; the folder is made when needed. A key that is
 * there already is ERR_REFUSED: somebody may depend on it. */
MUST_CHECK int keyfile_new(struct keypair *out, const char *dir, const char *name,
                           struct err *err);

/* A secret file that others may read, or that is not ours, is ERR_REFUSED. */
MUST_CHECK int keyfile_read_secret(struct keypair *out, const char *path,
                                   struct err *err);

MUST_CHECK int keyfile_read_public(char key[KEY_TEXT], const char *path,
                                   struct err *err);

/* Whether this is the text of a public key, 40 characters of Z85. */
bool key_is_text(const char *text);

/* Z85 of 32 bytes as ZeroMQ hands them to us. */
void key_to_text(char key[KEY_TEXT], const unsigned char bytes[32]);

/* Four groups of four hexadecimal digits, for people to compare. */
void key_fingerprint(char out[KEY_FINGERPRINT], const char *key);

/* A name for a key: 1 to 63 letters, digits, dots, minus signs and underscores, not
 * beginning with a dot. */
MUST_CHECK int key_check_name(const char *name, struct err *err);

/* The folder of keys: $RELUSWEEP_KEYS, else relusweep/keys in the XDG configuration
 * folder. Caller frees; NULL when neither XDG_CONFIG_HOME nor HOME is set. */
char *keys_default_dir(void);

#endif
