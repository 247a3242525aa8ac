/* sheet.c - tables of text. Knows neither what they say nor where they are written. */
#include "coordinator/report/sheet.h"

#include <ctype.h>
#include <string.h>

json_t *
sheet_new(const char *name, const char *section, const char *title, const char *note)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:[], s:[]}", "name", name, "section",
                     section, "title", title, "note", note != NULL ? note : "",
                     "columns", "rows");
}

void
sheet_column(json_t *sheet, const char *heading, bool left)
{
    json_array_append_new(json_object_get(sheet, "columns"),
                          json_pack("{s:s, s:b}", "heading", heading, "left", left));
}

json_t *
sheet_row(json_t *sheet)
{
    json_t *row = json_array();

    json_array_append_new(json_object_get(sheet, "rows"), row);
    return row;
}

void
sheet_text(json_t *row, const char *text)
{
    json_array_append_new(row, json_string(text));
}

void
sheet_take(json_t *row, struct buf *b)
{
    sheet_text(row, buf_str(b));
    buf_release(b);
}

void
sheet_add(json_t *report, json_t *sheet)
{
    if (json_array_size(json_object_get(sheet, "rows")) > 0)
        json_array_append(json_object_get(report, "sheets"), sheet);
    json_decref(sheet);
}

void
sheet_name(struct buf *out, const char *word)
{
    if (out->len > 0 && word[0] != '\0')
        buf_putc(out, '-');
    for (; *word != '\0'; word++)
        buf_putc(out, isalnum((unsigned char)*word) || strchr("._-", *word)
                          ? (char)tolower((unsigned char)*word)
                          : '-');
}

size_t
sheet_n_columns(const json_t *sheet)
{
    return json_array_size(json_object_get(sheet, "columns"));
}

static const json_t *
column_at(const json_t *sheet, size_t column)
{
    return json_array_get(json_object_get(sheet, "columns"), column);
}

bool
sheet_is_left(const json_t *sheet, size_t column)
{
    return json_is_true(json_object_get(column_at(sheet, column), "left"));
}

const char *
sheet_heading(const json_t *sheet, size_t column)
{
    return json_str(column_at(sheet, column), "heading", "");
}
