/* The texts of src/notify/texts, put into the program when it is built. */
#ifndef LPALIAS_NOTIFY_BUILTIN_H
#define LPALIAS_NOTIFY_BUILTIN_H

#include <stddef.h>

struct builtin_text {
    const char *name; /* of the file, less ".txt" */
    const char *text;
};

extern const struct builtin_text builtin_texts[];
extern const size_t builtin_text_count;

#endif
