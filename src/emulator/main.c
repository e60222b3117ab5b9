/* main.c - snowflake-emulator: a local stand-in for Snowflake.  Everything is in emulator.c. */
#include "emulator/emulator.h"

int
main(int argc, char **argv)
{
    return emulator_main(argc, argv);
}
