/* markup.c - the pieces of pages, and the words for states. */
#include "coordinator/web/markup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/report/number.h"

/* In the order of the bar: what is done first. */
static const struct {
    const char *state, *word, *sign;
} states[] = {
    {"succeeded", "succeeded", "✓"},
    {"leased", "running", "▶"},
    {"ready", "ready", "○"},
    {"blocked", "waiting", "·"},
    {"held", "held", "‖"},
    {"failed", "failed", "✕"},
    {"quarantined", "quarantined", "☣"},
    {"upstream_failed", "upstream failed", "↯"},
    {"cancelled", "cancelled", "∅"},
};
enum { N_STATES = sizeof states / sizeof states[0] };

void
mark_link(struct buf *out, const char *path, int64_t id, const char *text)
{
    html_text(out, "<a href=\"", path, "");
    buf_printf(out, "/%lld\">", (long long)id);
    html_text(out, "", text, "</a>");
}

static int
place_of(const char *state)
{
    for (int i = 0; i < N_STATES; i++)
        if (strcmp(states[i].state, state) == 0)
            return i;
    return -1;
}

const char *
mark_state_word(const char *state)
{
    const int i = place_of(state);

    return i >= 0 ? states[i].word : state;
}

void
mark_state(struct buf *out, const char *state)
{
    const int i = place_of(state);

    if (i < 0) {
        html_text(out, "", state, "");
        return;
    }
    buf_printf(out,
               "<span class=\"state s-%s\"><i aria-hidden=\"true\">%s</i> %s</span>",
               states[i].state, states[i].sign, states[i].word);
}

int64_t
mark_total(const json_t *counts)
{
    int64_t total = 0;

    for (int i = 0; i < N_STATES; i++)
        total += json_int(counts, states[i].state, 0);
    return total;
}

void
mark_counts(struct buf *out, const json_t *counts)
{
    bool any = false;

    for (int i = 0; i < N_STATES; i++) {
        const int64_t n = json_int(counts, states[i].state, 0);
        if (n == 0)
            continue;
        buf_puts(out, any ? " · " : "");
        number_count(out, n);
        buf_printf(out, " %s", states[i].word);
        any = true;
    }
    if (!any)
        buf_puts(out, "no jobs");
}

void
mark_bar(struct buf *out, const json_t *counts)
{
    const double total = (double)mark_total(counts);
    double x = 0;

    buf_puts(out,
             "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\""
             " aria-hidden=\"true\">");
    for (int i = 0; i < N_STATES && total > 0; i++) {
        const double width =
            1000 * (double)json_int(counts, states[i].state, 0) / total;
        if (width > 0)
            buf_printf(out,
                       "<rect x=\"%.1f\" width=\"%.1f\" height=\"10\" class=\"f-%s\"/>",
                       x, width < 4 ? 4 : width, states[i].state);
        x += width;
    }
    buf_puts(out, "</svg>");
}

void
mark_time(struct buf *out, const char *iso)
{
    if (strlen(iso) < 16) {
        buf_puts(out, "–");
        return;
    }
    html_text(out, "<time datetime=\"", iso, "\">");
    char text[32];
    snprintf(text, sizeof text, "%.10s %.5s UTC", iso, iso + 11);
    html_text(out, "", text, "</time>");
}

void
mark_seconds(struct buf *out, double seconds)
{
    if (seconds >= 0)
        number_seconds(out, seconds);
    else
        buf_puts(out, "–");
}

void
mark_value(struct buf *out, const json_t *value)
{
    struct buf text = {0};

    number_param(&text, value);
    html_text(out, "", buf_str(&text), "");
    buf_release(&text);
}

void
mark_params(struct buf *out, const json_t *params, const json_t *but)
{
    const char *name;
    json_t *value;
    bool any = false;

    json_object_foreach((json_t *)params, name, value)
    {
        if (but != NULL && json_equal(value, json_object_get(but, name)))
            continue;
        html_text(out, any ? ", " : "", name, " ");
        mark_value(out, value);
        any = true;
    }
}

void
mark_part(struct buf *out, const char *name, const char *heading)
{
    buf_printf(out, "<section data-part=\"%s\" aria-labelledby=\"h-%s\">\n", name,
               name);
    buf_printf(out, "<h2 id=\"h-%s\">%s</h2>\n", name, heading);
}

void
mark_part_end(struct buf *out)
{
    buf_puts(out, "</section>\n");
}

void
mark_number(struct buf *out, int64_t value)
{
    buf_puts(out, "<td class=\"n\">");
    number_count(out, value);
    buf_puts(out, "</td>");
}

void
mark_bytes(struct buf *out, double bytes)
{
    number_short(out, bytes);
    buf_puts(out, "B");
}
