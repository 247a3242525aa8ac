#ifndef COORDINATOR_WEB_PAGE_H
#define COORDINATOR_WEB_PAGE_H

#include "coordinator/db/webreads.h"
#include "coordinator/web/moment.h"
#include "coordinator/web/request.h"
#include "coordinator/web/response.h"
#include "coordinator/web/site.h"

/*
 * A page is one file with a `const struct page page_<name>` and one line in registry.c.
 * It is a document read from the database and a way to draw it; /api/v1 in front of its
 * address gives the document itself.
 */
struct page {
    const char *pattern; /* "/sweeps/#": # is a number, in r->ids */
    const char *menu;    /* its place in the menu, "" for none */
    const char *type;    /* of a body that is not HTML within our frame; NULL: it is */
    bool now;            /* tells of now, so no answer is kept */
    /* New reference. ERR_USAGE becomes 404. */
    int (*load)(json_t **out, const struct moment *at, const struct request *r,
                struct err *err);
    /* What stands in the title and what the page is about, "sweep:3" or "". */
    void (*title)(struct buf *out, const json_t *doc);
    /* Appends the contents of <main>, or the whole body where it has a type. */
    void (*draw)(struct buf *out, const json_t *doc, const struct request *r,
                 const struct site *site);
    /* Where the answer is not drawn but a stored blob: says which; else NULL. */
    void (*give)(struct response *out, const json_t *doc, const struct request *r);
};

extern const struct page *const pages[]; /* NULL-terminated */

/* The page of this address, NULL when there is none; fills r->ids. */
const struct page *page_find(struct request *r);

/* The whole of an HTML page around its contents. */
void page_frame(struct buf *out, const struct page *page, const char *title,
                struct buf *contents);

/* A page that says what is wrong, in our frame. */
void page_sorry(struct buf *out, int status, const char *text);

#endif
