#include "config/scan.h"

#include <stdbool.h>
#include <string.h>

/* Two levels have a meaning, a list inside them is a third. */
#define DEPTH_MAX 8

struct scan {
    char *at;
    int line;
    int open_lines[DEPTH_MAX]; /* of the braces that are open */
    size_t depth;
    bool after_string; /* the last token was a quoted string */
    bool lost_braces;  /* what is not closed may have swallowed some: they cannot be judged */
    struct problem_list *problems;
};

/* A comment begins here, and how its first line goes on decides where it ends. */
static bool is_comment(const char *at)
{
    return *at == '#' || (*at == '/' && (at[1] == '/' || at[1] == '*'));
}

static void skip_comment(struct scan *scan)
{
    bool many_lines = scan->at[0] == '/' && scan->at[1] == '*';
    char *end = many_lines ? strstr(scan->at + 2, "*/") : strchr(scan->at, '\n');
    if (many_lines && end == NULL) {
        scan->lost_braces = true;
        problem_add(scan->problems, scan->line,
                    "the comment that begins here is not closed; "
                    "end it with */");
    }
    if (end == NULL)
        end = strchr(scan->at, '\0');
    else if (many_lines)
        end += 2;
    for (; scan->at < end; scan->at++) {
        if (*scan->at == '\n')
            scan->line++;
        else
            *scan->at = ' ';
    }
}

static void skip_string(struct scan *scan)
{
    char quote = *scan->at++;
    for (; *scan->at != quote; scan->at++) {
        if (*scan->at == '\0' || *scan->at == '\n') {
            scan->lost_braces = true;
            problem_add(scan->problems, scan->line,
                        "a string is not closed in its line; end it with %c", quote);
            return;
        }
        if (*scan->at != '\\')
            continue;
        if (scan->at[1] != quote && scan->at[1] != '\\') {
            problem_add(scan->problems, scan->line,
                        "a string holds an unknown escape; only \\%c and \\\\ are known", quote);
            continue;
        }
        scan->at++;
    }
    scan->at++;
}

static void open_brace(struct scan *scan)
{
    if (scan->depth == DEPTH_MAX)
        problem_add(scan->problems, scan->line, "braces are nested too deeply; close some before");
    else
        scan->open_lines[scan->depth] = scan->line;
    scan->depth++;
}

static void close_brace(struct scan *scan)
{
    if (scan->depth > 0)
        scan->depth--;
    else if (!scan->lost_braces)
        problem_add(scan->problems, scan->line, "\"}\" closes nothing; remove it");
}

/* A mark that stands for itself; libConfuse judges whether it may stand here. */
static void take_mark(struct scan *scan)
{
    char mark = *scan->at++;
    if (mark == '+' && *scan->at == '=')
        mark = *scan->at++;
    if (mark == '{')
        open_brace(scan);
    else if (mark == '}')
        close_brace(scan);
    else if (mark == '=' && scan->after_string)
        problem_add(scan->problems, scan->line,
                    "a key in quotes is not known; write keys without quotes");
    else if (mark != '=' && mark != ',')
        problem_add(scan->problems, scan->line,
                    "\"%c\" may not stand outside a string; put the value in double quotes", mark);
}

static void take_token(struct scan *scan)
{
    /* libConfuse's own set of what ends an unquoted string. */
    size_t word = strcspn(scan->at, " #\"'\t\n\r={}()+,*");
    if (word != 0) {
        scan->at += word;
    } else if (*scan->at == '"' || *scan->at == '\'') {
        skip_string(scan);
        scan->after_string = true;
        return;
    } else {
        take_mark(scan);
    }
    scan->after_string = false;
}

static void refuse_substitution(const char *text, struct problem_list *problems)
{
    int line = 1;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\n')
            line++;
        else if (at[0] == '$' && at[1] == '{')
            problem_add(problems, line,
                        "\"${\" is refused, as nothing is taken from the environment; "
                        "write the value itself");
    }
}

/* Ends text before the first line with a problem, counted from first_problem. */
static int cut_text(char *text, const struct problem_list *problems, size_t first_problem)
{
    int cut_line = problems->items[first_problem].line;
    for (size_t i = first_problem + 1; i < problems->count; i++)
        if (problems->items[i].line < cut_line)
            cut_line = problems->items[i].line;
    char *at = text;
    for (int line = 1; line < cut_line; line++)
        at = strchr(at, '\n') + 1;
    *at = '\0';
    return cut_line;
}

int scan_text(char *text, struct problem_list *problems)
{
    struct scan scan = {.at = text, .line = 1, .problems = problems};
    size_t before = problems->count;
    refuse_substitution(text, problems);
    while (*scan.at != '\0') {
        if (*scan.at == '\n')
            scan.line++;
        if (strchr(" \t\r\n", *scan.at) != NULL)
            scan.at++;
        else if (is_comment(scan.at))
            skip_comment(&scan);
        else
            take_token(&scan);
    }
    if (scan.depth > 0 && scan.depth <= DEPTH_MAX && !scan.lost_braces)
        problem_add(problems, scan.open_lines[scan.depth - 1],
                    "the \"{\" of this line is not closed; end it with }");
    return problems->count == before ? 0 : cut_text(text, problems, before);
}
