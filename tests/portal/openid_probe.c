/*
 * The login without a portal around it, for tests. Reads and writes lines of form fields.
 *
 *   openid_probe request   endpoint, return_to, realm, state, teams (commas)   -> url
 *   openid_probe answer    endpoint, identifiers, return_to, state, url, query, body (of a POST)
 *                                                  -> verdict, reason, text, verification
 *                          of a pending one then: status, reply, now_s
 *                                                  -> reason, text, nonce, and who it is
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openid/answer.h"

static bool read_line(struct openid_form *form)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length = getline(&line, &capacity, stdin);
    bool is_read =
        length > 0 && openid_form_parse((struct span){line, (size_t)length - 1}, form, NULL);
    free(line);
    return is_read;
}

static void write_line(struct buffer *line)
{
    puts(buffer_text(line));
    fflush(stdout);
    buffer_finish(line);
}

static const char *field(const struct openid_form *form, const char *name)
{
    const char *value = openid_form_value(form, name);
    return value != NULL ? value : "";
}

static void append_if_there(struct buffer *line, const char *name, const char *value)
{
    if (value != NULL)
        openid_form_append(line, name, value);
}

static void append_refusal(struct buffer *line, const struct openid_refusal *refusal)
{
    openid_form_append(line, "reason", openid_refusal_name(refusal->reason));
    openid_form_append(line, "text", refusal->error.text);
    if (refusal->error.kind == ERROR_TEMPORARY)
        openid_form_append(line, "temporary", "1");
}

static void run_request(const struct openid_form *form)
{
    struct openid_provider provider = {.endpoint = field(form, "endpoint")};
    struct openid_login login = {
        .return_to = field(form, "return_to"),
        .realm = field(form, "realm"),
        .state = field(form, "state"),
    };
    const char *teams[16];
    size_t team_count = 0;
    char *list = strdup(field(form, "teams"));
    for (char *team = strtok(list, ","); team != NULL && team_count < 16; team = strtok(NULL, ","))
        teams[team_count++] = team;
    struct buffer url = {0}, line = {0};
    openid_login_append_request_url(&login, &provider, teams, team_count, &url);
    openid_form_append(&line, "url", buffer_text(&url));
    write_line(&line);
    buffer_finish(&url);
    free(list);
}

static void append_identity(struct buffer *line, const struct openid_identity *identity)
{
    static const char *const verified[] = {
        [OPENID_IDENTITY_NOT_SAID] = NULL,
        [OPENID_IDENTITY_UNVERIFIED] = "no",
        [OPENID_IDENTITY_VERIFIED] = "yes",
    };
    openid_form_append(line, "claimed_id", identity->claimed_id);
    append_if_there(line, "nickname", identity->nickname);
    append_if_there(line, "email", identity->email);
    append_if_there(line, "fullname", identity->fullname);
    append_if_there(line, "verified", verified[identity->email_verified]);
    struct buffer teams = {0};
    for (size_t i = 0; i < identity->team_count; i++)
        buffer_appendf(&teams, "%s%s", i != 0 ? "," : "", identity->teams[i]);
    if (identity->teams_told)
        openid_form_append(line, "teams", buffer_text(&teams));
    buffer_finish(&teams);
}

static void run_verification(struct openid_assertion *assertion, const struct openid_form *form)
{
    struct openid_refusal refusal = {0};
    struct buffer line = {0};
    const char *nonce;
    int64_t forget_at_s;
    unsigned status = (unsigned)strtoul(field(form, "status"), NULL, 10);
    int64_t now_s = strtoll(field(form, "now_s"), NULL, 10);
    if (openid_assertion_verify(assertion, status, span_of(field(form, "reply")), &refusal) &&
        openid_assertion_check_nonce(assertion, now_s, &nonce, &forget_at_s, &refusal)) {
        openid_form_append(&line, "nonce", nonce);
        append_identity(&line, openid_assertion_identity(assertion));
    }
    append_refusal(&line, &refusal);
    write_line(&line);
}

static void run_answer(const struct openid_form *form)
{
    static const char *const names[] = {
        [OPENID_ANSWER_REFUSED] = "refused",
        [OPENID_ANSWER_CANCELLED] = "cancelled",
        [OPENID_ANSWER_SETUP_NEEDED] = "setup-needed",
        [OPENID_ANSWER_PENDING] = "pending",
    };
    struct openid_provider provider = {field(form, "endpoint"), field(form, "identifiers")};
    struct openid_login login = {
        .return_to = field(form, "return_to"),
        .state = field(form, "state"),
    };
    struct openid_answer answer = {
        .url = field(form, "url"),
        .query = span_of(field(form, "query")),
        .is_post = openid_form_value(form, "body") != NULL,
        .body = span_of(field(form, "body")),
    };
    struct openid_assertion *assertion = NULL;
    struct openid_refusal refusal = {0};
    struct buffer line = {0};
    enum openid_answer_verdict verdict =
        openid_answer_judge(&answer, &login, &provider, &assertion, &refusal);
    openid_form_append(&line, "verdict", names[verdict]);
    append_refusal(&line, &refusal);
    if (assertion != NULL) {
        struct span verification = openid_assertion_verification(assertion);
        struct buffer text = {0};
        buffer_append(&text, verification.data, verification.length);
        openid_form_append(&line, "verification", buffer_text(&text));
        buffer_finish(&text);
    }
    write_line(&line);
    struct openid_form reply = {0};
    if (assertion != NULL && read_line(&reply))
        run_verification(assertion, &reply);
    openid_form_finish(&reply);
    openid_assertion_destroy(assertion);
}

int main(int argc, char **argv)
{
    struct openid_form form = {0};
    if (argc != 2 || !read_line(&form)) {
        fprintf(stderr, "usage: openid_probe request|answer, with fields on standard input\n");
        return 64;
    }
    if (strcmp(argv[1], "request") == 0)
        run_request(&form);
    else
        run_answer(&form);
    openid_form_finish(&form);
    return 0;
}
