/* What each map says about what an address leads to: the table in docs/protocols.md "Maps". */
#ifndef LPALIAS_LOOKUP_ANSWER_H
#define LPALIAS_LOOKUP_ANSWER_H

#include "lookup/finding.h"
#include "lookup/lookup.h"
#include "lookup/question.h"

/*
 * Each appends the value to question->out for FOUND, else nothing, and traces why. The domain
 * map is not among them: it knows no addresses.
 */
enum lookup_answer answer_alias(const struct question *question, const struct finding *finding);
enum lookup_answer answer_recipient(const struct question *question, const struct finding *finding);
enum lookup_answer answer_sender(const struct question *question, const struct finding *finding);
enum lookup_answer answer_access(const struct question *question, const struct finding *finding);

#endif
