/* What main.cf and master.cf do with senders that are addresses of ours. */
#include <string.h>
#include <strings.h>

#include "tool/lint.h"

/* The list that has the restriction, or NULL. */
static const char *find_restriction(const struct lint *lint, const struct postfix_service *service,
                                    const char *restriction)
{
    for (size_t i = 0; i < lint_restriction_list_count; i++) {
        CLEANUP(words_finish) struct words words = {0};
        postfix_config_get_words(&lint->postfix, service, lint_restriction_lists[i], &words);
        if (words_find(&words, restriction) != words.count)
            return lint_restriction_lists[i];
    }
    return NULL;
}

/* A list that ends all others than those who log in, as on the submission ports. */
static bool demands_login(const struct lint *lint, const struct postfix_service *service)
{
    for (size_t i = 0; i < lint_restriction_list_count; i++) {
        CLEANUP(words_finish) struct words words = {0};
        postfix_config_get_words(&lint->postfix, service, lint_restriction_lists[i], &words);
        if (words.count >= 2 && strcasecmp(words.items[words.count - 1], "reject") == 0 &&
            words_find(&words, "permit_sasl_authenticated") != words.count)
            return true;
    }
    return false;
}

/* smtpd_check.c, reject_unauth_sender_login_mismatch(): it asks for no login before it refuses. */
static void check_sender_login(struct lint *lint, const struct postfix_service *service)
{
    static const char *const traps[] = {
        "reject_sender_login_mismatch",
        "reject_known_sender_login_mismatch",
        "reject_unauthenticated_sender_login_mismatch",
    };
    char name[64];
    if (!lint_asks_us(lint, service, "smtpd_sender_login_maps") || demands_login(lint, service))
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(traps); i++) {
        const char *list = find_restriction(lint, service, traps[i]);
        if (list == NULL)
            continue;
        lint_find(lint,
                  "%s: %s in %s refuses with 553 every client that is not logged in and sends as "
                  "an address of ours: a member's mail through another provider is lost, and as "
                  "a dead name nobody may send",
                  lint_service_name(service, name), traps[i], list);
        lint_advise(lint, "take it out of main.cf; on the submission ports in master.cf: "
                          "reject_authenticated_sender_login_mismatch");
    }
}

void lint_sender_login(struct lint *lint)
{
    lint_each_smtpd(lint, check_sender_login);
}

static bool rejects_unlisted_sender(const struct lint *lint, const struct postfix_service *service)
{
    CLEANUP(words_finish) struct words words = {0};
    postfix_config_get_words(&lint->postfix, service, "smtpd_reject_unlisted_sender", &words);
    return words_find(&words, "yes") != words.count ||
           find_restriction(lint, service, "reject_unlisted_sender") != NULL;
}

static void check_unlisted_sender(struct lint *lint, const struct postfix_service *service)
{
    char name[64];
    if (!lint_asks_us(lint, service, "virtual_alias_maps") ||
        !rejects_unlisted_sender(lint, service))
        return;
    lint_find(lint,
              "%s: with reject_unlisted_sender lpaliasd is asked about senders, too: mail from an "
              "address of ours that is paused, pending or gone is refused, and from a closed "
              "domain it waits",
              lint_service_name(service, name));
    lint_advise(lint, "take reject_unlisted_sender out, if members send as their alias from "
                      "elsewhere");
}

void lint_unlisted_sender(struct lint *lint)
{
    lint_each_smtpd(lint, check_unlisted_sender);
}
