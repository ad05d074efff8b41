/* What holds of the rows of an alias file, whatever its format and however odd its bytes. */
#ifndef LPALIAS_TESTS_FUZZ_ALIAS_ROWS_H
#define LPALIAS_TESTS_FUZZ_ALIAS_ROWS_H

#include "base/memory.h"
#include "fuzz.h"
#include "tool/alias_file.h"

static inline void alias_rows_check(void (*read)(struct span text, struct alias_file *file),
                                    const uint8_t *bytes, size_t size)
{
    if (size != 0 && memchr(bytes, '\0', size) != NULL)
        return; /* refused before any format is looked at */
    /* Without a NUL behind it, so that a sanitizer sees a read past the end. */
    char *text = memory_new(size, 1);
    memcpy(text, bytes, size);
    struct alias_file file = {0};
    read((struct span){text, size}, &file);
    unsigned line = 0, fault_line = 0;
    for (size_t i = 0; i < file.row_count; i++) {
        REQUIRE(file.rows[i].line >= line && file.rows[i].line >= 1);
        line = file.rows[i].line;
        REQUIRE(file.rows[i].address != NULL && file.rows[i].address[0] != '\0');
        REQUIRE(file.rows[i].target_count >= 1);
        for (size_t target = 0; target < file.rows[i].target_count; target++)
            REQUIRE(file.rows[i].targets[target][0] != '\0');
    }
    for (size_t i = 0; i < file.fault_count; i++) {
        REQUIRE(file.faults[i].line >= fault_line && file.faults[i].line >= 1);
        fault_line = file.faults[i].line;
        REQUIRE(file.faults[i].reason[0] != '\0');
    }
    alias_file_finish(&file);
    free(text);
}

#endif
