/*
 * Does what a person may do, as the portal does it, by the configuration of a test:
 *   person_probe CONFIG login IDENTIFIER NAME DATE_US FLAGS DOMAIN=yes|no|unknown... [ADDRESS]
 *     FLAGS: "v" valid, "c" Code of Conduct signed, "-" neither; tells the outcome
 *   person_probe CONFIG ask IDENTIFIER ADDRESS LINK
 *   person_probe CONFIG add|drop IDENTIFIER ADDRESS
 * Trouble on standard error with status 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "action/login.h"
#include "action/self.h"
#include "tool/act.h"
#include "tool/command.h"
#include "tool/workspace.h"

#define MAX_SIGHTINGS 8

static int report(const struct error *error)
{
    fprintf(stderr, "%s\n", error->text);
    return 1;
}

static void read_words(char **words, struct login_request *request,
                       struct login_sighting sightings[MAX_SIGHTINGS])
{
    for (; *words != NULL; words++) {
        char *is = strchr(*words, '=');
        if (is == NULL) {
            request->address = *words;
            request->is_address_verified = true;
            continue;
        }
        *is = '\0';
        sightings[request->sighting_count++] = (struct login_sighting){
            .domain = *words,
            .membership = strcmp(is + 1, "yes") == 0  ? LOGIN_MEMBERSHIP_YES
                          : strcmp(is + 1, "no") == 0 ? LOGIN_MEMBERSHIP_NO
                                                      : LOGIN_MEMBERSHIP_UNKNOWN,
        };
    }
}

static int log_in(const struct action *action, char **words)
{
    struct login_sighting sightings[MAX_SIGHTINGS];
    struct login_request request = {
        .identifier = words[0],
        .answer = LOGIN_ANSWER_ACCOUNT,
        .name = words[1],
        .date_created_us = strtoll(words[2], NULL, 10),
        .is_valid = strchr(words[3], 'v') != NULL,
        .is_ubuntu_coc_signer = strchr(words[3], 'c') != NULL,
        .sightings = sightings,
        .asked_s = action->now_s,
        .asked_generation = UINT64_MAX,
    };
    struct store_update_result result;
    struct error error;
    read_words(words + 4, &request, sightings);
    if (!action_login(action, &request, &result, &error))
        return report(&error);
    printf("%s\n", login_outcome_word(request.outcome));
    return 0;
}

static int act(const struct action *action, const char *what, char **words)
{
    struct store_update_result result;
    struct error error;
    bool is_done = strcmp(what, "ask") == 0 ? action_self_ask_proof(action, words[0], words[1],
                                                                    words[2], &result, &error)
                   : strcmp(what, "add") == 0
                       ? action_self_add_target(action, words[0], words[1], &result, &error)
                       : action_self_drop_target(action, words[0], words[1], &result, &error);
    return is_done ? 0 : report(&error);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    const struct command command = {.name = "person_probe"};
    const struct call call = {.command = &command, .config_file = argv[1]};
    struct workspace work = {0};
    if (!act_open(&work, &call))
        return 1;
    struct action action = workspace_action(&work);
    int status =
        strcmp(argv[2], "login") == 0 ? log_in(&action, argv + 3) : act(&action, argv[2], argv + 3);
    workspace_finish(&work);
    return status;
}
