/* probes.h - _site_*(n, ...): while they are bound, they write down what their arguments are. */
#ifndef EMULATOR_PROBES_H
#define EMULATOR_PROBES_H

#include "emulator/translate.h"
#include "err.h"

int probes_register(duckdb_connection con, struct err *e);

/* Probes bound by this thread write here; NULL: nowhere. */
void probes_note_into(struct sites *sites);

#endif
