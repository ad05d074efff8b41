#include "wire/frame.h"

#include <string.h>

#include "base/text.h"

static bool is_blank(struct span text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] != ' ' && text.data[i] != '\t' && text.data[i] != '\r')
            return false;
    return true;
}

bool wire_is_sendable(enum wire_status status, struct span text)
{
    if (status == WIRE_OK && is_blank(text))
        return false;
    if (text.length == 0)
        return true;
    return memchr(text.data, '\n', text.length) == NULL && text_is_utf8(text.data, text.length);
}
