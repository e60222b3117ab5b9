/* hint.c - what a model can do about an error code.
 *
 * Runs in workers, when a tool error is written.  A hint names a next step with the tools this
 * server has; it never repeats Snowflake's message, which stands beside it. */
#include "sf/sf.h"

static const struct hint {
    const char *code; /* the first digits of the codes it is for */
    const char *text;
} hints[] = {
    { "000904",
        "Check the column names with describe_table. Unquoted names are folded to upper case; a "
        "name with lower-case letters or blanks needs double quotes." },
    { "001003",
        "Correct the syntax at the position named in the message; Snowflake's dialect of SQL is "
        "wanted, one statement, no semicolon inside." },
    { "002003",
        "Check the name with list_databases, list_schemas, list_tables or list_views and write it "
        "as DATABASE.SCHEMA.NAME; a name with lower-case letters needs double quotes. It may also "
        "exist without being granted to the server's role." },
    { "002043",
        "The object does not exist, is not granted to the server's role, or does not support this "
        "operation: check its name and kind with list_tables or list_views." },
    { "002139", "There is no such function: check its name and use one that Snowflake has." },
    { "002140",
        "There is no such function, or not with these argument types: check its name and cast the "
        "arguments." },
    { "002141",
        "There is no function of this name with these argument types: cast the arguments." },
    { "003001",
        "The server's role may not do this. Use objects that list_tables and list_views show; an "
        "operator can grant more." },
    { "000606",
        "No warehouse is running for this statement: an operator has to set snowflake.warehouse or "
        "grant its use. Statements that only show metadata work without one." },
    { "090105",
        "No database is chosen: write names as DATABASE.SCHEMA.NAME; list_databases shows what "
        "there is." },
    { "090106", "No schema is chosen: write names as DATABASE.SCHEMA.NAME." },
    { "000630",
        "The statement took too long: filter on clustered columns or dates, select fewer columns, "
        "or aggregate." },
    { "000604", "The statement was cancelled; running it again may succeed." },
    { "10003", /* 100035, 100037, 100038 */
        "A value does not fit the type it is cast to: look at the values first, or use TRY_CAST." },
    { "100051", "A division by zero: use DIV0() or NULLIF() on the divisor." },
    { "391908", "The result is too large: select fewer columns or rows, or aggregate." },
    { "000008", "Send one statement at a time." },
    { "000709", "The result is no longer kept: run the statement again." },
    { "390144",
        "Snowflake refused the server's key: an operator has to compare its SHA256 fingerprint "
        "with DESC USER, and check the account and user name." },
    { "394300", "The user name in the login is wrong: an operator has to check snowflake.user." },
    { "394302",
        "Snowflake says the login was issued at the wrong time: an operator has to check the "
        "server's clock." },
    { "394303", "The login had expired: an operator has to check the server's clock." },
    { "394304", "The key's fingerprint belongs to no key of the user: an operator has to set "
                "RSA_PUBLIC_KEY "
                "of the user, or give the server the right key." },
    { "394307",
        "The account name in the login is wrong: an operator has to check snowflake.account." },
    { "39430", "Snowflake refused the server's key: an operator has to check the key pair." },
    { "39030", "Snowflake refused the access token: an operator has to renew the token file." },
    { "390318", "The access token has expired: an operator has to renew the token file." },
    { "394400",
        "Snowflake refused the programmatic access token: an operator has to renew it, or give its "
        "user a network policy." },
    { "390189",
        "The role is not granted to the server's user: an operator has to check snowflake.role." },
    { "390201",
        "The warehouse, database, schema or role of the settings does not exist or is not granted: "
        "an operator has to check them." },
    { "390505", "Snowflake is throttling requests: try again in a while." },
};

const char *
sf_hint(struct str code, struct str message)
{
    /* Some servers leave the code out and tell all in the text. */
    if (code.n == 0)
        return memmem(message.p ? message.p : "", message.n, "specify the database", 20)
                   ? sf_hint(STR("090105"), STR_NONE)
                   : NULL;
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (str_starts(code, hints[i].code))
            return hints[i].text;
    return NULL;
}
