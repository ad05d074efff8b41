/*
 * Metrics as Prometheus reads them: its text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */
#ifndef LPALIAS_SERVER_EXPOSITION_H
#define LPALIAS_SERVER_EXPOSITION_H

#include <stddef.h>

#include "base/buffer.h"

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum exposition_type { EXPOSITION_COUNTER, EXPOSITION_GAUGE, EXPOSITION_HISTOGRAM };

struct exposition_label {
    const char *name, *value;
};

/* Begins a metric: HELP and TYPE. Its samples follow at once. help: one line, no backslash. */
void exposition_begin(struct buffer *out, const char *name, enum exposition_type type,
                      const char *help);

/* One sample; label values are escaped. */
void exposition_sample(struct buffer *out, const char *name, const struct exposition_label *labels,
                       size_t label_count, double value);

/* A metric of one sample without labels. */
void exposition_single(struct buffer *out, const char *name, enum exposition_type type,
                       const char *help, double value);

#endif
