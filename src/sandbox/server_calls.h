/* The system calls that each server of ours makes once it serves. */
#ifndef LPALIAS_SANDBOX_SERVER_CALLS_H
#define LPALIAS_SANDBOX_SERVER_CALLS_H

/* NULL behind the last. */
extern const char *const server_calls[];

#endif
