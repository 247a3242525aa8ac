/* response.c - answers: memory, compression, and the names by which browsers keep them. */
#include "coordinator/web/response.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { WORTH_IT = 1024, GZIP_WINDOW = 15 + 16, TAG_DIGITS = 24 };

void
response_release(struct response *r)
{
    buf_release(&r->body);
    free(r->location);
    free(r->cookie);
    free(r->etag);
    free(r->blob);
    free(r->file_name);
    *r = (struct response){0};
}

static char *
copy_text(const char *text)
{
    return text != NULL ? xstrdup(text) : NULL;
}

void
response_copy(struct response *to, const struct response *from)
{
    *to = *from;
    to->body = (struct buf){0};
    buf_add(&to->body, from->body.data, from->body.len);
    to->location = copy_text(from->location);
    to->cookie = copy_text(from->cookie);
    to->etag = copy_text(from->etag);
    to->blob = copy_text(from->blob);
    to->file_name = copy_text(from->file_name);
}

/* A body that cannot be compressed for want of memory goes as it is. */
void
response_gzip(struct response *r)
{
    z_stream z = {.next_in = (unsigned char *)r->body.data,
                  .avail_in = (unsigned)r->body.len};

    if (r->body.len < WORTH_IT || r->body.len > UINT32_MAX || r->is_gzip
        || deflateInit2(&z, 5, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return;
    const size_t bound = deflateBound(&z, z.avail_in);
    char *out = xmalloc(bound);
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)bound;
    if (deflate(&z, Z_FINISH) == Z_STREAM_END) {
        buf_clear(&r->body);
        buf_add(&r->body, out, bound - z.avail_out);
        r->is_gzip = true;
    }
    deflateEnd(&z);
    free(out);
}

void
response_tag(struct response *r)
{
    const struct sha256 digest = sha256_bytes(r->body.data, r->body.len);

    free(r->etag);
    r->etag = xasprintf("\"%.*s%s\"", TAG_DIGITS, digest.hex, r->is_gzip ? "z" : "");
}

void
response_shorten(struct response *r, const char *known)
{
    if (r->status != 200 || r->etag == NULL || known == NULL
        || strstr(known, r->etag) == NULL)
        return;
    r->status = 304;
    buf_release(&r->body);
    r->is_gzip = false;
}
