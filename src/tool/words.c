#include "tool/words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

#define SEPARATORS ", \t\r\n"

static void add(struct words *words, const char *text, size_t length)
{
    words->items = memory_grow(words->items, words->count, &words->capacity, sizeof(*words->items));
    words->items[words->count++] = memory_copy_bytes(text, length);
}

static size_t word_length(const char *text)
{
    size_t length = 0, depth = 0;
    for (; text[length] != '\0'; length++) {
        if (text[length] == '{')
            depth++;
        else if (text[length] == '}' && depth == 0)
            break;
        else if (text[length] == '}')
            depth--;
        else if (depth == 0 && strchr(SEPARATORS, text[length]) != NULL)
            break;
    }
    return length;
}

void words_split(struct words *words, const char *text)
{
    for (text += strspn(text, SEPARATORS "{}"); *text != '\0';
         text += strspn(text, SEPARATORS "{}")) {
        size_t length = word_length(text);
        add(words, text, length);
        text += length;
    }
}

size_t words_find(const struct words *words, const char *word)
{
    size_t i = 0;
    while (i < words->count && strcasecmp(words->items[i], word) != 0)
        i++;
    return i;
}

void words_finish(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    *words = (struct words){0};
}
