#include "transfer/smtp.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define CONNECT_LIMIT_MS 10000

#define PASSWORD_FILE_MAX_BYTES 4096

/* What was said last, so that an answer is known to be about the mail or about the connection. */
enum stage { STAGE_CONNECTION, STAGE_SENDER, STAGE_RECIPIENT, STAGE_CONTENT };

struct smtp_session {
    CURL *easy;
    char problem[CURL_ERROR_SIZE];
    /* Of the mail on its way. */
    enum stage stage;
    bool is_quitting;  /* curl says QUIT by itself after a refusal; what is answered is no news */
    unsigned code;     /* of the last answer */
    char enhanced[16]; /* "5.1.1" (RFC 3463), or "" */
    struct span left;  /* of the content */
};

/* ---- login ---- */

static bool read_password(const char *path, char **ret, struct error *error)
{
    struct stat status;
    size_t length;
    if (stat(path, &status) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot read password file %s: %s", path,
                         strerror(errno));
    if ((status.st_mode & S_IRWXO) != 0)
        return error_set(error, ERROR_INVALID,
                         "password file %s has mode %04o, so others may use it; chmod 0640 %s",
                         path, status.st_mode & 07777, path);
    if (!file_read(path, PASSWORD_FILE_MAX_BYTES, ret, &length, error))
        return false;
    (*ret)[strcspn(*ret, "\r\n")] = '\0';
    if (**ret != '\0')
        return true;
    free(*ret);
    return error_set(error, ERROR_INVALID, "the first line of password file %s is empty", path);
}

/* Is the server on this machine? By its name in the URL alone, as a lookup could lie. */
static bool is_loopback(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    size_t length = strcspn(host, "/");
    while (length != 0 && host[length] != ':')
        length--;
    return (length == strlen("localhost") && strncmp(host, "localhost", length) == 0) ||
           (length == strlen("[::1]") && strncmp(host, "[::1]", length) == 0) ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length);
}

static bool is_smtps(const char *url)
{
    return strncmp(url, "smtps:", 6) == 0;
}

static CURLcode log_in_with(CURL *easy, const char *user, const char *password)
{
    CURLcode code = curl_easy_setopt(easy, CURLOPT_USERNAME, user);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
    return code;
}

static bool set_login(CURL *easy, const struct smtp_server *server, struct error *error)
{
    char *password;
    if (server->user == NULL)
        return true;
    if (server->starttls == SMTP_STARTTLS_NEVER && !is_smtps(server->url) &&
        !is_loopback(server->url))
        return error_set(error, ERROR_INVALID,
                         "a login at %s would go out in clear; starttls must not be never",
                         server->url);
    if (!read_password(server->password_file, &password, error))
        return false;
    CURLcode code = log_in_with(easy, server->user, password);
    explicit_bzero(password, strlen(password));
    free(password);
    return code == CURLE_OK ||
           error_set(error, ERROR_TEMPORARY, "cannot set up curl: %s", curl_easy_strerror(code));
}

/* ---- what curl tells while it works ---- */

/* "250 2.1.5 Ok", "250-PIPELINING": the codes are kept, the text may hold addresses. */
static void note_answer(struct smtp_session *session, const char *line, size_t length)
{
    char text[32];
    uint64_t code;
    size_t kept = length < sizeof(text) - 1 ? length : sizeof(text) - 1;
    memcpy(text, line, kept);
    text[kept] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (session->is_quitting || kept < 4 || (text[3] != ' ' && text[3] != '\0'))
        return;
    char *enhanced = text[3] == ' ' ? text + 4 : text + 3;
    text[3] = '\0';
    if (!text_parse_number(text, 100, 599, &code))
        return;
    session->code = (unsigned)code;
    session->enhanced[0] = '\0';
    size_t digits = strspn(enhanced, "0123456789.");
    if (digits >= 5 && digits < sizeof(session->enhanced) && (enhanced[0] == text[0])) {
        memcpy(session->enhanced, enhanced, digits);
        session->enhanced[digits] = '\0';
    }
}

static void note_command(struct smtp_session *session, const char *line, size_t length)
{
    static const struct {
        const char *verb;
        enum stage stage;
    } verbs[] = {
        {"MAIL FROM:", STAGE_SENDER}, {"RCPT TO:", STAGE_RECIPIENT}, {"DATA\r\n", STAGE_CONTENT}};
    session->is_quitting = length >= strlen("QUIT") && strncmp(line, "QUIT", strlen("QUIT")) == 0;
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        if (length >= strlen(verbs[i].verb) &&
            strncmp(line, verbs[i].verb, strlen(verbs[i].verb)) == 0)
            session->stage = verbs[i].stage;
}

static int note(CURL *easy, curl_infotype type, char *bytes, size_t length, void *context)
{
    (void)easy;
    if (type == CURLINFO_HEADER_IN)
        note_answer(context, bytes, length);
    else if (type == CURLINFO_HEADER_OUT)
        note_command(context, bytes, length);
    return 0;
}

static size_t give_content(char *out, size_t size, size_t count, void *context)
{
    struct smtp_session *session = context;
    size_t length = size * count < session->left.length ? size * count : session->left.length;
    memcpy(out, session->left.data, length);
    session->left.data += length;
    session->left.length -= length;
    return length;
}

/* Answers come to note(); what a server says besides is nobody's business. */
static size_t drop(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes, (void)context;
    return size * count;
}

/* ---- a session ---- */

static long use_of_tls(const struct smtp_server *server)
{
    if (server->starttls == SMTP_STARTTLS_MUST ||
        (server->user != NULL && !is_loopback(server->url)))
        return CURLUSESSL_ALL;
    return server->starttls == SMTP_STARTTLS_MAY ? CURLUSESSL_TRY : CURLUSESSL_NONE;
}

static bool verifies(const struct smtp_server *server)
{
    return is_smtps(server->url) || server->starttls == SMTP_STARTTLS_MUST ||
           server->ca_file != NULL || (server->user != NULL && !is_loopback(server->url));
}

/* One row per option, so that none can fail unseen. CURLOPT_NOSIGNAL is left at 0: curl then keeps
 * SIGPIPE away from the process while TLS writes. */
static CURLcode set_options(struct smtp_session *session, const struct smtp_server *server)
{
    long timeout_ms = (long)server->timeout_ms;
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_UPLOAD, 1},
        {CURLOPT_VERBOSE, 1}, /* to CURLOPT_DEBUGFUNCTION only */
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_SASL_IR, 1},
        {CURLOPT_USE_SSL, use_of_tls(server)},
        {CURLOPT_SSL_VERIFYPEER, verifies(server)},
        {CURLOPT_SSL_VERIFYHOST, verifies(server) ? 2 : 0},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_TIMEOUT_MS, timeout_ms},
        {CURLOPT_CONNECTTIMEOUT_MS, timeout_ms < CONNECT_LIMIT_MS ? timeout_ms : CONNECT_LIMIT_MS},
    };
    const struct {
        CURLoption option;
        const void *value;
    } pointers[] = {
        {CURLOPT_URL, server->url},   {CURLOPT_PROTOCOLS_STR, "smtp,smtps"},
        {CURLOPT_PROXY, ""},          {CURLOPT_ERRORBUFFER, session->problem},
        {CURLOPT_DEBUGDATA, session}, {CURLOPT_READDATA, session},
    };
    CURLcode code = curl_easy_setopt(session->easy, CURLOPT_DEBUGFUNCTION, note);
    if (code == CURLE_OK)
        code = curl_easy_setopt(session->easy, CURLOPT_READFUNCTION, give_content);
    if (code == CURLE_OK)
        code = curl_easy_setopt(session->easy, CURLOPT_WRITEFUNCTION, drop);
    for (size_t i = 0; code == CURLE_OK && i < ARRAY_LENGTH(numbers); i++)
        code = curl_easy_setopt(session->easy, numbers[i].option, numbers[i].value);
    for (size_t i = 0; code == CURLE_OK && i < ARRAY_LENGTH(pointers); i++)
        code = curl_easy_setopt(session->easy, pointers[i].option, pointers[i].value);
    if (code == CURLE_OK && server->ca_file != NULL)
        code = curl_easy_setopt(session->easy, CURLOPT_CAINFO, server->ca_file);
    return code;
}

bool smtp_session_create(const struct smtp_server *server, struct smtp_session **ret,
                         struct error *error)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK)
        return error_set(error, ERROR_TEMPORARY, "cannot set up curl: %s",
                         curl_easy_strerror(code));
    struct smtp_session *session = memory_new(1, sizeof(*session));
    session->easy = curl_easy_init();
    code = session->easy != NULL ? set_options(session, server) : CURLE_OUT_OF_MEMORY;
    if (code != CURLE_OK)
        error_set(error, ERROR_TEMPORARY, "cannot set up curl: %s", curl_easy_strerror(code));
    if (code != CURLE_OK || !set_login(session->easy, server, error)) {
        smtp_session_destroy(session);
        return false;
    }
    *ret = session;
    return true;
}

void smtp_session_destroy(struct smtp_session *session)
{
    if (session == NULL)
        return;
    curl_easy_cleanup(session->easy);
    curl_global_cleanup();
    free(session);
}

/* ---- one mail ---- */

/* Nothing that could end the command or its address early. */
static bool is_safe_path(const char *address)
{
    for (const char *byte = address; *byte != '\0'; byte++)
        if ((unsigned char)*byte < ' ' || *byte == 0x7f || *byte == '<' || *byte == '>')
            return false;
    return true;
}

static CURLcode perform(struct smtp_session *session, const struct smtp_mail *mail)
{
    struct curl_slist *recipients = curl_slist_append(NULL, mail->recipient);
    if (recipients == NULL)
        return CURLE_OUT_OF_MEMORY;
    CURLcode code = curl_easy_setopt(session->easy, CURLOPT_MAIL_RCPT, recipients);
    if (code == CURLE_OK)
        code = curl_easy_setopt(session->easy, CURLOPT_MAIL_FROM, mail->sender);
    if (code == CURLE_OK)
        code = curl_easy_setopt(session->easy, CURLOPT_INFILESIZE_LARGE,
                                (curl_off_t)mail->content.length);
    if (code == CURLE_OK)
        code = curl_easy_perform(session->easy);
    curl_easy_setopt(session->easy, CURLOPT_MAIL_RCPT, NULL);
    curl_slist_free_all(recipients);
    return code;
}

static const char *stage_name(enum stage stage)
{
    switch (stage) {
    case STAGE_CONNECTION:
        break;
    case STAGE_SENDER:
        return "the sender";
    case STAGE_RECIPIENT:
        return "the recipient";
    case STAGE_CONTENT:
        return "the mail";
    }
    return "the connection";
}

/* RFC 5321 4.2.1, and 3.8 for 421: the server is about to close, whatever was asked. */
static enum smtp_outcome judge_answer(const struct smtp_session *session)
{
    if (session->stage < STAGE_RECIPIENT)
        return SMTP_UNAVAILABLE;
    if (session->code == 421)
        return SMTP_CUT_OFF;
    return session->code >= 500 ? SMTP_REFUSED : SMTP_DEFERRED;
}

/* The server's last answer ended it, and not a silence: curl has its own codes for those. */
static bool is_answered(const struct smtp_session *session, CURLcode code)
{
    return session->code >= 400 &&
           (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
            code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_LOGIN_DENIED ||
            code == CURLE_REMOTE_ACCESS_DENIED || code == CURLE_USE_SSL_FAILED);
}

enum smtp_outcome smtp_send(struct smtp_session *session, const struct smtp_mail *mail,
                            struct error *error)
{
    if (!is_safe_path(mail->recipient) || !is_safe_path(mail->sender)) {
        error_set(error, ERROR_INVALID, "the address cannot stand in an SMTP command");
        return SMTP_REFUSED;
    }
    session->stage = STAGE_CONNECTION;
    session->is_quitting = false;
    session->code = 0;
    session->enhanced[0] = '\0';
    session->problem[0] = '\0';
    session->left = mail->content;
    CURLcode code = perform(session, mail);
    if (code == CURLE_OK)
        return SMTP_DONE;
    if (is_answered(session, code)) {
        error_set(error, session->code >= 500 ? ERROR_INVALID : ERROR_TEMPORARY,
                  "the server answered %u%s%s to %s", session->code,
                  session->enhanced[0] != '\0' ? " " : "", session->enhanced,
                  code == CURLE_LOGIN_DENIED ? "the login" : stage_name(session->stage));
        return judge_answer(session);
    }
    /* curl's own words: hosts, ports and certificates, and no address of a mail. */
    error_set(error, ERROR_TEMPORARY, "%s",
              session->problem[0] != '\0' ? session->problem : curl_easy_strerror(code));
    return session->stage < STAGE_RECIPIENT ? SMTP_UNAVAILABLE : SMTP_CUT_OFF;
}
