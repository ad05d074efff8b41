#include "address/address.h"

#include <stdlib.h>
#include <string.h>

#include <idn2.h>

#include "base/text.h"

/* atext of RFC 5322 3.2.3; RFC 6531 3.3 adds every non-ASCII character. */
static bool is_atext(unsigned char byte)
{
    if (byte >= 0x80)
        return true;
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
        (byte >= '0' && byte <= '9'))
        return true;
    return byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", byte) != NULL;
}

static bool is_dot_atom(const char *text, size_t length)
{
    bool after_dot = true;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' ? after_dot : !is_atext((unsigned char)text[i]))
            return false;
        after_dot = text[i] == '.';
    }
    return length != 0 && !after_dot;
}

bool address_is_legal_local(const char *name, size_t length)
{
    return length <= ADDRESS_LOCAL_MAX_BYTES && is_dot_atom(name, length);
}

/* Labels of letters, digits, "-" and "_" (seen in the wild), 1 to 63 bytes, no "-" at the ends. */
static bool is_ascii_domain(const char *domain, size_t length)
{
    size_t label_bytes = 0;
    for (size_t i = 0; i <= length; i++) {
        char byte = i < length ? domain[i] : '.';
        if (byte == '.') {
            if (label_bytes == 0 || label_bytes > 63 || domain[i - 1] == '-' ||
                domain[i - label_bytes] == '-')
                return false;
            label_bytes = 0;
            continue;
        }
        bool is_letter_or_digit = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
        if (!is_letter_or_digit && byte != '-' && byte != '_')
            return false;
        label_bytes++;
    }
    return length != 0 && length <= ADDRESS_DOMAIN_MAX_BYTES;
}

static bool has_non_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x80)
            return true;
    return false;
}

bool address_domain_to_alabel(const char *domain, size_t length,
                              char ret[ADDRESS_DOMAIN_MAX_BYTES + 1])
{
    /* A U-label takes at most 4 bytes where its A-label takes one or more. */
    if (length == 0 || length > 4 * ADDRESS_DOMAIN_MAX_BYTES || !text_is_utf8(domain, length))
        return false;
    char lowered[4 * ADDRESS_DOMAIN_MAX_BYTES + 1];
    memcpy(lowered, domain, length);
    lowered[length] = '\0';
    text_lower_ascii(lowered, length);
    if (!has_non_ascii(lowered, length)) {
        if (!is_ascii_domain(lowered, length))
            return false;
        memcpy(ret, lowered, length + 1);
        return true;
    }
    uint8_t *alabel = NULL;
    int code =
        idn2_lookup_u8((const uint8_t *)lowered, &alabel, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (code == IDN2_MALLOC)
        abort(); /* a lack of memory must not make a domain of ours an odd one */
    if (code != IDN2_OK)
        return false;
    size_t alabel_length = strlen((const char *)alabel);
    bool fits = is_ascii_domain((const char *)alabel, alabel_length);
    if (fits)
        memcpy(ret, alabel, alabel_length + 1);
    idn2_free(alabel);
    return fits;
}

enum address_form address_parse(const char *key, size_t length, struct address *ret)
{
    const char *at = length != 0 ? memrchr(key, '@', length) : NULL;
    size_t local_length = at != NULL ? (size_t)(at - key) : 0;
    const char *domain = at != NULL ? at + 1 : key;
    size_t domain_length = length - (size_t)(domain - key);

    if (at != NULL && (local_length > ADDRESS_KEY_LOCAL_MAX_BYTES ||
                       !is_dot_atom(key, local_length) || !text_is_utf8(key, local_length)))
        return ADDRESS_ODD;
    if (!address_domain_to_alabel(domain, domain_length, ret->domain))
        return ADDRESS_ODD;
    ret->domain_length = strlen(ret->domain);
    memcpy(ret->local, key, local_length);
    ret->local[local_length] = '\0';
    text_lower_ascii(ret->local, local_length);
    ret->local_length = local_length;
    return at != NULL ? ADDRESS_FULL : ADDRESS_BARE;
}

size_t address_next_cut(const char *local, size_t length, const char *delimiters)
{
    if (delimiters == NULL || *delimiters == '\0' || length == 0)
        return 0;
    for (size_t at = length - 1; at > 0; at--)
        if (strchr(delimiters, local[at]) != NULL)
            return at;
    return 0;
}

void address_append_extended(struct buffer *out, struct span target, struct span extension)
{
    const char *at = target.length != 0 ? memrchr(target.data, '@', target.length) : NULL;
    size_t local_length = at != NULL ? (size_t)(at - target.data) : target.length;
    if (extension.length == 0 || local_length + extension.length > ADDRESS_LOCAL_MAX_BYTES) {
        buffer_append(out, target.data, target.length);
        return;
    }
    bool is_quoted = local_length >= 2 && target.data[local_length - 1] == '"';
    size_t before = is_quoted ? local_length - 1 : local_length;
    buffer_append(out, target.data, before);
    buffer_append(out, extension.data, extension.length);
    buffer_append(out, target.data + before, target.length - before);
}

/* Length of the quoted string of RFC 5321 4.1.2 that fills text, without control bytes. */
static bool is_quoted_string(const char *text, size_t length)
{
    if (length < 3 || text[0] != '"' || text[length - 1] != '"')
        return false;
    for (size_t i = 1; i < length - 1; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f || text[i] == '"')
            return false;
        if (text[i] == '\\' && ++i >= length - 1)
            return false;
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    }
    return true;
}

const char *address_check_target(const char *text, size_t length, struct buffer *ret_target)
{
    const char *at = length != 0 ? memrchr(text, '@', length) : NULL;
    if (at == NULL || at == text)
        return "it is not a mail address of the form local@domain";
    size_t local_length = (size_t)(at - text);
    if (!text_is_utf8(text, length))
        return "it is not UTF-8";
    if (local_length > ADDRESS_LOCAL_MAX_BYTES)
        return "its local part is longer than 64 bytes (RFC 5321 4.5.3.1.1)";
    if (!is_dot_atom(text, local_length) && !is_quoted_string(text, local_length))
        return "its local part is neither a dot-atom nor a quoted string (RFC 5321 4.1.2)";
    char domain[ADDRESS_DOMAIN_MAX_BYTES + 1];
    if (!address_domain_to_alabel(at + 1, length - local_length - 1, domain))
        return "its domain is not a legal domain name";
    if (strchr(domain, '.') == NULL)
        return "its domain has no dot";
    buffer_append(ret_target, text, local_length + 1);
    buffer_append_text(ret_target, domain);
    return NULL;
}
