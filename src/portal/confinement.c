#include "portal/confinement.h"

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/log.h"
#include "sandbox/directories.h"
#include "sandbox/sandbox.h"

/*
 * Besides what each server does, seen of lpalias-portal after its start (strace, in the tests of
 * portal), and what curl makes of the same on another processor, kernel or release.
 *
 * Another program is none of it: what runs "lpalias notify" is a process of its own, see
 * portal/handover.h.
 */
static const char *const further_calls[] = {
    /* connections: in from the proxy, out to the login provider, Launchpad and the DNS */
    "getpeername",
    "sendmmsg",
    /* the loop, and curl's wake-ups */
    "eventfd2",
    "pipe2",
    /* files: what it writes, the cache and the state */
    "fallocate",
    "fchmod",
    "fchown",
    "fdatasync",
    "fsync",
    "getdents64",
    "mkdir", /* of the cache, which is there: only then not an error */
    "mkdirat",
    "msync",
    "pwritev",
    "rename",
    "renameat",
    "renameat2",
    /* curl asks the DNS in threads */
    "clone",
    "exit",
    "sched_getaffinity",
    NULL,
};

/*
 * What curl reads for each connection: names and how they are asked for, and whom to trust. The
 * links of certificates lead to the last two.
 */
static const char *const of_transfers[] = {
    "/etc",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
};

/* The portal changes the cache, as its owner: its records, its locks, its file of the generation.
 */
static void add_directories(struct sandbox_directories *directories, const struct config *config)
{
    const unsigned all = SANDBOX_READ | SANDBOX_WRITE | SANDBOX_REMOVE;
    sandbox_directories_add_replaceable(directories, config->cache, all);
    sandbox_directories_add(directories, config->portal.state, SANDBOX_READ | SANDBOX_WRITE);
    sandbox_directories_add_of_file(directories, config->key_file, SANDBOX_READ);
    sandbox_directories_add_of_file(directories, config->file, SANDBOX_READ);
    for (size_t i = 0; i < ARRAY_LENGTH(of_transfers); i++)
        sandbox_directories_add(directories, of_transfers[i], SANDBOX_READ);
    sandbox_directories_add_of_file(directories, "/etc/resolv.conf", SANDBOX_READ);
    if (config->portal.listen.unix_path != NULL)
        sandbox_directories_add_of_file(directories, config->portal.listen.unix_path,
                                        SANDBOX_REMOVE);
}

void confinement_enter(const struct config *config)
{
    if (!config->portal.is_sandboxed) {
        log_warning("running without a sandbox, as \"sandbox\" is false");
        return;
    }
    struct sandbox_directories directories = {0};
    CLEANUP(buffer_finish) struct buffer missing = {0};
    add_directories(&directories, config);
    const struct sandbox_settings settings = {
        .directories = directories.items,
        .directory_count = directories.count,
        .further_calls = further_calls,
        .may_connect = true,
    };
    sandbox_enter(&settings, &missing);
    if (missing.length != 0)
        log_warning("the sandbox is not complete: %s", buffer_text(&missing));
    sandbox_directories_finish(&directories);
}
