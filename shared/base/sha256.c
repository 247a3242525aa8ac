/* sha256.c - digests of specs and artifacts, by libcrypto. */
#include "shared/base/sha256.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/mem.h"

struct sha256_stream *
sha256_stream_new(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    assert(ctx != NULL);
    assert(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1);
    return (struct sha256_stream *)ctx;
}

void
sha256_stream_add(struct sha256_stream *s, const void *data, size_t size)
{
    assert(EVP_DigestUpdate((EVP_MD_CTX *)s, data, size) == 1);
}

struct sha256
sha256_of_raw(const unsigned char raw[SHA256_RAW])
{
    static const char digits[] = "0123456789abcdef";
    struct sha256 out;

    for (size_t i = 0; i < SHA256_RAW; i++) {
        out.hex[2 * i] = digits[raw[i] >> 4];
        out.hex[2 * i + 1] = digits[raw[i] & 15];
    }
    out.hex[SHA256_HEX] = '\0';
    return out;
}

static struct sha256
take_digest(EVP_MD_CTX *ctx)
{
    unsigned char raw[SHA256_RAW];
    unsigned n = 0;

    assert(EVP_DigestFinal_ex(ctx, raw, &n) == 1 && n == sizeof raw);
    return sha256_of_raw(raw);
}

/* Setting an algorithm up costs more than hashing a short text. */
struct sha256
sha256_stream_next(struct sha256_stream *s)
{
    const struct sha256 out = take_digest((EVP_MD_CTX *)s);

    assert(EVP_DigestInit_ex((EVP_MD_CTX *)s, NULL, NULL) == 1);
    return out;
}

struct sha256
sha256_stream_end(struct sha256_stream *s)
{
    const struct sha256 out = take_digest((EVP_MD_CTX *)s);

    EVP_MD_CTX_free((EVP_MD_CTX *)s);
    return out;
}

struct sha256
sha256_bytes(const void *data, size_t size)
{
    struct sha256_stream *s = sha256_stream_new();

    sha256_stream_add(s, data, size);
    return sha256_stream_end(s);
}

int
sha256_file(struct sha256 *out, size_t *size, const char *path, struct err *err)
{
    char chunk[65536];
    size_t total = 0, n;
    FILE *f = fopen(path, "rb");

    if (f == NULL)
        return err_sys(err, "open %s", path);
    struct sha256_stream *s = sha256_stream_new();
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0) {
        sha256_stream_add(s, chunk, n);
        total += n;
    }
    const int failed = ferror(f);
    *out = sha256_stream_end(s);
    fclose(f);
    if (failed)
        return err_sys(err, "read %s", path);
    if (size != NULL)
        *size = total;
    return 0;
}

int
sha256_is_hex(const char *hex)
{
    return strlen(hex) == SHA256_HEX && strspn(hex, "0123456789abcdef") == SHA256_HEX;
}
