/*
 * page_artifact.c - a file that a job has left: /jobs/12/artifact?name=model. Only what
 * the job has declared can be had, under its name, never by digest.
 */
#include <ctype.h>

#include "coordinator/web/page.h"
#include "shared/base/mem.h"

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    return db_web_artifact(at->db, r->ids[0], request_get(r, "name"), out, err);
}

/* Letters, digits and a few signs: it goes into a header and onto somebody's disk. */
static void
put_plain(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        buf_putc(out, isalnum((unsigned char)*text) || *text == '-' ? *text : '_');
}

static void
give(struct response *out, const json_t *doc, const struct request *r)
{
    struct buf name = {0};

    put_plain(&name, json_str(doc, "stage", ""));
    buf_printf(&name, "-%lld-", (long long)r->ids[0]);
    put_plain(&name, json_str(doc, "name", ""));
    buf_puts(&name, ".safetensors");
    buf_str(&name);
    out->file_name = buf_take(&name);
    out->type = "application/octet-stream";
    out->blob = xstrdup(json_str(doc, "sha", ""));
    out->blob_size = json_int(doc, "size", 0);
}

const struct page page_artifact = {
    .pattern = "/jobs/#/artifact",
    .menu = "Jobs",
    .now = true,
    .load = load,
    .give = give,
};
