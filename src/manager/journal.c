#include "manager/journal.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/text.h"

#if LPALIAS_HAS_SYSTEMD
/* An entry is about an event, not about the line of the source. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#endif

static const int priorities[] = {
    [LOG_LEVEL_ERROR] = LOG_ERR,
    [LOG_LEVEL_WARNING] = LOG_WARNING,
    [LOG_LEVEL_INFO] = LOG_INFO,
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

#if LPALIAS_HAS_SYSTEMD

enum {
    FIELDS_MAX = 16,
    ENTRY_PARTS_MAX = FIELDS_MAX + 2, /* MESSAGE and PRIORITY */
};

/* Journalctl shows a text with control bytes as "[blob data]". */
static void append_printable(struct buffer *out, const char *text)
{
    bool is_printable = true;
    for (const char *byte = text; *byte != '\0'; byte++)
        is_printable = is_printable && (unsigned char)*byte >= ' ' && *byte != 0x7f;
    if (is_printable)
        buffer_append_text(out, text);
    else
        text_append_escaped(out, text);
}

static void append_name(struct buffer *out, const char *name)
{
    buffer_append_text(out, "LPALIAS_");
    for (; *name != '\0'; name++) {
        char upper = *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
        buffer_append_char(out, upper);
    }
}

/* The message repeats the fields, as journalctl shows nothing else unless it is asked to. */
static bool send_entry(enum log_level level, const char *text, const struct log_field *fields)
{
    struct buffer parts[ENTRY_PARTS_MAX] = {0};
    size_t count = 0;
    buffer_append_text(&parts[count], "MESSAGE=");
    append_printable(&parts[count], text);
    log_append_fields(&parts[count++], fields);
    buffer_appendf(&parts[count++], "PRIORITY=%d", priorities[level]);
    for (; fields->name != NULL && count < ENTRY_PARTS_MAX; fields++) {
        if (fields->value == NULL)
            continue;
        append_name(&parts[count], fields->name);
        buffer_appendf(&parts[count++], "=%s", fields->value);
    }
    struct iovec entry[ENTRY_PARTS_MAX];
    for (size_t i = 0; i < count; i++)
        entry[i] = (struct iovec){parts[i].data, parts[i].length};
    bool is_sent = sd_journal_sendv(entry, (int)count) == 0;
    for (size_t i = 0; i < count; i++)
        buffer_finish(&parts[i]);
    return is_sent;
}

#else

/* The journal takes the time of a line itself. */
static bool send_entry(enum log_level level, const char *text, const struct log_field *fields)
{
    struct buffer line = {0};
    buffer_appendf(&line, "<%d>", priorities[level]);
    log_append_line(&line, level, text, fields);
    bool is_written = write(STDERR_FILENO, line.data, line.length) == (ssize_t)line.length;
    buffer_finish(&line);
    return is_written;
}

#endif

static bool is_stderr_the_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat there;
    return stream != NULL && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &there) == 0 && there.st_dev == device && there.st_ino == inode;
}

bool journal_take_lines(void)
{
    if (!is_stderr_the_journal())
        return false;
    log_set_sink(send_entry);
    return true;
}
