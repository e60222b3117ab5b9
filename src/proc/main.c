/* main.c - five lines, so that the tests link the same objects as the program. */
#include "proc/server.h"

int
main(int argc, char **argv)
{
    return server_main(argc, argv);
}
