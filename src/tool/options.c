#include "tool/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "tool/console.h"

/* What getopt_long returns for row i, so that letters and long names meet. */
#define ROW_CODE  0x100
#define HELP_CODE 0xff

enum exit_status options_refuse(const struct call *call, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    console_complain("%s: %s", call->command->name, text);
    fprintf(stderr, "See lpalias %s --help\n", call->command->name);
    return EXIT_USAGE;
}

static void print_help(const struct call *call, const struct option_row *rows, size_t row_count)
{
    const struct command *command = call->command;
    printf("Usage: lpalias %s%s%s\n\n  %s\n", command->name, *command->usage != '\0' ? " " : "",
           command->usage, command->help);
    for (size_t i = 0; i < row_count; i++) {
        char letter[] = {'-', rows[i].letter, ',', '\0'};
        printf("%s  %3s --%s%s%s\n        %s\n", i == 0 ? "\n" : "",
               rows[i].letter != '\0' ? letter : "", rows[i].name,
               rows[i].argument != NULL ? " " : "",
               rows[i].argument != NULL ? rows[i].argument : "", rows[i].help);
    }
}

static void set_value(const struct option_row *row, const char *value)
{
    if (row->flag != NULL)
        *row->flag = true;
    if (row->value != NULL)
        *row->value = value;
    if (row->values != NULL) {
        struct option_values *values = row->values;
        values->items =
            memory_grow(values->items, values->count, &values->capacity, sizeof(*values->items));
        values->items[values->count++] = value;
    }
}

static const struct option_row *row_of_code(const struct option_row *rows, size_t row_count,
                                            int code)
{
    if (code >= ROW_CODE)
        return &rows[code - ROW_CODE];
    for (size_t i = 0; i < row_count; i++)
        if (rows[i].letter != '\0' && rows[i].letter == code)
            return &rows[i];
    return NULL;
}

static struct option *long_options(const struct option_row *rows, size_t row_count)
{
    struct option *options = memory_new(row_count + 2, sizeof(*options));
    for (size_t i = 0; i < row_count; i++)
        options[i] = (struct option){rows[i].name,
                                     rows[i].argument != NULL ? required_argument : no_argument,
                                     NULL, ROW_CODE + (int)i};
    options[row_count] = (struct option){"help", no_argument, NULL, HELP_CODE};
    return options;
}

static const char *append_letters(const struct option_row *rows, size_t row_count,
                                  struct buffer *out)
{
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].letter != '\0')
            buffer_append_char(out, rows[i].letter);
        if (rows[i].letter != '\0' && rows[i].argument != NULL)
            buffer_append_char(out, ':');
    }
    return buffer_text(out);
}

/* getopt_long wants the program's name first, and moves the words about. */
static void copy_words(struct options *options, const struct call *call)
{
    struct buffer program = {0};
    buffer_appendf(&program, "lpalias %s", call->command->name);
    buffer_text(&program);
    options->program = program.data;
    options->words = memory_new(call->argument_count + 2, sizeof(*options->words));
    options->words[0] = options->program;
    memcpy(options->words + 1, call->arguments, call->argument_count * sizeof(*options->words));
}

static bool check_operands(struct options *options, const struct call *call, size_t min, size_t max)
{
    if (options->operand_count >= min && options->operand_count <= max)
        return true;
    options->status = options->operand_count < min
                          ? options_refuse(call, "something is missing: %s", call->command->usage)
                          : options_refuse(call, "what is \"%s\"?", options->operands[max]);
    return false;
}

static bool answer_probe(struct options *options, struct option_probe *probe,
                         const struct option_row *rows, size_t row_count)
{
    probe->rows = memory_new(row_count, sizeof(*rows));
    probe->row_count = row_count;
    for (size_t i = 0; i < row_count; i++)
        probe->rows[i] =
            (struct option_row){rows[i].letter, rows[i].name, rows[i].argument, rows[i].help};
    options->status = EXIT_DONE;
    return false;
}

void option_probe_finish(struct option_probe *probe)
{
    free(probe->rows);
    *probe = (struct option_probe){0};
}

bool options_take(struct options *options, const struct call *call, const struct option_row *rows,
                  size_t row_count, size_t min_operands, size_t max_operands)
{
    CLEANUP(buffer_finish) struct buffer short_options = {0};
    if (call->probe != NULL)
        return answer_probe(options, call->probe, rows, row_count);
    CLEANUP(memory_free_at) struct option *known = long_options(rows, row_count);
    copy_words(options, call);
    const char *known_letters = append_letters(rows, row_count, &short_options);
    int word_count = (int)call->argument_count + 1;
    int code;
    optind = 0; /* GNU: begin afresh, main has taken its own options */
    while ((code = getopt_long(word_count, options->words, known_letters, known, NULL)) != -1) {
        if (code == HELP_CODE) {
            print_help(call, rows, row_count);
            options->status = EXIT_DONE;
            return false;
        }
        const struct option_row *row = row_of_code(rows, row_count, code);
        if (row == NULL) {
            fprintf(stderr, "See lpalias %s --help\n", call->command->name);
            options->status = EXIT_USAGE;
            return false;
        }
        set_value(row, optarg);
    }
    options->operands = options->words + optind;
    options->operand_count = (size_t)(word_count - optind);
    return check_operands(options, call, min_operands, max_operands);
}

void options_finish(struct options *options)
{
    free(options->words);
    free(options->program);
    *options = (struct options){0};
}

void option_values_finish(struct option_values *values)
{
    free(values->items);
    *values = (struct option_values){0};
}
