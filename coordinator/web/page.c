/* page.c - what is around every page: head, menu, the line that says if it is live. */
#include "coordinator/web/page.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/web/files.h"
#include "coordinator/web/markup.h"

static void
put_menu(struct buf *out, const struct page *here)
{
    static const struct {
        const char *name, *path;
    } menu[] = {{"Sweeps", "/sweeps"},
                {"Jobs", "/jobs"},
                {"Workers", "/workers"},
                {"System", "/system"}};

    buf_puts(out,
             "<nav aria-label=\"Pages\"><a class=\"brand\" href=\"/\">relusweep</a>");
    for (size_t i = 0; i < sizeof menu / sizeof menu[0]; i++)
        buf_printf(out, "<a href=\"%s\"%s>%s</a>", menu[i].path,
                   here != NULL && strcmp(here->menu, menu[i].name) == 0
                       ? " aria-current=\"true\""
                       : "",
                   menu[i].name);
    buf_puts(out, "</nav>");
}

static void
put_head(struct buf *out, const char *title)
{
    buf_puts(out,
             "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, "
             "initial-scale=1\">\n");
    html_text(out, "<title>", title, " – relusweep</title>\n");
    buf_puts(out, "<link rel=\"icon\" href=\"");
    files_address(out, "icon.svg");
    buf_puts(out, "\">\n<link rel=\"stylesheet\" href=\"");
    files_address(out, "page.css");
    buf_puts(out, "\">\n<script type=\"module\" src=\"");
    files_address(out, "page.js");
    buf_puts(out, "\"></script>\n<script type=\"module\" src=\"");
    files_address(out, "chart.js");
    buf_puts(out, "\"></script>\n</head>\n");
}

void
page_frame(struct buf *out, const struct page *page, const char *title,
           struct buf *contents)
{
    put_head(out, title);
    buf_puts(out,
             "<body>\n<a class=\"skip\" href=\"#main\">To the content</a>\n<header>");
    put_menu(out, page);
    buf_puts(out, "<p id=\"live\" role=\"status\"></p></header>\n"
                  "<main id=\"main\" tabindex=\"-1\">\n");
    buf_add(out, contents->data, contents->len);
    buf_puts(out, "</main>\n</body>\n</html>\n");
}

void
page_sorry(struct buf *out, int status, const char *text)
{
    struct buf contents = {0};

    buf_printf(&contents, "<h1>%s</h1>\n",
               status == 404   ? "Not found"
               : status == 503 ? "Not now"
               : status < 500  ? "Not possible"
                               : "Something is wrong");
    html_text(&contents, "<p class=\"lead\">", text, "</p>\n");
    page_frame(out, NULL, "relusweep", &contents);
    buf_release(&contents);
}
