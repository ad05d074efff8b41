#include "tool/command.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tool/console.h"

const struct command *const command_rows[] = {
    &command_refresh,       &command_status,        &command_query,         &command_explain,
    &command_list,          &command_show,          &command_domain_list,   &command_domain_open,
    &command_domain_close,  &command_domain_remove, &command_domain_verify, &command_plan_show,
    &command_plan_release,  &command_plan_discard,  &command_target_set,    &command_target_clear,
    &command_ban,           &command_unban,         &command_pause,         &command_resume,
    &command_alias_add,     &command_alias_remove,  &command_alias_allow,   &command_alias_set,
    &command_login_set,     &command_reserve,       &command_erase,         &command_rollback,
    &command_history,       &command_verify,        &command_import,        &command_export,
    &command_export_person, &command_check,         &command_lint,          &command_postfix_config,
    &command_key_generate,  &command_key_rotate,    &command_key_retire,    &command_key_check,
    &command_backup,        &command_restore,       &command_cache_upgrade, &command_notify,
    &command_help,          &command_complete,
};
const size_t command_row_count = ARRAY_LENGTH(command_rows);

/* How many of words spell the name of command: 1, 2, or 0 if they do not. */
static size_t words_of_name(const struct command *command, char **words)
{
    size_t first_length = strcspn(command->name, " ");
    if (words[0] == NULL || strlen(words[0]) != first_length ||
        strncmp(command->name, words[0], first_length) != 0)
        return 0;
    if (command->name[first_length] == '\0')
        return 1;
    return words[1] != NULL && strcmp(command->name + first_length + 1, words[1]) == 0 ? 2 : 0;
}

static bool is_in_group(const struct command *command, const char *group)
{
    size_t length = strlen(group);
    return strncmp(command->name, group, length) == 0 && command->name[length] == ' ';
}

static bool is_group(const char *word)
{
    for (size_t i = 0; i < command_row_count; i++)
        if (is_in_group(command_rows[i], word))
            return true;
    return false;
}

void command_print_list(const char *group)
{
    for (size_t i = 0; i < command_row_count; i++) {
        const struct command *command = command_rows[i];
        if (command->help == NULL)
            continue;
        if (group != NULL && !is_in_group(command, group) && strcmp(command->name, group) != 0)
            continue;
        printf("  %s%s%s\n        %s\n", command->name, *command->usage != '\0' ? " " : "",
               command->usage, command->help);
    }
}

/* Letters to add, drop or change to make b of a; the one row of the usual matrix is kept. */
static size_t text_distance(const char *a, const char *b)
{
    size_t length = strlen(b);
    size_t *row = memory_new(length + 1, sizeof(*row));
    for (size_t i = 0; i <= length; i++)
        row[i] = i;
    for (size_t line = 1; a[line - 1] != '\0'; line++) {
        size_t above_left = row[0];
        row[0] = line;
        for (size_t i = 1; i <= length; i++) {
            size_t best = above_left + (a[line - 1] != b[i - 1]);
            if (row[i] + 1 < best)
                best = row[i] + 1;
            if (row[i - 1] + 1 < best)
                best = row[i - 1] + 1;
            above_left = row[i];
            row[i] = best;
        }
    }
    size_t distance = row[length];
    free(row);
    return distance;
}

/* The name that wrong was probably meant to be; one word is compared with first words. NULL: none.
 */
static const char *nearest_name(const char *wrong, char ret_name[64])
{
    bool is_one_word = strchr(wrong, ' ') == NULL;
    size_t least = 3;
    const char *nearest = NULL;
    for (size_t i = 0; i < command_row_count; i++) {
        char name[64];
        if (command_rows[i]->help == NULL)
            continue;
        snprintf(name, sizeof(name), "%s", command_rows[i]->name);
        if (is_one_word)
            name[strcspn(name, " ")] = '\0';
        size_t distance = text_distance(name, wrong);
        if (distance >= least || distance >= strlen(wrong))
            continue;
        least = distance;
        nearest = strcpy(ret_name, name);
    }
    return nearest;
}

static enum exit_status refuse_unknown(char **words)
{
    bool is_inside_group = is_group(words[0]);
    if (is_inside_group && words[1] == NULL) {
        console_complain("%s what?", words[0]);
        fprintf(stderr, "See lpalias help %s\n", words[0]);
        return EXIT_USAGE;
    }
    char wrong[64];
    char name[64];
    snprintf(wrong, sizeof(wrong), "%s%s%s", words[0], is_inside_group ? " " : "",
             is_inside_group ? words[1] : "");
    const char *nearest = nearest_name(wrong, name);
    if (nearest != NULL)
        console_complain("unknown command \"%s\"; did you mean \"%s\"?", wrong, nearest);
    else
        console_complain("unknown command \"%s\"; see lpalias --help", wrong);
    return EXIT_USAGE;
}

const struct command *command_find(char **words, size_t *ret_used)
{
    for (size_t i = 0; i < command_row_count; i++) {
        *ret_used = words_of_name(command_rows[i], words);
        if (*ret_used != 0)
            return command_rows[i];
    }
    return NULL;
}

enum exit_status command_dispatch(const char *config_file, char **words)
{
    size_t used;
    const struct command *command = command_find(words, &used);
    if (command != NULL) {
        struct call call = {command, config_file, words + used, 0, NULL};
        while (call.arguments[call.argument_count] != NULL)
            call.argument_count++;
        return command->run(&call);
    }
    if (is_group(words[0]) && words[1] != NULL && strcmp(words[1], "--help") == 0) {
        command_print_list(words[0]);
        return EXIT_DONE;
    }
    return refuse_unknown(words);
}
