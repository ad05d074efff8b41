/* record: layout version 1 to the byte, and nothing else is taken for a record. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "../unit.h"
#include "store/record.h"

#define STAMP                 \
    {                         \
        1, 0x0102030405060708 \
    }

static void encode_alias(struct buffer *out)
{
    const struct alias_record record = {
        .stamp = STAMP,
        .kind = ALIAS_EXTRA,
        .state = ALIAS_PENDING,
        .reason = REASON_NO_TARGET,
        .deliver = true,
        .extension = EXTENSION_DROP,
        .since_s = 1118048391,
        .owner = span_of("jdoe"),
        .sealed_targets = {"\0\377S", 3},
    };
    alias_record_encode(out, &record);
}

static bool recode_alias(struct span bytes, struct buffer *out)
{
    struct alias_record record;
    if (!alias_record_decode(bytes, &record))
        return false;
    alias_record_encode(out, &record);
    return true;
}

static void encode_person(struct buffer *out)
{
    const struct person_record record = {
        .stamp = STAMP,
        .date_created_us = 1118048391596025,
        .target_source = TARGET_SOURCE_PERSON,
        .sealed_targets = span_of("sealed"),
    };
    person_record_encode(out, &record);
}

static bool recode_person(struct span bytes, struct buffer *out)
{
    struct person_record record;
    if (!person_record_decode(bytes, &record))
        return false;
    person_record_encode(out, &record);
    return true;
}

static void encode_membership(struct buffer *out)
{
    const struct membership_record record = {
        .stamp = STAMP,
        .is_member = true,
        .is_valid = false,
        .is_ubuntu_coc_signer = true,
        .date_created_us = 1118048391596025,
        .since_s = 2,
        .missing_since_s = 3,
        .invalid_since_s = 4,
        .unsigned_since_s = 5,
        .live_since_s = 6,
        .leaving_since_s = -7,
    };
    membership_record_encode(out, &record);
}

static bool recode_membership(struct span bytes, struct buffer *out)
{
    struct membership_record record;
    if (!membership_record_decode(bytes, &record))
        return false;
    membership_record_encode(out, &record);
    return true;
}

static void encode_domain(struct buffer *out)
{
    const struct domain_record record = {
        .stamp = STAMP,
        .is_open = true,
        .opened_generation = 9,
        .team_date_created_us = 1118048391596025,
        .filled_s = 10,
        .team = span_of("ubuntumembers"),
    };
    domain_record_encode(out, &record);
}

static bool recode_domain(struct span bytes, struct buffer *out)
{
    struct domain_record record;
    if (!domain_record_decode(bytes, &record))
        return false;
    domain_record_encode(out, &record);
    return true;
}

static void encode_event(struct buffer *out)
{
    const struct event_record record = {
        .stamp = STAMP,
        .at_s = 11,
        .actor = span_of("refresh"),
        .act = span_of("alias.gone"),
        .domain = span_of("ubuntu.com"),
        .subject = span_of("jdoe"),
    };
    event_record_encode(out, &record);
}

static bool recode_event(struct span bytes, struct buffer *out)
{
    struct event_record record;
    if (!event_record_decode(bytes, &record))
        return false;
    event_record_encode(out, &record);
    return true;
}

static void encode_run(struct buffer *out)
{
    const struct run_record record = {
        .outcome = RUN_UNUSABLE,
        .attempt_s = 12,
        .success_s = 13,
        .duration_ms = 14,
        .requests = 15,
        .retries = 16,
        .error = span_of("502"),
    };
    run_record_encode(out, &record);
}

static bool recode_run(struct span bytes, struct buffer *out)
{
    struct run_record record;
    if (!run_record_decode(bytes, &record))
        return false;
    run_record_encode(out, &record);
    return true;
}

/* A byte that may hold only some values. */
struct narrow_byte {
    size_t at;
    unsigned first, last;
};

/* The hex is made by hand from docs/cache-format.md, not by the encoders. */
static const struct layout {
    const char *name;
    const char *hex;
    void (*encode)(struct buffer *out);
    bool (*recode)(struct span bytes, struct buffer *out);
    struct narrow_byte narrow[6]; /* ends at .at == 0, but that for the layout version is implied */
} layouts[] = {
    {"alias",
     "01080706050403020102030401028710a4420000000004006a646f65030000ff53",
     encode_alias,
     recode_alias,
     {{9, 1, 3}, {10, 1, 6}, {11, 0, 6}, {12, 0, 1}, {13, 1, 3}}},
    {"person",
     "010807060504030201f90739eddbf80300030206007365616c6564",
     encode_person,
     recode_person,
     {{17, 1, 3}, {18, 0, 3}}},
    {"membership",
     "01080706050403020105f90739eddbf803000200000000000000030000000000000004000000"
     "0000000005000000000000000600000000000000f9ffffffffffffff",
     encode_membership,
     recode_membership,
     {{9, 0, 7}}},
    {"domain",
     "010807060504030201010900000000000000f90739eddbf803000a000000000000000d007562"
     "756e74756d656d62657273",
     encode_domain,
     recode_domain,
     {{9, 0, 1}}},
    {"event",
     "0108070605040302010b000000000000000700726566726573680a00616c6961732e676f6e65"
     "0a007562756e74752e636f6d04006a646f650000",
     encode_event,
     recode_event,
     {{0}}},
    {"run",
     "010000000000000000020c000000000000000d000000000000000e000000000000000f000000"
     "100000000300353032",
     encode_run,
     recode_run,
     {{9, 1, 4}}},
};

struct golden {
    size_t length;
    char bytes[256];
};

static struct golden golden_of(const struct layout *layout)
{
    struct golden golden;
    assert_int_equal(sodium_hex2bin((unsigned char *)golden.bytes, sizeof(golden.bytes),
                                    layout->hex, strlen(layout->hex), NULL, &golden.length, NULL),
                     0);
    return golden;
}

/* Decodes a copy of exactly that size, so that a sanitizer sees a read past the end. */
static bool recode_exactly(const struct layout *layout, const char *bytes, size_t length,
                           struct buffer *out)
{
    char *copy = malloc(length != 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    buffer_clear(out);
    bool is_decoded = layout->recode((struct span){copy, length}, out);
    free(copy);
    return is_decoded;
}

static void layout_1_is_these_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++) {
        struct golden golden = golden_of(&layouts[i]);
        struct buffer out = {0};
        layouts[i].encode(&out);
        assert_int_equal(out.length, golden.length);
        assert_memory_equal(out.data, golden.bytes, golden.length);
        buffer_finish(&out);
    }
}

static void a_record_survives_decoding_and_encoding(void **state)
{
    (void)state;
    struct buffer out = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++) {
        struct golden golden = golden_of(&layouts[i]);
        assert_true(recode_exactly(&layouts[i], golden.bytes, golden.length, &out));
        assert_int_equal(out.length, golden.length);
        assert_memory_equal(out.data, golden.bytes, golden.length);
    }
    buffer_finish(&out);
}

static void a_part_of_a_record_is_refused_wherever_it_ends(void **state)
{
    (void)state;
    struct buffer out = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++) {
        struct golden golden = golden_of(&layouts[i]);
        for (size_t length = 0; length < golden.length; length++)
            assert_false(recode_exactly(&layouts[i], golden.bytes, length, &out));
    }
    buffer_finish(&out);
}

static void a_record_with_a_byte_too_many_is_refused(void **state)
{
    (void)state;
    struct buffer out = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++) {
        struct golden golden = golden_of(&layouts[i]);
        golden.bytes[golden.length] = 0;
        assert_false(recode_exactly(&layouts[i], golden.bytes, golden.length + 1, &out));
    }
    buffer_finish(&out);
}

static void an_unknown_layout_version_is_refused(void **state)
{
    (void)state;
    struct buffer out = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++) {
        struct golden golden = golden_of(&layouts[i]);
        for (unsigned version = 0; version < 256; version++) {
            golden.bytes[0] = (char)version;
            assert_int_equal(recode_exactly(&layouts[i], golden.bytes, golden.length, &out),
                             version == 1);
        }
    }
    buffer_finish(&out);
}

static void a_word_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    struct buffer out = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++)
        for (const struct narrow_byte *narrow = layouts[i].narrow; narrow->at != 0; narrow++) {
            struct golden golden = golden_of(&layouts[i]);
            for (unsigned value = 0; value < 256; value++) {
                golden.bytes[narrow->at] = (char)value;
                bool is_decoded = recode_exactly(&layouts[i], golden.bytes, golden.length, &out);
                if (is_decoded != (value >= narrow->first && value <= narrow->last))
                    fail_msg("%s: byte %zu, value %u", layouts[i].name, narrow->at, value);
            }
        }
    buffer_finish(&out);
}

/* Never two meanings for the same bytes, never two forms of the same meaning. */
static void every_flipped_bit_is_refused_or_means_something_else(void **state)
{
    (void)state;
    struct buffer out = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++) {
        struct golden golden = golden_of(&layouts[i]);
        for (size_t bit = 0; bit < 8 * golden.length; bit++) {
            golden.bytes[bit / 8] ^= (char)(1 << bit % 8);
            if (recode_exactly(&layouts[i], golden.bytes, golden.length, &out)) {
                assert_int_equal(out.length, golden.length);
                assert_memory_equal(out.data, golden.bytes, golden.length);
            }
            golden.bytes[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
    buffer_finish(&out);
}

static void a_refused_record_leaves_the_result_alone(void **state)
{
    (void)state;
    struct golden golden = golden_of(&layouts[0]);
    struct alias_record record = {.since_s = 42};
    assert_false(alias_record_decode((struct span){golden.bytes, golden.length - 1}, &record));
    assert_int_equal(record.since_s, 42);
}

static void the_writer_stamps_encoded_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++) {
        struct golden golden = golden_of(&layouts[i]);
        char wanted[256];
        memcpy(wanted, golden.bytes, golden.length);
        memcpy(wanted + 1, "\xff\xee\xdd\xcc\xbb\xaa\x99\x88", 8);
        record_set_generation(golden.bytes, 0x8899aabbccddeeff);
        assert_memory_equal(golden.bytes, wanted, golden.length);
    }
}

static void a_text_longer_than_its_length_can_say_is_cut(void **state)
{
    (void)state;
    struct buffer out = {0};
    char *detail = malloc(70000);
    assert_non_null(detail);
    memset(detail, 'x', 70000);
    struct event_record record = {.detail = {detail, 70000}};
    event_record_encode(&out, &record);
    assert_true(event_record_decode((struct span){out.data, out.length}, &record));
    assert_int_equal(record.detail.length, 65535);
    buffer_finish(&out);
    free(detail);
}

static void active_and_delivering_aliases_are_live(void **state)
{
    (void)state;
    for (unsigned alias_state = ALIAS_ACTIVE; alias_state <= ALIAS_GONE; alias_state++)
        for (int deliver = 0; deliver <= 1; deliver++) {
            struct alias_record record = {.state = alias_state, .deliver = deliver};
            assert_int_equal(alias_record_is_live(&record),
                             alias_state == ALIAS_ACTIVE ||
                                 (alias_state == ALIAS_LEAVING && deliver));
        }
}

static void every_value_has_a_word_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(alias_kind_name(ALIAS_STATIC), "static");
    assert_string_equal(alias_kind_name(0), "unknown");
    assert_string_equal(alias_state_name(ALIAS_GONE), "gone");
    assert_string_equal(alias_state_name(ALIAS_GONE + 1), "unknown");
    assert_string_equal(alias_reason_name(REASON_TAKEN), "taken");
    assert_string_equal(alias_reason_name(REASON_TAKEN + 1), "unknown");
    assert_string_equal(extension_policy_name(EXTENSION_REFUSE), "refuse");
    assert_string_equal(extension_policy_name(0), "unknown");
    assert_string_equal(target_source_name(TARGET_SOURCE_OPERATOR), "operator");
    assert_string_equal(target_source_name(TARGET_SOURCE_OPERATOR + 1), "unknown");
    assert_string_equal(run_outcome_name(RUN_FAILED), "failed");
    assert_string_equal(run_outcome_name(0), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_1_is_these_bytes),
        cmocka_unit_test(a_record_survives_decoding_and_encoding),
        cmocka_unit_test(a_part_of_a_record_is_refused_wherever_it_ends),
        cmocka_unit_test(a_record_with_a_byte_too_many_is_refused),
        cmocka_unit_test(an_unknown_layout_version_is_refused),
        cmocka_unit_test(a_word_that_does_not_exist_is_refused),
        cmocka_unit_test(every_flipped_bit_is_refused_or_means_something_else),
        cmocka_unit_test(a_refused_record_leaves_the_result_alone),
        cmocka_unit_test(the_writer_stamps_encoded_bytes),
        cmocka_unit_test(a_text_longer_than_its_length_can_say_is_cut),
        cmocka_unit_test(active_and_delivering_aliases_are_live),
        cmocka_unit_test(every_value_has_a_word_of_its_own),
    };
    return cmocka_run_group_tests_name("store/record", tests, NULL, NULL);
}
