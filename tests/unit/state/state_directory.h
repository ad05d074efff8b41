/* A state database in a directory of its own. */
#ifndef LPALIAS_TESTS_STATE_DIRECTORY_H
#define LPALIAS_TESTS_STATE_DIRECTORY_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../unit.h"
#include "state/state.h"

struct state_directory {
    char path[64];
    struct state *state;
};

static inline struct state *state_reopen(struct state_directory *directory)
{
    struct error error = {0};
    if (!state_open(directory->path, &directory->state, &error))
        fail_msg("%s", error.text);
    return directory->state;
}

static inline struct state *state_make(struct state_directory *directory)
{
    snprintf(directory->path, sizeof(directory->path), "/tmp/lpalias-state-XXXXXX");
    assert_non_null(mkdtemp(directory->path));
    return state_reopen(directory);
}

static inline void state_remove(struct state_directory *directory)
{
    char path[80];
    state_close(directory->state);
    snprintf(path, sizeof(path), "%s/data.mdb", directory->path);
    unlink(path);
    snprintf(path, sizeof(path), "%s/lock.mdb", directory->path);
    unlink(path);
    rmdir(directory->path);
}

#endif
