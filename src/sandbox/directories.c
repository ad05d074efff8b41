#include "sandbox/directories.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/compiler.h"
#include "base/memory.h"

/* Takes path over. */
static void take(struct sandbox_directories *directories, char *path, unsigned rights)
{
    directories->items = memory_grow(directories->items, directories->count, &directories->capacity,
                                     sizeof(*directories->items));
    directories->items[directories->count++] = (struct sandbox_directory){path, rights};
}

/* Caller frees. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return memory_copy_text(".");
    return slash == path ? memory_copy_text("/") : memory_copy_bytes(path, (size_t)(slash - path));
}

void sandbox_directories_add(struct sandbox_directories *directories, const char *path,
                             unsigned rights)
{
    take(directories, memory_copy_text(path), rights);
}

void sandbox_directories_add_of_file(struct sandbox_directories *directories, const char *path,
                                     unsigned rights)
{
    CLEANUP(memory_free_at) char *real = realpath(path, NULL);
    take(directories, directory_of(path), rights);
    if (real != NULL)
        take(directories, directory_of(real), rights);
}

void sandbox_directories_add_replaceable(struct sandbox_directories *directories, const char *path,
                                         unsigned rights)
{
    char *above = directory_of(path);
    struct stat own, parent;
    sandbox_directories_add(directories, path, rights);
    if (strcmp(above, "/") != 0 && stat(path, &own) == 0 && stat(above, &parent) == 0 &&
        own.st_uid == parent.st_uid)
        take(directories, above, rights);
    else
        free(above);
}

void sandbox_directories_finish(struct sandbox_directories *directories)
{
    for (size_t i = 0; i < directories->count; i++)
        free((char *)directories->items[i].path);
    free(directories->items);
    *directories = (struct sandbox_directories){0};
}
