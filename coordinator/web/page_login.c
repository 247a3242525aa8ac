/* page_login.c - where the token is asked for. */
#include "coordinator/web/page.h"

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    (void)at;
    (void)r;
    (void)err;
    *out = json_object();
    return 0;
}

static void
title(struct buf *out, const json_t *doc)
{
    (void)doc;
    buf_puts(out, "Token");
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    (void)doc;
    (void)r;
    (void)site;
    buf_puts(
        out,
        "<h1>Token</h1>\n<p>This page is open to those who know the token of its "
        "key file.</p>\n<form method=\"post\" action=\"/login\"><label>Token "
        "<input type=\"password\" name=\"token\" autocomplete=\"current-password\" "
        "required></label> <button>Open</button></form>\n");
}

const struct page page_login = {
    .pattern = "/login",
    .menu = "",
    .now = true,
    .load = load,
    .title = title,
    .draw = draw,
};
