/* fullscreen.c - pictures of a sweep on a whole terminal, until q is pressed. */
#include "coordinator/cli/fullscreen.h"

#include <stdlib.h>

#include "coordinator/cli/follow.h"
#include "coordinator/cli/page.h"
#include "coordinator/cli/screen.h"
#include "coordinator/cli/text.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"

struct fullscreen {
    struct view view;
    struct screen *screen;
    struct picture shown; /* with references of its own, to be drawn at another size */
    char *note;
    bool colour, utf8;
};

static void
draw(struct fullscreen *f)
{
    struct page_look look = {
        .colour = f->colour, .utf8 = f->utf8, .now = time(NULL), .note = f->note};
    struct buf page = {0};

    if (f->shown.status == NULL)
        return;
    screen_size(f->screen, &look.columns, &look.rows);
    page_draw(&page, &f->shown, &look);
    screen_draw(f->screen, buf_str(&page));
    buf_release(&page);
}

static void
keep(struct fullscreen *f, const struct picture *now)
{
    const struct picture before = f->shown;

    f->shown = *now;
    json_incref((json_t *)f->shown.status);
    json_incref((json_t *)f->shown.outlook);
    json_decref((json_t *)before.status);
    json_decref((json_t *)before.outlook);
}

static void
fullscreen_show(struct view *v, const struct picture *now)
{
    struct fullscreen *f = (struct fullscreen *)v;

    keep(f, now);
    free(f->note);
    f->note = NULL;
    draw(f);
}

static void
fullscreen_say(struct view *v, const char *text)
{
    struct fullscreen *f = (struct fullscreen *)v;

    free(f->note);
    f->note = xstrdup(text);
    draw(f);
}

static bool
fullscreen_wait(struct view *v, int64_t ms)
{
    struct fullscreen *f = (struct fullscreen *)v;
    const int64_t until = clock_mono_ms() + ms;
    int64_t left = ms;
    int key = 0;

    while (left > 0 && key >= 0 && key != 'q' && key != 'Q' && !follow_interrupted()) {
        key = screen_wait(f->screen, left);
        left = until - clock_mono_ms();
        draw(f);
    }
    return key < 0 || key == 'q' || key == 'Q';
}

static void
fullscreen_end(struct view *v)
{
    struct fullscreen *f = (struct fullscreen *)v;

    screen_close(f->screen);
    keep(f, &(struct picture){0});
    free(f->note);
    free(f);
}

struct view *
fullscreen_new(bool colour)
{
    struct screen *screen = screen_open();

    if (screen == NULL)
        return NULL;
    struct fullscreen *f = xcalloc(1, sizeof *f);
    f->view =
        (struct view){fullscreen_show, fullscreen_say, fullscreen_wait, fullscreen_end};
    f->screen = screen;
    f->colour = colour;
    f->utf8 = text_utf8();
    return &f->view;
}
