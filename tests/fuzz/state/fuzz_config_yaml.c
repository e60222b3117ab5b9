/* Any bytes as the YAML file: refused with problems of one line each, or a whole configuration that
 * can be printed. */
#include "state/config_table.h"

#include "must.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const variables[] = { "SNOWFLAKE_HOST=h", "SNOWFLAKE_PASSWORD=secret",
        "EMPTY=", NULL };
    struct buf problems, printed;

    buf_init(&problems, 1 << 22);
    buf_init(&printed, 1 << 22);
    struct config *c = config_load_texts(
        (const char *)data, size, NULL, 0, (char *const *)(uintptr_t)variables, &problems);
    const char *text = buf_text(&problems);
    for (const char *p = text; *p && !problems.failed; p = strchr(p, '\n') + 1)
        must(strncmp(p, "error: ", 7) == 0 || strncmp(p, "warning: ", 9) == 0);
    must((c == NULL) == (strncmp(text, "error: ", 7) == 0 || strstr(text, "\nerror: ") != NULL));
    if (c) {
        config_print(c, &printed);
        must(!printed.failed);
    }
    config_free(c);
    buf_fini(&problems);
    buf_fini(&printed);
    return 0;
}
