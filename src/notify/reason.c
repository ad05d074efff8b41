#include "notify/reason.h"

#include <string.h>

#include "base/compiler.h"

/* Of aliases: the words of alias_reason_name(). */
static const struct reason reasons[] = {
    {"not-member", "", "the Launchpad account {name} is not a member of the team ~{team}",
     "Join the team again, or renew the membership: https://launchpad.net/~{team}"},
    {"not-valid", "", "the Launchpad account {name} is not active or has no confirmed address",
     "Please log in at https://launchpad.net/~{name} and confirm a preferred address there."},
    {"coc-not-signed", "", "the Launchpad account {name} has not signed the Ubuntu Code of Conduct",
     "Please read and sign it at https://launchpad.net/codeofconduct"},
    {"illegal-local-part", "", "no mail address can begin with the name {name}",
     "You can ask for an extra alias, or take another Launchpad name."},
    {"taken", "", "the address {address} belongs to somebody else or has a role there",
     "You can ask for an extra alias."},
    {"reserved", "", "the name {name} is reserved there", "You can ask for an extra alias."},
    {"banned", "", "the account {name} is banned", ""},
    {"renamed", "", "the account goes by another name now", ""},
    {"grace-over", "", "the time of grace is over", ""},
    {"removed", "", "it was taken away by an operator", ""},
    {"another-person", "", "the name belongs to another account now", ""},
    {"no-target", "", "no address is known that its mail could go to", ""},
    /* Of alarms: the words of membership/alarm.h. */
    {"source", "{domain} could not be refreshed", "The last refresh of {domain} brought nothing.",
     "All aliases stay as they are, and the next refresh tries again. See lpalias status."},
    {"stale", "{domain} is stale", "There was no good listing of ~{team} for too long.",
     "All aliases stay as they are, but joins and departures are not seen. Does the timer of "
     "lpalias refresh run? See lpalias status."},
    {"held", "changes of {domain} wait for you", "Changes of {domain} are held.",
     "See them with lpalias plan show {domain}, then lpalias plan release or plan discard."},
    {"proof-lost", "{domain} is frozen", "The TXT record that proves {domain} is gone.",
     "No refresh changes the domain until the record is back; its aliases are served. See "
     "lpalias domain verify {domain}."},
    {"closed", "{domain} is closed", "{domain} is filled, and it is not open.",
     "Its live aliases are served; mail to any other address there has to wait. When all is in "
     "place: lpalias domain open {domain}"},
    {"unconfigured", "{domain} is not configured",
     "{domain} is in the cache and not in the configuration.",
     "It is served as it is and never refreshed, and unknown names wait. Put it back into the "
     "configuration, or take it away: lpalias domain remove {domain}"},
    {"cache-full", "the cache is nearly full", "The cache is nearly as large as it may be.",
     "A full one takes no change. Raise cache-limit in the configuration."},
    {"overdue", "notices could not be handed over",
     "Some notices wait for more than five days to be handed over.",
     "See them with lpalias notify --list. They are kept and tried again."},
    {"no-live-end", "addresses of {domain} lead nowhere",
     "These addresses of {domain} name one of ours that does not answer:",
     "Mail to them bounces or waits. Correct them, or what they name."},
};

static const struct reason unknown = {"", "{reason-word} {domain}", "of this: {reason-word}", ""};
static const struct reason none = {"", "{kind} {domain}", "the rules of the house say so", ""};

const struct reason *reason_find(struct span word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(reasons); i++)
        if (strlen(reasons[i].word) == word.length &&
            memcmp(reasons[i].word, word.data, word.length) == 0)
            return &reasons[i];
    return word.length != 0 ? &unknown : &none;
}
