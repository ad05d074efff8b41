/* virtual(5) text: every row that is kept has an address and targets, in the order of the file. */
#include "tool/virtual_text.h"
#include "alias_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    alias_rows_check(virtual_text_read, bytes, size);
    return 0;
}
