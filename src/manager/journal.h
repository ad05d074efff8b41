/* Log lines for the journal of systemd. */
#ifndef LPALIAS_MANAGER_JOURNAL_H
#define LPALIAS_MANAGER_JOURNAL_H

#include <stdbool.h>

/*
 * If standard error is a stream into the journal (JOURNAL_STREAM names its device and inode:
 * systemd.exec(5)), log lines become entries of it from now on: with MESSAGE, PRIORITY and a field
 * LPALIAS_NAME for each name=value. Built without libsystemd they stay lines, with "<N>" in front
 * for their priority (sd-daemon(3)). Returns whether it is so.
 */
bool journal_take_lines(void);

#endif
