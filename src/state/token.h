/* Random texts that nobody can guess, for cookies and links. */
#ifndef LPALIAS_STATE_TOKEN_H
#define LPALIAS_STATE_TOKEN_H

#define TOKEN_RANDOM_BYTES 32
#define TOKEN_TEXT_BYTES   44 /* with its NUL */

/* Base64 for URLs, without padding. After state_open(). Returns text. */
const char *token_make(char text[TOKEN_TEXT_BYTES]);

#endif
