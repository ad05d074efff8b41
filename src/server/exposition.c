#include "server/exposition.h"

void exposition_begin(struct buffer *out, const char *name, enum exposition_type type,
                      const char *help)
{
    static const char *const types[] = {
        [EXPOSITION_COUNTER] = "counter",
        [EXPOSITION_GAUGE] = "gauge",
        [EXPOSITION_HISTOGRAM] = "histogram",
    };
    buffer_appendf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

static void append_escaped(struct buffer *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            buffer_append_char(out, '\\');
        if (*value == '\n')
            buffer_append_text(out, "\\n");
        else
            buffer_append_char(out, *value);
    }
}

void exposition_sample(struct buffer *out, const char *name, const struct exposition_label *labels,
                       size_t label_count, double value)
{
    buffer_append_text(out, name);
    for (size_t i = 0; i < label_count; i++) {
        buffer_appendf(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
        append_escaped(out, labels[i].value);
        buffer_append_char(out, '"');
    }
    if (label_count > 0)
        buffer_append_char(out, '}');
    buffer_appendf(out, " %.15g\n", value); /* whole numbers as such */
}

void exposition_single(struct buffer *out, const char *name, enum exposition_type type,
                       const char *help, double value)
{
    exposition_begin(out, name, type, help);
    exposition_sample(out, name, NULL, 0, value);
}
