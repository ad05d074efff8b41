/*
 * Feeds a fuzz target every file of a directory, whole and cut short at every byte, as a TAP test:
 * what a fuzzer found once stays tested in every run, without a fuzzer.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>

#include "fuzz.h"

/* Longer files are given whole only: the time for all prefixes grows with the square. */
#define PREFIXES_MAX_BYTES 4096

static void feed(const char *bytes, size_t length)
{
    uint8_t *copy = malloc(length != 0 ? length : 1);
    REQUIRE(copy != NULL);
    if (length != 0)
        memcpy(copy, bytes, length);
    REQUIRE(LLVMFuzzerTestOneInput(copy, length) == 0);
    free(copy);
}

static bool replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    static char bytes[1 << 20];
    size_t length = fread(bytes, 1, sizeof(bytes), file);
    bool whole = feof(file) && !ferror(file);
    fclose(file);
    for (size_t cut = 0; length <= PREFIXES_MAX_BYTES && cut < length; cut++)
        feed(bytes, cut);
    feed(bytes, length);
    return whole;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    struct dirent **entries;
    int count = scandir(argv[1], &entries, is_visible, alphasort);
    if (count <= 0) {
        printf("Bail out! no corpus in %s\n", argv[1]);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%d\n", count);
    int failures = 0;
    for (int i = 0; i < count; i++) {
        struct buffer path = {0};
        buffer_appendf(&path, "%s/%s", argv[1], entries[i]->d_name);
        printf("# %s\n", entries[i]->d_name); /* the last line before a crash names the file */
        bool fed = replay(buffer_text(&path));
        printf("%s %d - %s\n", fed ? "ok" : "not ok", i + 1, entries[i]->d_name);
        failures += !fed;
        buffer_finish(&path);
        free(entries[i]);
    }
    free(entries);
    return failures != 0;
}
