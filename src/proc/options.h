/* options.h - the command line of snowflake-mcp. */
#ifndef PROC_OPTIONS_H
#define PROC_OPTIONS_H

#include "err.h"

enum options_job {
    JOB_SERVE,
    JOB_DEMO,
    JOB_CHECK_CONFIG,
    JOB_PRINT_CONFIG,
    JOB_DUMP_DOCS,
    JOB_VERSION,
    JOB_HELP
};

enum options_document { DOCUMENT_YAML, DOCUMENT_ENV, DOCUMENT_MAN };

struct options {
    enum options_job job;
    const char *config_file;        /* NULL: the default one; lent from argv */
    enum options_document document; /* of JOB_DUMP_DOCS */
};

/* 0, or -1 with a sentence that names the option meant. */
int options_parse(struct options *o, int argc, char *const *argv, struct err *e);
extern const char options_help[];

#endif
