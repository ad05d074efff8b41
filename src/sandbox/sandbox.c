#include "sandbox/sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/error.h"
#include "sandbox/calls.h"
#include "sandbox/landlock.h"

/* Two key rings and a key file while it is read, each with its guard pages: store/keyring.c. */
#define LOCKED_MEMORY_BYTES (256 * 1024)

static bool forbid_new_privileges(struct error *error)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ||
           error_set(error, ERROR_TEMPORARY, "new privileges cannot be forbidden: %s",
                     strerror(errno));
}

/* Nor may others of the same user look into the process. */
static bool forbid_core(struct error *error)
{
    const struct rlimit none = {0, 0};
    return (setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0) ||
           error_set(error, ERROR_TEMPORARY, "a core may be left behind: %s", strerror(errno));
}

/* libsodium locks what it can and does not say when it cannot. */
static bool try_to_lock_memory(struct error *error)
{
    void *memory =
        mmap(NULL, LOCKED_MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool is_locked = memory != MAP_FAILED && mlock(memory, LOCKED_MEMORY_BYTES) == 0;
    int code = errno;
    if (memory != MAP_FAILED)
        munmap(memory, LOCKED_MEMORY_BYTES);
    return is_locked || error_set(error, ERROR_TEMPORARY,
                                  "keys may be written to swap, as %d bytes of memory cannot be "
                                  "locked (ulimit -l, LimitMEMLOCK): %s",
                                  LOCKED_MEMORY_BYTES, strerror(code));
}

static void note(bool is_done, const struct error *error, struct buffer *missing)
{
    if (is_done)
        return;
    if (missing->length != 0)
        buffer_append_text(missing, "; ");
    buffer_append_text(missing, error->text);
}

void sandbox_enter(const struct sandbox_settings *settings, struct buffer *missing)
{
    struct error error;
    note(forbid_new_privileges(&error), &error, missing);
    note(forbid_core(&error), &error, missing);
    note(try_to_lock_memory(&error), &error, missing);
    note(landlock_confine(settings->directories, settings->directory_count, settings->may_connect,
                          &error),
         &error, missing);
    note(calls_confine(settings->further_calls, settings->may_connect, &error), &error, missing);
}
