/*
 * A look at the bare text before libConfuse gets it, for what libConfuse 3.3 lets pass or gets
 * wrong: it counts each one-line comment as three lines and refuses comments inside lists; takes
 * the end of the file for the missing end of a string, comment or section; drops "+" and "*"
 * outside strings without a word; cuts a value at an escaped NUL; and puts environment variables
 * in place of ${...}.
 */
#ifndef LPALIAS_CONFIG_SCAN_H
#define LPALIAS_CONFIG_SCAN_H

#include "base/compiler.h"
#include "config/problem.h"

/*
 * Blanks the comments of NUL-terminated text in place, all newlines kept. Returns 0 if text is
 * fit for libConfuse. If not, problems says why, with the line of each, and text is cut before the
 * first of these lines, which is returned: what is left is fit, but may end amid a section.
 */
int scan_text(char *text, struct problem_list *problems) MUST_CHECK;

#endif
