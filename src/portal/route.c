#include "portal/route.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"

static bool is_fit_parameter(const char *text, size_t length)
{
    if (length == 0 || length > ROUTE_PARAMETER_MAX_BYTES || !text_is_utf8(text, length) ||
        strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f || text[i] == '/' || text[i] == '\\')
            return false;
    return true;
}

/* The decoded segment, or NULL when it is not fit. Caller frees. */
static char *decode_segment(const char *text, size_t length)
{
    struct buffer decoded = {0};
    bool is_fit =
        length <= 3 * ROUTE_PARAMETER_MAX_BYTES &&
        text_append_percent_decoded(&decoded, (struct span){text, length}, TEXT_PLUS_IS_PLUS);
    buffer_text(&decoded);
    if (is_fit && is_fit_parameter(decoded.data, decoded.length))
        return decoded.data;
    buffer_finish(&decoded);
    return NULL;
}

static void free_parameters(char *parameters[ROUTE_PARAMETERS_MAX])
{
    for (size_t i = 0; i < ROUTE_PARAMETERS_MAX; i++) {
        free(parameters[i]);
        parameters[i] = NULL;
    }
}

/* Fills parameters; false: the path is not of that pattern, or has a parameter that is not fit. */
static bool is_match(const char *pattern, const char *path, char *parameters[ROUTE_PARAMETERS_MAX])
{
    size_t count = 0;
    while (*pattern != '\0' || *path != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t length = strcspn(path, "/");
        parameters[count] = decode_segment(path, length);
        if (parameters[count++] == NULL)
            return false;
        pattern += strcspn(pattern, "}") + 1;
        path += length;
    }
    return true;
}

static void add_allowed(struct route_match *match, const char *method)
{
    size_t count = 0;
    while (match->allowed[count] != NULL)
        count++;
    if (count + 1 < ARRAY_LENGTH(match->allowed))
        match->allowed[count] = method;
}

void route_find(const struct route *routes, size_t count, const char *method, const char *path,
                struct route_match *ret)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    *ret = (struct route_match){0};
    for (size_t i = 0; i < count && ret->route == NULL; i++) {
        if (!is_match(routes[i].path, path, ret->parameters)) {
            free_parameters(ret->parameters);
            continue;
        }
        add_allowed(ret, routes[i].method);
        if (strcmp(routes[i].method, wanted) == 0)
            ret->route = &routes[i];
        else
            free_parameters(ret->parameters);
    }
}

void route_match_finish(struct route_match *match)
{
    free_parameters(match->parameters);
}
