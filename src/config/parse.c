#include "config/parse.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/*
 * An option that every section has by default and no file can name, as libConfuse takes "|" in a
 * name for a path: its default value is parsed when a section begins, which is the one moment
 * when the line of the "{" can be learnt.
 */
#define START_OPTION "begin|of section"

#define NAME_MAX_BYTES    64
#define MESSAGE_MAX_BYTES 255

/* A name that libConfuse did not know, until the next token shows what it was meant for. */
struct unknown_name {
    char *name; /* NULL: none */
    int line;
    enum config_section_id section;
};

struct parse {
    struct parsed *parsed;
    struct problem_list *problems;
    int cut_line; /* before which the text was cut, or 0 */
    struct unknown_name unknown;
};

/* libConfuse hands no pointer of ours to its callbacks. */
static struct parse *current;

static enum config_section_id section_of(const cfg_t *cfg)
{
    for (int id = SECTION_TOP; id < SECTION_COUNT; id++)
        if (strcmp(config_sections[id].name, cfg->name) == 0)
            return (enum config_section_id)id;
    return SECTION_TOP;
}

/* Edit distance, counting insertions, deletions, changes and swapped neighbours. */
static size_t name_distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > NAME_MAX_BYTES || b_length > NAME_MAX_BYTES)
        return SIZE_MAX;
    size_t rows[NAME_MAX_BYTES + 1][NAME_MAX_BYTES + 1];
    for (size_t i = 0; i <= a_length; i++) {
        for (size_t j = 0; j <= b_length; j++) {
            if (i == 0 || j == 0) {
                rows[i][j] = i + j;
                continue;
            }
            size_t best = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (rows[i - 1][j] + 1 < best)
                best = rows[i - 1][j] + 1;
            if (rows[i][j - 1] + 1 < best)
                best = rows[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                rows[i - 2][j - 2] + 1 < best)
                best = rows[i - 2][j - 2] + 1;
            rows[i][j] = best;
        }
    }
    return rows[a_length][b_length];
}

/* The known name of that section that unknown was probably meant to be, or NULL. */
static const char *nearest_name(enum config_section_id section, const char *unknown)
{
    const char *nearest = NULL;
    size_t least = 3;
    for (size_t i = 0; i < config_key_count + SECTION_COUNT; i++) {
        bool is_key = i < config_key_count;
        const struct config_section *child = is_key ? NULL : &config_sections[i - config_key_count];
        if (is_key ? config_keys[i].section != section
                   : child->parent != section || child == &config_sections[SECTION_TOP])
            continue;
        const char *name = is_key ? config_keys[i].name : child->name;
        size_t distance = name_distance(name, unknown);
        if (distance < least && distance < strlen(unknown)) {
            nearest = name;
            least = distance;
        }
    }
    return nearest;
}

/* Where a name that is unknown here belongs, or SECTION_COUNT. */
static enum config_section_id home_of(const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].name, name) == 0)
            return config_keys[i].section;
    for (int id = SECTION_TOP + 1; id < SECTION_COUNT; id++)
        if (strcmp(config_sections[id].name, name) == 0)
            return config_sections[id].parent;
    return SECTION_COUNT;
}

static void append_known_names(struct buffer *out, enum config_section_id section)
{
    const char *comma = "";
    for (size_t i = 0; i < config_key_count; i++) {
        if (config_keys[i].section != section)
            continue;
        buffer_appendf(out, "%s%s", comma, config_keys[i].name);
        comma = ", ";
    }
    for (int id = SECTION_TOP + 1; id < SECTION_COUNT; id++)
        if (config_sections[id].parent == section)
            buffer_appendf(out, "%s%s { }", comma, config_sections[id].name);
}

static void tell_unknown(struct parse *parse, const char *kind)
{
    struct unknown_name *unknown = &parse->unknown;
    if (unknown->name == NULL)
        return;
    struct buffer text = {0};
    buffer_appendf(&text, "unknown %s ", kind);
    if (strchr(unknown->name, '@') == NULL)
        problem_append_quoted(&text, unknown->name);
    else /* a target that is not where a value stands */
        buffer_append_text(&text, "with an \"@\" in it");
    if (unknown->section != SECTION_TOP)
        buffer_appendf(&text, " in section %s", config_sections[unknown->section].name);
    const char *nearest = nearest_name(unknown->section, unknown->name);
    enum config_section_id home = home_of(unknown->name);
    if (home == SECTION_TOP) {
        buffer_append_text(&text, "; it belongs outside all sections");
    } else if (home != SECTION_COUNT) {
        buffer_appendf(&text, "; it belongs in section %s", config_sections[home].name);
    } else if (nearest != NULL) {
        buffer_appendf(&text, "; did you mean \"%s\"?", nearest);
    } else {
        buffer_append_text(&text, "; known here: ");
        append_known_names(&text, unknown->section);
    }
    problem_add(parse->problems, unknown->line, "%s", buffer_text(&text));
    buffer_finish(&text);
    free(unknown->name);
    unknown->name = NULL;
}

static const char *hint_of(const char *format)
{
    static const struct {
        const char *format, *hint;
    } hints[] = {
        {"missing equal sign after option '%s'", "write name = \"value\""},
        {"missing opening brace for section '%s'", "write section { ... }, with a title in "
                                                   "quotes for tcp-table, domain and role only"},
        {"missing title for section '%s'", "write its title in quotes before the {"},
        {"attempt to append to non-list option '%s'", "write = in place of +="},
        {"unexpected token '%s'", "write name = \"value\", or name = { \"a\", \"b\" } for a list"},
        {"premature end of file", "complete the last line"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(hints); i++)
        if (strcmp(hints[i].format, format) == 0)
            return hints[i].hint;
    return "write name = \"value\" or section { ... }";
}

/* Appends libConfuse's words; what it names between quotes is left out if it may be a target. */
static void append_message(struct buffer *out, const char *format, va_list args)
{
    char *message = NULL;
    if (vasprintf(&message, format, args) < 0)
        message = memory_copy_text("out of memory");
    bool is_secret = strchr(message, '@') != NULL;
    message[is_secret ? strcspn(message, "'") : strnlen(message, MESSAGE_MAX_BYTES)] = '\0';
    text_append_escaped(out, message);
    if (is_secret)
        buffer_append_text(out, "with an \"@\" in it");
    free(message);
}

/* libConfuse's words for a syntax error, in our form. */
static void tell_syntax_error(struct parse *parse, int line, const char *format, va_list args)
{
    struct buffer text = {0};
    append_message(&text, format, args);
    problem_add(parse->problems, line, "%s; %s", buffer_text(&text), hint_of(format));
    buffer_finish(&text);
}

static void on_error(cfg_t *cfg, const char *format, va_list args)
{
    struct parse *parse = current;
    if (strcmp(format, "no such option '%s'") == 0) {
        tell_unknown(parse, "key");
        const char *name = va_arg(args, const char *);
        parse->unknown = (struct unknown_name){memory_copy_text(name), cfg->line, section_of(cfg)};
        return;
    }
    /* What follows an unknown name in its line is no problem of its own. */
    bool follows = parse->unknown.name != NULL && parse->unknown.line == cfg->line;
    bool no_equal_sign = strncmp(format, "missing equal sign", 18) == 0;
    tell_unknown(parse, follows && no_equal_sign ? "section" : "key");
    bool is_cut = parse->cut_line != 0 && cfg->line >= parse->cut_line;
    if (!follows && !is_cut)
        tell_syntax_error(parse, cfg->line, format, args);
}

/* libConfuse takes "server|user" for a path into another section; here nothing does. */
static bool is_of_section(const cfg_t *cfg, const cfg_opt_t *option)
{
    return option >= cfg->opts && option < cfg->opts + cfg_num((cfg_t *)cfg);
}

static bool refuse_path(const cfg_t *cfg, const cfg_opt_t *option)
{
    if (is_of_section(cfg, option))
        return false;
    problem_add(current->problems, cfg->line,
                "\"%s\" is named by a path; write it inside its own section", option->name);
    return true;
}

static void add_section(const cfg_t *cfg)
{
    struct parsed *parsed = current->parsed;
    enum config_section_id id = section_of(cfg);
    size_t parent = parsed->section_count;
    while (parent > 0 && parsed->sections[parent - 1].id != config_sections[id].parent)
        parent--;
    parsed->sections = memory_grow(parsed->sections, parsed->section_count,
                                   &parsed->section_capacity, sizeof(*parsed->sections));
    parsed->sections[parsed->section_count++] = (struct parsed_section){
        .id = id,
        .parent = parent > 0 ? parent - 1 : 0,
        .line = cfg->line > 0 ? cfg->line : 1,
        .title = memory_copy_text(cfg->title),
        .handle = cfg,
        .first_value = parsed->value_count,
    };
}

/* libConfuse may give the memory of a dropped section to a later one: the latest is meant. */
static size_t find_section(const struct parsed *parsed, const cfg_t *cfg)
{
    size_t at = parsed->section_count;
    while (at > 1 && parsed->sections[at - 1].handle != cfg)
        at--;
    return at - 1;
}

static void add_value(const cfg_t *cfg, const cfg_opt_t *option, const char *text)
{
    struct parsed *parsed = current->parsed;
    size_t section = find_section(parsed, cfg);
    const struct config_key *key = config_find_key(parsed->sections[section].id, option->name);
    /* "=" drops what libConfuse had, so a first value that is not our first is a second "=". */
    const struct parsed_value *first =
        option->nvalues == 1 ? parsed_find(parsed, section, key) : NULL;
    if (first != NULL) {
        problem_add(current->problems, cfg->line, "%s is given twice, first in line %d; keep one",
                    key->name, first->line);
        return;
    }
    parsed->values = memory_grow(parsed->values, parsed->value_count, &parsed->value_capacity,
                                 sizeof(*parsed->values));
    parsed->values[parsed->value_count++] =
        (struct parsed_value){section, key, cfg->line, memory_copy_text(text)};
}

static int on_value(cfg_t *cfg, cfg_opt_t *option, const char *text, void *result)
{
    *(const char **)result = text;
    if (current->unknown.name != NULL)
        tell_unknown(current, "key");
    if (strcmp(option->name, START_OPTION) == 0)
        add_section(cfg);
    else if (!refuse_path(cfg, option))
        add_value(cfg, option, text);
    return 0;
}

static int on_section_end(cfg_t *cfg, cfg_opt_t *option)
{
    refuse_path(cfg, option);
    return 0;
}

static void free_options(cfg_opt_t *options)
{
    for (size_t i = 0; options[i].name != NULL; i++)
        if (options[i].subopts != NULL)
            free_options(options[i].subopts);
    free(options);
}

/* The rows of one section as libConfuse wants them. Caller frees with free_options(). */
static cfg_opt_t *make_options(enum config_section_id section)
{
    size_t count = 0;
    cfg_opt_t *options = memory_new(config_key_count + SECTION_COUNT + 2, sizeof(*options));
    options[count++] =
        (cfg_opt_t){.name = START_OPTION, .type = CFGT_STR, .def.parsed = "x", .parsecb = on_value};
    for (size_t i = 0; i < config_key_count; i++)
        if (config_keys[i].section == section)
            options[count++] = (cfg_opt_t){
                .name = config_keys[i].name,
                .type = CFGT_STR,
                .flags = CFGF_NODEFAULT | (config_keys[i].list ? CFGF_LIST : 0),
                .parsecb = on_value,
            };
    for (int id = SECTION_TOP + 1; id < SECTION_COUNT; id++)
        if (config_sections[id].parent == section)
            options[count++] = (cfg_opt_t){
                .name = config_sections[id].name,
                .type = CFGT_SEC,
                /* MULTI for all, else a second one would melt into the first. */
                .flags = CFGF_MULTI | (config_sections[id].many ? CFGF_TITLE : 0),
                .subopts = make_options((enum config_section_id)id),
                .validcb = on_section_end,
            };
    return options;
}

void parse_settings(const char *text, int cut_line, struct parsed *ret_parsed,
                    struct problem_list *problems)
{
    struct parsed parsed = {0};
    struct parse parse = {.parsed = &parsed, .problems = problems, .cut_line = cut_line};
    size_t before = problems->count;
    current = &parse;
    cfg_opt_t *options = make_options(SECTION_TOP);
    /* KEYSTRVAL: after an unknown "key = value" libConfuse goes on, so that all are told. */
    cfg_t *cfg = cfg_init(options, CFGF_KEYSTRVAL);
    cfg_set_error_function(cfg, on_error);
    bool is_read = cfg_parse_buf(cfg, text) == CFG_SUCCESS;
    parsed.complete = is_read && cut_line == 0;
    tell_unknown(&parse, "key");
    if (!is_read && problems->count == before && cut_line == 0)
        problem_add(problems, cfg != NULL ? cfg->line : 1,
                    "libConfuse cannot read this and does not say why; look at this line");
    cfg_free(cfg);
    free_options(options);
    current = NULL;
    *ret_parsed = parsed;
}

const struct parsed_value *parsed_find(const struct parsed *parsed, size_t section,
                                       const struct config_key *key)
{
    for (size_t i = parsed->sections[section].first_value; i < parsed->value_count; i++)
        if (parsed->values[i].section == section && parsed->values[i].key == key)
            return &parsed->values[i];
    return NULL;
}

void parsed_finish(struct parsed *parsed)
{
    for (size_t i = 0; i < parsed->section_count; i++)
        free(parsed->sections[i].title);
    for (size_t i = 0; i < parsed->value_count; i++)
        free(parsed->values[i].text);
    free(parsed->sections);
    free(parsed->values);
    *parsed = (struct parsed){0};
}
