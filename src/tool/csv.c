#include "tool/csv.h"

#include <string.h>
#include <strings.h>

#define SEPARATORS      " \t\r\n,;"
#define BLANKS          " \t"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Where reading stands. */
struct csv {
    const char *at, *end;
    unsigned line;       /* of at */
    struct buffer field; /* the last one that was taken, without its quotes */
    bool has_begun;      /* a row that is not empty was taken */
    /* What the heading says of each field: 't' for targets, '-' for something else. */
    struct buffer roles;
    bool has_targets;  /* the heading names such a field; otherwise all but the first are */
    bool has_state;    /* it is of lpalias export, where a row without targets is no fault */
    bool is_cut;       /* a quote was never closed */
    const char *wrong; /* with the row, static text; NULL: nothing yet */
};

/* A field between quotes, in which two of them stand for one; at is behind the first quote. */
static void take_quoted(struct csv *csv)
{
    while (csv->at < csv->end) {
        char byte = *csv->at++;
        if (byte == '\n')
            csv->line++;
        if (byte != '"') {
            buffer_append_char(&csv->field, byte);
        } else if (csv->at < csv->end && *csv->at == '"') {
            buffer_append_char(&csv->field, '"');
            csv->at++;
        } else {
            return;
        }
    }
    csv->is_cut = true;
    csv->wrong = "a quote is never closed; nothing behind it was read";
}

static bool is_at_row_end(const struct csv *csv)
{
    return csv->at == csv->end || *csv->at == '\n' ||
           (*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n') ||
           (*csv->at == '\r' && csv->at + 1 == csv->end);
}

static void take_plain(struct csv *csv)
{
    while (!is_at_row_end(csv) && *csv->at != ',') {
        if (*csv->at == '"')
            csv->wrong = "a quote stands inside a field, which then must be quoted as a whole";
        buffer_append_char(&csv->field, *csv->at++);
    }
}

static void skip_blanks(struct csv *csv)
{
    while (csv->at < csv->end && (*csv->at == ' ' || *csv->at == '\t'))
        csv->at++;
}

/* Takes a field into csv->field; true if another one follows in the row. */
static bool take_field(struct csv *csv)
{
    buffer_clear(&csv->field);
    skip_blanks(csv);
    if (csv->at < csv->end && *csv->at == '"') {
        csv->at++;
        take_quoted(csv);
        skip_blanks(csv);
        if (!is_at_row_end(csv) && *csv->at != ',')
            csv->wrong = "something stands behind a closing quote";
        while (!is_at_row_end(csv) && *csv->at != ',')
            csv->at++;
    } else {
        take_plain(csv);
    }
    if (is_at_row_end(csv))
        return false;
    csv->at++;
    return true;
}

static void skip_row_end(struct csv *csv)
{
    if (csv->at < csv->end && *csv->at == '\r')
        csv->at++;
    if (csv->at < csv->end && *csv->at == '\n') {
        csv->at++;
        csv->line++;
    }
}

static struct span trimmed_field(struct csv *csv)
{
    const char *text = buffer_text(&csv->field);
    size_t length = csv->field.length;
    while (length != 0 && strchr(BLANKS, text[length - 1]) != NULL)
        length--;
    size_t skipped = strspn(text, BLANKS);
    return skipped < length ? (struct span){text + skipped, length - skipped}
                            : (struct span){"", 0};
}

static bool is_name(struct span field, const char *name)
{
    return field.length == strlen(name) && strncasecmp(field.data, name, field.length) == 0;
}

/* The first row that is not empty may name the fields; if one is called "target" or "targets",
 * only those are, and what stands behind the last named one is as that. */
static bool is_heading(const struct csv *csv, struct span address)
{
    return !csv->has_begun && is_name(address, "address");
}

/* A row that may be the heading: what its further fields are called. */
static void note_role(struct csv *csv, struct span field)
{
    bool is_target = is_name(field, "target") || is_name(field, "targets");
    buffer_append_char(&csv->roles, is_target ? 't' : '-');
    csv->has_targets |= is_target;
    csv->has_state |= is_name(field, "state");
}

/* Does the field behind the address, counted from 0, hold targets? */
static bool holds_targets(const struct csv *csv, size_t index)
{
    if (!csv->has_targets)
        return true;
    return csv->roles.data[index < csv->roles.length ? index : csv->roles.length - 1] == 't';
}

static void take_row(struct csv *csv, struct alias_file *file)
{
    unsigned line = csv->line;
    csv->wrong = NULL;
    bool has_more = take_field(csv);
    struct span address = trimmed_field(csv);
    bool is_empty = address.length == 0 && !has_more && csv->wrong == NULL;
    bool is_alias = !is_empty && !is_heading(csv, address);
    csv->has_begun |= !is_empty;
    alias_file_add_row(file, line, address);
    for (size_t i = 0; has_more; i++) {
        has_more = take_field(csv);
        if (!is_alias)
            note_role(csv, trimmed_field(csv));
        else if (holds_targets(csv, i))
            alias_file_add_targets(file, (struct span){csv->field.data, csv->field.length},
                                   SEPARATORS);
    }
    const struct import_row *row = &file->rows[file->row_count - 1];
    if (csv->is_cut || (is_alias && csv->wrong != NULL))
        alias_file_drop_row(file, csv->wrong);
    else if (!is_alias || (row->target_count == 0 && csv->has_targets && csv->has_state))
        alias_file_forget_row(file);
    else if (row->address[0] == '\0')
        alias_file_drop_row(file, "there is no address");
    else if (row->target_count == 0)
        alias_file_drop_row(file, "there is no target");
}

void csv_read(struct span text, struct alias_file *file)
{
    size_t mark = strlen(BYTE_ORDER_MARK);
    bool has_mark = text.length >= mark && memcmp(text.data, BYTE_ORDER_MARK, mark) == 0;
    struct csv csv = {
        .at = text.data + (has_mark ? mark : 0), .end = text.data + text.length, .line = 1};
    while (csv.at < csv.end) {
        take_row(&csv, file);
        skip_row_end(&csv);
    }
    buffer_finish(&csv.roles);
    buffer_finish(&csv.field);
}
