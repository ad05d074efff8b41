#include "store/key.h"

#include <string.h>

bool key_of_pair(struct key *ret, const char *domain, struct span second)
{
    size_t domain_length = strlen(domain);
    if (domain_length + 1 + second.length > sizeof(ret->bytes))
        return false;
    memcpy(ret->bytes, domain, domain_length + 1);
    if (second.length != 0)
        memcpy(ret->bytes + domain_length + 1, second.data, second.length);
    ret->length = domain_length + 1 + second.length;
    return true;
}

bool key_of_name(struct key *ret, struct span name)
{
    if (name.length == 0 || name.length > sizeof(ret->bytes))
        return false;
    memcpy(ret->bytes, name.data, name.length);
    ret->length = name.length;
    return true;
}

void key_of_sequence(struct key *ret, uint64_t sequence)
{
    for (size_t i = 0; i < 8; i++)
        ret->bytes[i] = (char)(sequence >> (8 * (7 - i)));
    ret->length = 8;
}

void key_of_numbers(struct key *ret, uint64_t generation, uint64_t number)
{
    struct key second;
    key_of_sequence(ret, generation);
    key_of_sequence(&second, number);
    memcpy(ret->bytes + ret->length, second.bytes, second.length);
    ret->length += second.length;
}

bool key_of_sent(struct key *ret, const char *domain, const char *name, const char *word)
{
    struct buffer second = {0};
    buffer_appendf(&second, "%s %s", name, word);
    bool fits = key_of_pair(ret, domain, (struct span){second.data, second.length});
    buffer_finish(&second);
    return fits;
}

struct span key_span(const struct key *key)
{
    return (struct span){key->bytes, key->length};
}

uint64_t key_sequence(struct span key)
{
    uint64_t sequence = 0;
    for (size_t i = 0; i < key.length && i < 8; i++)
        sequence = sequence << 8 | (unsigned char)key.data[i];
    return sequence;
}

bool key_split_pair(struct span key, struct span *ret_domain, struct span *ret_second)
{
    const char *nul = memchr(key.data, '\0', key.length);
    if (nul == NULL)
        return false;
    size_t domain_length = (size_t)(nul - key.data);
    *ret_domain = (struct span){key.data, domain_length};
    *ret_second = (struct span){nul + 1, key.length - domain_length - 1};
    return true;
}
