/*
 * The directories of a sandbox, collected from the paths of a configuration. The rules name
 * directories and never files, as files are replaced.
 */
#ifndef LPALIAS_SANDBOX_DIRECTORIES_H
#define LPALIAS_SANDBOX_DIRECTORIES_H

#include <stddef.h>

#include "sandbox/sandbox.h"

struct sandbox_directories {
    struct sandbox_directory *items; /* their paths are ours */
    size_t count, capacity;
};

/* Adds the directory path itself; rights are of enum sandbox_right. */
void sandbox_directories_add(struct sandbox_directories *directories, const char *path,
                             unsigned rights);

/* Adds the directory that the file path lies in, and if it is a link, the one of its goal. */
void sandbox_directories_add_of_file(struct sandbox_directories *directories, const char *path,
                                     unsigned rights);

/*
 * Adds a directory that may itself be replaced, which a rule would not notice: where the directory
 * above is of the same owner, the rule is on that, too. In a package's place, below a directory of
 * the system's, it is root who replaces it, and restarts the server.
 */
void sandbox_directories_add_replaceable(struct sandbox_directories *directories, const char *path,
                                         unsigned rights);

void sandbox_directories_finish(struct sandbox_directories *directories);

#endif
