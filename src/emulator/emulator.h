/* emulator.h - the whole program. */
#ifndef EMULATOR_EMULATOR_H
#define EMULATOR_EMULATOR_H

/* Runs until SIGTERM, SIGINT, the end of stdin (--exit-on-eof) or of the parent (--parent-pid).
 * Exit code: 0 stopped as asked, 1 could not start, 2 wrong options. */
int emulator_main(int argc, char **argv);

#endif
