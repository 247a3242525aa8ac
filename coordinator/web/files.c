/* files.c - style sheet and script, as they were at build. */
#include "coordinator/web/files.h"

#include <string.h>

#include "shared/base/sha256.h"

enum { VERSION_DIGITS = 12 };

static const char folder[] = "/static/";

static const struct web_file *
find(const char *name)
{
    for (const struct web_file *f = web_files; f->name != NULL; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

static const char *
type_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (dot != NULL && strcmp(dot, ".css") == 0)
        return "text/css; charset=utf-8";
    if (dot != NULL && strcmp(dot, ".svg") == 0)
        return "image/svg+xml";
    return "text/javascript; charset=utf-8";
}

bool
files_answer(const struct request *r, struct response *out)
{
    const size_t n = sizeof folder - 1;
    const struct web_file *file =
        strncmp(r->path, folder, n) == 0 && !r->is_api ? find(r->path + n) : NULL;

    if (file == NULL)
        return false;
    out->status = 200;
    out->type = type_of(file->name);
    out->is_forever = request_get(r, "v")[0] != '\0';
    buf_puts(&out->body, file->text);
    response_tag(out);
    if (r->takes_gzip)
        response_gzip(out);
    return true;
}

void
files_address(struct buf *out, const char *name)
{
    const struct web_file *file = find(name);
    const char *text = file != NULL ? file->text : "";

    buf_printf(out, "%s%s?v=%.*s", folder, name, VERSION_DIGITS,
               sha256_bytes(text, strlen(text)).hex);
}
