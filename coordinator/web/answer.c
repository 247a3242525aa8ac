/*
 * answer.c - from a request to an answer: find the page, read one moment of the database,
 * draw it, keep it. Runs in the threads of the pool. Must not know the HTTP library.
 */
#include "coordinator/web/answer.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/web/action.h"
#include "coordinator/web/files.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

static const char html_type[] = "text/html; charset=utf-8";
static const char api_type[] = "application/json";

void
seat_release(struct seat *seat)
{
    db_close(seat->db);
    seat->db = NULL;
}

void
answer_sorry(struct response *out, bool is_api, int status, const char *text)
{
    response_release(out);
    out->status = status;
    out->type = is_api ? api_type : html_type;
    if (is_api) {
        json_t *doc = json_pack("{s:s}", "error", text);
        char *body = json_dumps(doc, JSON_COMPACT);
        buf_puts(&out->body, body != NULL ? body : "{\"error\":\"\"}");
        free(body);
        json_decref(doc);
    } else {
        page_sorry(&out->body, status, text);
    }
}

static int
status_of(const struct err *err)
{
    switch (err->kind) {
    case ERR_USAGE: return 404;
    case ERR_REFUSED: return 409;
    case ERR_DB: return 503;
    default: return 500;
    }
}

/* ---- pages ------------------------------------------------------------------------ */

static void
draw(struct response *out, const struct page *page, const json_t *doc,
     const struct request *r, const struct site *site)
{
    struct buf title = {0}, contents = {0};

    out->status = 200;
    if (r->is_api) {
        char *text = json_dumps(doc, JSON_COMPACT | JSON_ENCODE_ANY);
        out->type = api_type;
        buf_puts(&out->body, text != NULL ? text : "null");
        free(text);
    } else if (page->give != NULL) {
        page->give(out, doc, r);
    } else if (page->type != NULL) {
        out->type = page->type;
        page->draw(&out->body, doc, r, site);
    } else {
        out->type = html_type;
        page->title(&title, doc);
        page->draw(&contents, doc, r, site);
        page_frame(&out->body, page, buf_str(&title), &contents);
    }
    buf_release(&title);
    buf_release(&contents);
}

/* Within one moment of the database. */
static int
make(struct seat *seat, const struct page *page, const char *key, struct request *r,
     struct response *out, struct err *err)
{
    const int64_t news = seat->site->news;
    struct buf moment = {0};
    json_t *doc = NULL;
    int rc = -1;

    if (db_web_begin(seat->db, &moment, err) != 0)
        goto out;
    const struct moment at = {seat->db, buf_str(&moment), seat->site->mirror};
    if (!page->now && cache_get(seat->site->cache, key, at.name, 0, out))
        rc = 0;
    else if (page->load(&doc, &at, r, err) == 0) {
        draw(out, page, doc, r, seat->site);
        if (out->blob == NULL)
            response_tag(out);
        if (r->takes_gzip)
            response_gzip(out);
        if (!page->now)
            cache_put(seat->site->cache, key, at.name, news, out);
        rc = 0;
    }
    db_web_end(seat->db);
out:
    json_decref(doc);
    buf_release(&moment);
    return rc;
}

/* A connection that was lost is opened again, once for each request. */
static int
connected(struct seat *seat, const struct page *page, const char *key,
          struct request *r, struct response *out, struct err *err)
{
    const bool fresh = seat->db == NULL;

    if (fresh && db_web_open(&seat->db, seat->site->config->database, err) != 0)
        return -1;
    if (make(seat, page, key, r, out, err) == 0)
        return 0;
    if (err->kind != ERR_DB)
        return -1;
    seat_release(seat);
    return fresh ? -1 : connected(seat, page, key, r, out, err);
}

static void
answer_page(struct seat *seat, struct request *r, struct response *out)
{
    const struct page *page = page_find(r);
    struct err err = {0};

    if (page == NULL) {
        answer_sorry(out, r->is_api, 404, "there is no such page");
        return;
    }
    char *key = xasprintf("%c%s", r->takes_gzip ? 'z' : ' ', r->target);
    if ((page->now || r->at <= 0
         || !cache_get(seat->site->cache, key, NULL, r->at, out))
        && connected(seat, page, key, r, out, &err) != 0) {
        answer_sorry(out, r->is_api, status_of(&err), err.text);
        if (out->status >= 500)
            log_warn("web", "page=%s status=%d error=%s", r->path, out->status,
                     err.text);
    }
    free(key);
}

void
answer(struct seat *seat, struct request *r, struct response *out)
{
    if (r->is_post)
        action_answer(seat, r, out);
    else if (!files_answer(r, out))
        answer_page(seat, r, out);
    seat->site->answers++;
    if (out->status >= 500)
        seat->site->failures++;
    response_shorten(out, r->known);
}
