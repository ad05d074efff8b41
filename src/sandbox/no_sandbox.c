/*
 * In place of all else here where a sanitizer watches the program: it reads /proc, makes system
 * calls of its own, and at the end starts a process that traces ours.
 */
#include "sandbox/sandbox.h"

void sandbox_enter(const struct sandbox_settings *settings, struct buffer *missing)
{
    (void)settings;
    buffer_append_text(missing, "this program is built with sanitizers, so there is none");
}
