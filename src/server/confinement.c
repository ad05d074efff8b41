#include "server/confinement.h"

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/log.h"
#include "sandbox/directories.h"
#include "sandbox/sandbox.h"

/* path: of the socket, or NULL. It is removed at the end. */
static void add_socket(struct sandbox_directories *directories, const char *path)
{
    if (path != NULL)
        sandbox_directories_add_of_file(directories, path, SANDBOX_REMOVE);
}

void confinement_enter(const struct config *config)
{
    if (!config->server.is_sandboxed) {
        log_warning("running without a sandbox, as \"sandbox\" is false");
        return;
    }
    struct sandbox_directories directories = {0};
    sandbox_directories_add_replaceable(&directories, config->cache, SANDBOX_READ | SANDBOX_WRITE);
    sandbox_directories_add_of_file(&directories, config->key_file, SANDBOX_READ);
    sandbox_directories_add_of_file(&directories, config->file, SANDBOX_READ);
    for (size_t i = 0; i < config->server.listener_count; i++)
        add_socket(&directories, config->server.listeners[i].unix_path);
    add_socket(&directories, config->server.metrics.unix_path);
    CLEANUP(buffer_finish) struct buffer missing = {0};
    const struct sandbox_settings settings = {
        .directories = directories.items,
        .directory_count = directories.count,
    };
    sandbox_enter(&settings, &missing);
    if (missing.length != 0)
        log_warning("the sandbox is not complete: %s", buffer_text(&missing));
    sandbox_directories_finish(&directories);
}
