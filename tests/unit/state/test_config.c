/* Settings: sources and their order, forms of values, problems, checks, print. */
#include "state/config_table.h"

#include <config.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct buf problems, printed;
static struct config *c;
static char dir[64];

/* A server that needs nothing else. */
#define HOST "SNOWFLAKE_HOST=h.example", "SNOWFLAKE_PASSWORD=pat"
#define ENV(...)                                                                                   \
    (const char *[])                                                                               \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define NO_ENV ENV(HOST)

static int
setup(void **state)
{
    buf_init(&problems, 1 << 16);
    buf_init(&printed, 1 << 16);
    strcpy(dir, "/tmp/test_config.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static void
remove_file(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
}

static int
teardown(void **state)
{
    config_free(c);
    c = NULL;
    buf_fini(&problems);
    buf_fini(&printed);
    remove_file("config.yaml");
    remove_file(".env");
    remove_file("key.pem");
    return rmdir(dir);
}

static const char *
put_file(const char *name, const char *text, mode_t mode)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(path, mode);
    return path;
}

/* The loader changes nothing in them, whatever the type of environ says. */
static char *const *
variables(const char **environ_)
{
    return (char *const *)(uintptr_t)environ_;
}

static bool
load(const char *yaml, const char *env, const char **environ_)
{
    config_free(c);
    buf_clear(&problems);
    c = config_load_texts(
        yaml, yaml ? strlen(yaml) : 0, env, env ? strlen(env) : 0, variables(environ_), &problems);
    return c != NULL;
}

static void
must_load(const char *yaml, const char *env, const char **environ_)
{
    if (!load(yaml, env, environ_))
        fail_msg("refused:\n%s", buf_text(&problems));
}

static bool
told(const char *what)
{
    return strstr(buf_text(&problems), what) != NULL;
}

static void
must_tell(const char *what)
{
    if (!told(what))
        fail_msg("not told: %s\nbut:\n%s", what, buf_text(&problems));
}

static unsigned
lines(const char *prefix)
{
    unsigned n = 0;

    for (const char *p = buf_text(&problems); *p; p = strchr(p, '\n') + 1)
        n += strncmp(p, prefix, strlen(prefix)) == 0;
    return n;
}

static void
defaults_hold_without_any_file(void **state)
{
    must_load(NULL, NULL, NO_ENV);
    assert_int_equal(problems.len, 0);
    assert_int_equal(c->server_port, 8000);
    assert_string_equal(c->server_host[0], "127.0.0.1");
    assert_string_equal(c->server_host[1], "::1");
    assert_null(c->server_host[2]);
    assert_null(c->server_allowed_hosts[0]);
    assert_int_equal(c->pool_max, 10);
    assert_int_equal(c->log_level, 2);
    assert_string_equal(c->sf_timezone, "UTC");
    assert_true(c->metrics_enabled);
    assert_null(c->sf_role);
    assert_null(c->sf_private_key);
}

static void
the_stronger_source_wins(void **state)
{
    const char *yaml = "pool:\n  max: 3\n  min: 1\nlog:\n  level: error\n";
    const char *env = "CONNECTION_POOL_MAX_SIZE=4\nCONNECTION_POOL_MIN_SIZE=2\n";

    must_load(yaml, env, ENV(HOST, "CONNECTION_POOL_MAX_SIZE=5"));
    assert_int_equal(c->pool_max, 5);
    assert_int_equal(c->pool_min, 2);
    assert_int_equal(c->log_level, 0);
    config_print(c, &printed);
    assert_non_null(strstr(buf_text(&printed), "# environment CONNECTION_POOL_MAX_SIZE\n"));
    assert_non_null(strstr(buf_text(&printed), "# .env:2 CONNECTION_POOL_MIN_SIZE\n"));
    assert_non_null(strstr(buf_text(&printed), "# config.yaml:5\n"));
    assert_non_null(strstr(buf_text(&printed), "server.port: 8000"));
}

static void
an_empty_value_counts_as_not_set(void **state)
{
    must_load("snowflake:\n  role: R\n  user: ''\n", "SNOWFLAKE_ROLE=\n",
        ENV(HOST, "SNOWFLAKE_ROLE=", "CONNECTION_POOL_MAX_SIZE=  # later"));
    assert_string_equal(c->sf_role, "R");
    assert_null(c->sf_user);
    assert_int_equal(c->pool_max, 10);
}

static void
trailing_comments_are_taken_off(void **state)
{
    must_load(NULL,
        "CONNECTION_POOL_MAX_SIZE=20  # Increase from 10\n"
        "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE='a # b'  # real comment\n"
        "SNOWFLAKE_ROLE=A#B\n",
        ENV("SNOWFLAKE_HOST=h.example", "SNOWFLAKE_PASSWORD=to # ken",
            "CONNECTION_POOL_MIN_SIZE=7\t# why"));
    assert_int_equal(c->pool_max, 20);
    assert_int_equal(c->pool_min, 7);
    assert_string_equal(c->sf_role, "A#B");
    assert_true(str_is(secret_str(c->sf_password), "to # ken"));
    assert_true(str_is(secret_str(c->sf_private_key_passphrase), "a # b"));
}

static void
dotenv_has_quotes_exports_and_long_values(void **state)
{
    must_load(NULL,
        "\xef\xbb\xbf# comment\r\n"
        "export SNOWFLAKE_HOST=\"h.example\"\r\n"
        "  SNOWFLAKE_USER = ' u '  \n"
        "\n"
        "SNOWFLAKE_PRIVATE_KEY=\"-----BEGIN\nMII+/=\n-----END\\n\"\n"
        "SNOWFLAKE_ACCOUNT=demo\n"
        "SNOWFLAKE_SCHEMA= # nothing\n"
        "SNOWFLAKE_DATABASE=\"a \\\"b\\\" \\$c \\\\ \\x\"",
        ENV("HOME=/root"));
    assert_string_equal(c->sf_host, "h.example");
    assert_string_equal(c->sf_user, " u ");
    assert_true(str_is(secret_str(c->sf_private_key), "-----BEGIN\nMII+/=\n-----END\n"));
    assert_string_equal(c->sf_account, "demo");
    assert_null(c->sf_schema);
    assert_string_equal(c->sf_database, "a \"b\" $c \\ \\x");
    /* The line numbers go on behind a value of several lines. */
    config_print(c, &printed);
    assert_non_null(strstr(buf_text(&printed), "# .env:8 SNOWFLAKE_ACCOUNT\n"));
}

static void
dotenv_problems_name_their_lines(void **state)
{
    assert_false(load(NULL, "A line without a sign\nSNOWFLAKE_ROLE='open\nand on\n", NO_ENV));
    must_tell("error: .env:1: is not of the form NAME=value");
    must_tell("error: .env:2: SNOWFLAKE_ROLE: the quote is not closed; add a '");
    must_load(NULL, "LOG_LEVEL=debug\nLOG_LEVEL=error\n", NO_ENV);
    must_tell("warning: .env:2: LOG_LEVEL: replaces the value of line 1");
    assert_int_equal(c->log_level, 0);
    assert_false(load(NULL, "SNOWFLAKE_ROLE='a' b\n", NO_ENV));
    must_tell("error: .env:1: SNOWFLAKE_ROLE: there is text behind the closing quote");
}

static void
numbers_take_units_and_keep_ranges(void **state)
{
    must_load("query:\n  timeout: 5m\n  max_bytes: 2M\npool:\n  wait_max: 1500\n"
              "server:\n  session_timeout: 1h\nsnowflake:\n  connect_timeout: 30 s\n",
        NULL, NO_ENV);
    assert_int_equal(c->query_timeout_s, 300);
    assert_int_equal(c->query_max_bytes, 2 << 20);
    assert_int_equal(c->pool_wait_ms, 1500);
    assert_int_equal(c->session_timeout_min, 60);
    assert_int_equal(c->sf_connect_ms, 30000);
    static const char *const wrong[] = { "pool: {max: 0}", "pool: {max: 4097}", "pool: {max: ten}",
        "pool: {max: -1}", "pool: {max: 1k}", "pool: {max: 1.5}", "query: {timeout: 1500ms}",
        "query: {timeout: 1 fortnight}", "pool: {max: 99999999999999999999999}",
        "query: {timeout: 99999999999999d}", "pool: {max: ' '}", "query: {max_bytes: 17G}" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (load(wrong[i], NULL, NO_ENV))
            fail_msg("accepted: %s", wrong[i]);
    assert_false(load("pool:\n  max: 5000\n", NULL, NO_ENV));
    must_tell("error: config.yaml:2: pool.max: \"5000\" is out of range; give 1 to 4096\n");
}

static void
old_names_mean_what_they_meant(void **state)
{
    must_load(NULL,
        "SNOWFLAKE_CONN_TIMEOUT=30\nSNOWFLAKE_HEALTH_CHECK_INTERVAL=5\nMCP_MAX_REQUEST_SIZE=10\n"
        "SNOWFLAKE_POOL_MIN_SIZE=3\nSNOWFLAKE_POOL_MAX_SIZE=8\nMCP_REQUEST_TIMEOUT=120\n"
        "MCP_HTTP_HOST=127.0.0.1\nMCP_HTTP_PORT=9000\nMAX_QUERY_LIMIT=500\nLOG_LEVEL=INFO\n"
        "MCP_CORS_ORIGINS=http://a, http://b,\nSNOWFLAKE_AUTH_TYPE=private_key\n"
        "SNOWFLAKE_PRIVATE_KEY=x\nSNOWFLAKE_ACCOUNT=a\nSNOWFLAKE_USER=u\n",
        NO_ENV);
    assert_int_equal(c->sf_connect_ms, 30000);
    assert_int_equal(c->health_probe_ms, 300000);
    assert_int_equal(c->http_max_body, 10 << 20);
    assert_int_equal(c->pool_min, 3);
    assert_int_equal(c->pool_max, 8);
    assert_int_equal(c->query_timeout_s, 120);
    assert_int_equal(c->server_port, 9000);
    assert_int_equal(c->query_limit_max, 500);
    assert_int_equal(c->log_level, 2);
    assert_string_equal(c->server_allowed_origins[1], "http://b");
    assert_null(c->server_allowed_origins[2]);
    assert_int_equal(c->sf_authenticator, SF_AUTH_KEY_PAIR);
    must_load("snowflake: {connect_timeout: 500}", "MCP_MAX_REQUEST_SIZE=65536\n",
        ENV(HOST, "SNOWFLAKE_HEALTH_CHECK_INTERVAL=200ms"));
    assert_int_equal(c->sf_connect_ms, 500); /* YAML's plain numbers are the setting's own */
    assert_int_equal(c->http_max_body, 65536);
    assert_int_equal(c->health_probe_ms, 200);
}

static void
a_settings_own_name_beats_its_alias(void **state)
{
    must_load(NULL, "SNOWFLAKE_POOL_MAX_SIZE=8\nCONNECTION_POOL_MAX_SIZE=9\n", NO_ENV);
    assert_int_equal(c->pool_max, 9);
    must_tell("warning: .env:1: SNOWFLAKE_POOL_MAX_SIZE: ignored, since CONNECTION_POOL_MAX_SIZE");
    must_load(NULL, "CONNECTION_POOL_MAX_SIZE=9\nSNOWFLAKE_POOL_MAX_SIZE=8\n", NO_ENV);
    assert_int_equal(c->pool_max, 9);
    must_tell("warning: .env:2: SNOWFLAKE_POOL_MAX_SIZE: ignored, since CONNECTION_POOL_MAX_SIZE");
}

static void
unknown_names_get_a_suggestion(void **state)
{
    assert_false(load("pool:\n  mx: 3\n  colour: blue\nserver:\n  level: debug\npol:\n  max: 3\n"
                      "max: 3\n",
        "CONECTION_POOL_MAX_SIZE=3\nPAINT=1\nAPI_KEYS=a,b\nENABLE_API_AUTH=false\n",
        ENV(HOST, "SNOWFLAKE_ACOUNT=a", "SNOWFLAKE_MCP_FAULT=x", "RATE_LIMIT_PER_MINUTE=60",
            "PAINT=1")));
    must_tell("error: config.yaml:2: pool.mx: no such setting; did you mean pool.max?");
    must_tell("error: config.yaml:3: pool.colour: no such setting; snowflake-mcp.yaml(5) lists");
    must_tell("error: config.yaml:5: server.level: no such setting; did you mean log.level?");
    must_tell("error: config.yaml:6: pol: no such setting; did you mean pool?");
    must_tell("warning: .env:1: CONECTION_POOL_MAX_SIZE: no such setting; did you mean "
              "CONNECTION_POOL_MAX_SIZE?");
    must_tell("warning: .env:2: PAINT: no such setting");
    must_tell("warning: .env:3: API_KEYS: not supported in this version");
    assert_false(told("ENABLE_API_AUTH"));
    must_tell("warning: environment: SNOWFLAKE_ACOUNT: no such setting; did you mean "
              "SNOWFLAKE_ACCOUNT?");
    must_tell("warning: environment: RATE_LIMIT_PER_MINUTE: not supported in this version");
    assert_false(told("MCP_FAULT"));
    assert_false(told("environment: PAINT"));
    assert_int_equal(lines("error: "), 5);
}

static void
all_problems_are_listed(void **state)
{
    assert_false(load("server:\n  port: 99999\n  workers: many\nlog:\n  level: loud\n"
                      "pool: 3\nquery:\n  log_sql: maybe\n",
        "METRICS_PORT=x\n", ENV("HOME=/")));
    must_tell("config.yaml:2: server.port: \"99999\" is out of range; give 0 to 65535");
    must_tell("config.yaml:3: server.workers: \"many\" is not a number");
    must_tell("config.yaml:5: log.level: \"loud\" is not one of error|warning|info|debug");
    must_tell("config.yaml:6: pool: is a section");
    must_tell("config.yaml:8: query.log_sql: \"maybe\" is neither true nor false");
    must_tell("error: .env:1: METRICS_PORT: \"x\" is not a number");
    must_tell("error: snowflake.account: is not set and needed; set SNOWFLAKE_ACCOUNT in .env");
    must_tell("error: snowflake.schema: is not set");
    must_tell("error: snowflake: no credential is set");
    assert_int_equal(lines("error: "), 12);
    for (const char *p = buf_text(&problems); *p; p = strchr(p, '\n') + 1)
        assert_true(strncmp(p, "error: ", 7) == 0 || strncmp(p, "warning: ", 9) == 0);
}

static void
yaml_faults_are_told_with_their_line(void **state)
{
    static const struct {
        const char *yaml, *tells;
    } faults[] = {
        { "pool:\n\tmax: 3\n", "error: config.yaml:2: not valid YAML" },
        { "pool:\n  max: 3\n  max: 4\n",
            "config.yaml:3: pool.max: given a second time (first in line 2)" },
        { "pool:\n  max: 3\nlog:\n  level: info\npool:\n  min: 1\n",
            "config.yaml:5: pool: given a second time (first in line 1)" },
        { "pool: {max: [1, 2]}\n", "config.yaml:1: pool.max: a list is not expected here" },
        { "pool: {max: {a: 1}}\n", "pool.max: is a setting and no section" },
        { "- a\n- b\n", "config.yaml:1: settings are expected" },
        { "just text", "config.yaml:1: settings are expected" },
        { "pool: &p {max: 3}\nlog: *p\n", "YAML references (*) are not read here" },
        { "pool: {max: 3}\n---\npool: {max: 4}\n", "a second document begins here" },
        { "? [a, b]\n: 3\n", "a name of a setting is expected" },
        { "server: {host: [[a], b]}\n", "server.host: a list of plain values is expected" },
        { "snowflake: {role: \"a\\0b\"}\n", "the value holds control characters" },
        { "\"a\\nerror: x\": 3\n", "a name of a setting is expected" },
        { "snowflake: {role: \"${NOWHERE}\"}\n", "the variable \"NOWHERE\" is not set" },
        { "snowflake: {role: \"${\"}\n", "a ${ reference without a name" },
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        assert_false(load(faults[i].yaml, NULL, NO_ENV));
        must_tell(faults[i].tells);
    }
    must_load("", NULL, NO_ENV);
    must_load("# nothing\nserver:\nlog: ~\npool: {}\n", NULL, NO_ENV);
    assert_int_equal(problems.len, 0);
}

static void
lists_come_as_text_or_as_sequences(void **state)
{
    must_load("server:\n  allowed_hosts:\n    - a.example\n    - \"b,c\"\n"
              "  allowed_origins: x, y\nguard:\n  functions: []\n",
        NULL, NO_ENV);
    assert_string_equal(c->server_allowed_hosts[0], "a.example");
    assert_string_equal(c->server_allowed_hosts[1], "b,c");
    assert_null(c->server_allowed_hosts[2]);
    assert_string_equal(c->server_allowed_origins[1], "y");
    assert_null(c->guard_functions[0]);
}

static void
secrets_stand_in_no_yaml_and_in_no_print(void **state)
{
    assert_false(load("snowflake:\n  token: hunter2\n", NULL, ENV("SNOWFLAKE_HOST=h")));
    must_tell("error: config.yaml:2: snowflake.token: a secret must not stand in this file; write "
              "${SNOWFLAKE_PASSWORD}");
    assert_false(told("hunter2"));
    must_load("snowflake:\n  token: ${OTHER}\n  role: r_${OTHER}$${x}\n", "OTHER=hunter2\n",
        ENV("SNOWFLAKE_HOST=h"));
    assert_true(str_is(secret_str(c->sf_password), "hunter2"));
    assert_string_equal(c->sf_role, "r_hunter2${x}");
    config_print(c, &printed);
    assert_non_null(strstr(buf_text(&printed), "snowflake.token: ***"));
    must_load("snowflake: {token: '${A}'}", "A=from file\n", ENV("SNOWFLAKE_HOST=h", "A=from env"));
    assert_true(str_is(secret_str(c->sf_password), "from env"));
}

static void
credentials_are_there_and_clear(void **state)
{
    assert_false(load(NULL, NULL, ENV("SNOWFLAKE_HOST=h")));
    must_tell("no credential is set");
    assert_false(
        load(NULL, "SNOWFLAKE_PRIVATE_KEY=x\nSNOWFLAKE_ACCOUNT=a\nSNOWFLAKE_USER=u\n", NO_ENV));
    must_tell("more than one credential is set (private key, token)");
    must_load(NULL,
        "SNOWFLAKE_PRIVATE_KEY=x\nSNOWFLAKE_ACCOUNT=a\nSNOWFLAKE_USER=u\n"
        "SNOWFLAKE_AUTHENTICATOR=token\n",
        NO_ENV);
    assert_false(load(NULL, "SNOWFLAKE_PRIVATE_KEY=x\n", ENV("SNOWFLAKE_HOST=h")));
    must_tell("snowflake.user: is not set and needed for a key pair");
    assert_false(load(NULL, "SNOWFLAKE_AUTHENTICATOR=oauth\n", NO_ENV));
    must_tell(".env:1: SNOWFLAKE_AUTHENTICATOR: oauth needs a token file");
    assert_false(load(NULL, "SNOWFLAKE_AUTHENTICATOR=externalbrowser\n", NO_ENV));
    must_tell("is not one of auto|key_pair|token|oauth");
    assert_false(load(NULL, "SNOWFLAKE_CA_FILE=/nowhere/ca.pem\n", NO_ENV));
    must_tell(".env:1: SNOWFLAKE_CA_FILE: \"/nowhere/ca.pem\" cannot be read: No such file");
    must_load(NULL, "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE=x\n", NO_ENV);
    must_tell("warning: .env:1: SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: there is no private key");
}

static void
nothing_goes_out_in_the_clear_or_beyond_loopback(void **state)
{
    assert_false(load(NULL, NULL, ENV(HOST, "SNOWFLAKE_PROTOCOL=http")));
    must_tell("http would send the credential in the clear");
    static const char *const loopback[] = { "SNOWFLAKE_HOST=localhost", "SNOWFLAKE_HOST=127.0.0.9",
        "SNOWFLAKE_HOST=::1" };
    for (size_t i = 0; i < 3; i++)
        must_load(NULL, loopback[i], ENV("SNOWFLAKE_PASSWORD=x", "SNOWFLAKE_PROTOCOL=http"));
    assert_false(load(NULL, NULL, ENV(HOST, "MCP_SERVER_HOST=0.0.0.0")));
    must_tell("error: environment: MCP_SERVER_HOST: \"0.0.0.0\" is not loopback");
    assert_false(load(NULL, NULL, ENV(HOST, "MCP_SERVER_HOST=127.0.0.1,::")));
    must_load(NULL, NULL, ENV(HOST, "MCP_SERVER_HOST=0.0.0.0", "MCP_SERVER_ALLOW_REMOTE=true"));
    must_tell("warning: environment: MCP_SERVER_ALLOW_REMOTE: whoever reaches \"0.0.0.0\"");
    must_load(NULL, NULL, ENV(HOST, "METRICS_HOST=0.0.0.0"));
    assert_false(load(NULL, NULL, ENV(HOST, "METRICS_PORT=8000")));
    must_tell("is the port of the MCP endpoint, too");
}

static void
limits_fit_each_other(void **state)
{
    must_load(NULL, "MAX_QUERY_RESULT_ROWS=50\nCONNECTION_POOL_MAX_SIZE=1\n", NO_ENV);
    assert_int_equal(c->query_limit_default, 50); /* a default gives way */
    assert_int_equal(c->query_view_limit_default, 10);
    assert_int_equal(c->pool_min, 1);
    config_print(c, &printed);
    assert_non_null(strstr(buf_text(&printed), "# default, lowered to fit\n"));
    assert_false(load(NULL, "MAX_QUERY_RESULT_ROWS=50\nDEFAULT_VIEW_QUERY_LIMIT=60\n", NO_ENV));
    must_tell("error: .env:2: DEFAULT_VIEW_QUERY_LIMIT: is more than query.max_limit");
    assert_false(load(NULL, "CONNECTION_POOL_MAX_SIZE=3\nCONNECTION_POOL_MIN_SIZE=4\n", NO_ENV));
    /* A value that cannot be read is told once, and not again as the default it left behind. */
    assert_false(load(NULL, "CONNECTION_POOL_MAX_SIZE=x\nCONNECTION_POOL_MIN_SIZE=40\n", NO_ENV));
    assert_int_equal(lines("error: "), 1);
}

static void
accounts_and_hosts_have_a_form(void **state)
{
    assert_false(load(NULL, "SNOWFLAKE_ACCOUNT=https://x.snowflakecomputing.com\n", NO_ENV));
    must_tell("is not an account identifier");
    must_load(NULL, "SNOWFLAKE_ACCOUNT=my_org-acc.snowflakecomputing.com\n", NO_ENV);
    assert_false(load(NULL, "SNOWFLAKE_PROXY=proxy:3128\n", NO_ENV));
    assert_false(load(NULL, "SNOWFLAKE_HOST=https://h\n", ENV("SNOWFLAKE_PASSWORD=x")));
}

/* Files
 * -------------------------------------------------------------------------------------------- */

static bool
load_files(const char **environ_, const char *const *overrides)
{
    char yaml[128];

    snprintf(yaml, sizeof yaml, "%s/config.yaml", dir);
    struct config_source s = {
        .yaml_file = yaml, .environ_ = variables(environ_), .files = true, .overrides = overrides
    };
    config_free(c);
    buf_clear(&problems);
    c = config_load(&s, &problems);
    return c != NULL;
}

static void
files_are_read_and_paths_start_beside_them(void **state)
{
    put_file("key.pem", "x", 0600);
    put_file(".env", "SNOWFLAKE_PASSWORD=x\nLOG_LEVEL=debug\n", 0600);
    put_file("config.yaml", "server:\n  session_key_file: key.pem\nlog: {level: error}\n", 0644);
    if (!load_files(ENV("SNOWFLAKE_HOST=h"), NULL))
        fail_msg("%s", buf_text(&problems));
    char key[128];
    snprintf(key, sizeof key, "%s/key.pem", dir);
    assert_string_equal(c->server_key_file, key);
    assert_int_equal(c->log_level, 3);
    assert_int_equal(problems.len, 0);
}

static void
a_named_file_must_exist_and_a_default_one_need_not(void **state)
{
    assert_false(load_files(NO_ENV, NULL));
    must_tell("config.yaml: cannot be read: No such file");
    struct config_source s = { .environ_ = variables(NO_ENV), .files = true };
    if (access(INSTALL_PREFIX "/config.yaml", F_OK) != 0) {
        buf_clear(&problems);
        c = config_load(&s, &problems);
        assert_non_null(c);
    }
    put_file("config.yaml", "", 0644);
    assert_true(load_files(NO_ENV, NULL)); /* no .env: fine */
}

static void
a_secret_that_others_can_read_is_refused(void **state)
{
    put_file("config.yaml", "", 0644);
    put_file(".env", "LOG_LEVEL=info\nSNOWFLAKE_PASSWORD=x\n", 0640);
    assert_false(load_files(ENV("SNOWFLAKE_HOST=h"), NULL));
    must_tell(".env:2: SNOWFLAKE_PASSWORD: others can read this secret (mode 640); run chmod 600");
    assert_true(
        load_files(ENV("SNOWFLAKE_HOST=h", "ENV_FILE_MODE=warn"), NULL) || told("more than"));
    must_tell("warning: ");
    put_file("config.yaml", "files: {env_mode: warn}\n", 0644);
    assert_true(load_files(ENV("SNOWFLAKE_HOST=h"), NULL));
    put_file("config.yaml", "", 0644);
    put_file(".env", "LOG_LEVEL=info\n", 0644);
    assert_true(load_files(NO_ENV, NULL));
}

static void
overrides_stand_between_files_and_environment(void **state)
{
    static const char *const overrides[] = { "pool.max=7", "log.level=debug", NULL };

    put_file("config.yaml", "pool: {max: 3}\nlog: {level: error}\n", 0644);
    assert_true(load_files(ENV(HOST, "LOG_LEVEL=warning"), overrides));
    assert_int_equal(c->pool_max, 7);
    assert_int_equal(c->log_level, 1);
    static const char *const wrong[] = { "pool.mx=7", "nonsense", NULL };
    assert_false(load_files(NO_ENV, wrong));
    must_tell("error: command line: pool.mx: no such setting; did you mean pool.max?");
    must_tell("error: command line: nonsense: is not of the form");
}

static void
no_file_is_read_when_none_is_wanted(void **state)
{
    char yaml[128];
    snprintf(yaml, sizeof yaml, "%s/config.yaml", dir);
    put_file("config.yaml", "nonsense", 0644);
    struct config_source s = { .yaml_file = yaml, .environ_ = variables(NO_ENV) };
    c = config_load(&s, &problems);
    assert_non_null(c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(defaults_hold_without_any_file),
        T(the_stronger_source_wins),
        T(an_empty_value_counts_as_not_set),
        T(trailing_comments_are_taken_off),
        T(dotenv_has_quotes_exports_and_long_values),
        T(dotenv_problems_name_their_lines),
        T(numbers_take_units_and_keep_ranges),
        T(old_names_mean_what_they_meant),
        T(a_settings_own_name_beats_its_alias),
        T(unknown_names_get_a_suggestion),
        T(all_problems_are_listed),
        T(yaml_faults_are_told_with_their_line),
        T(lists_come_as_text_or_as_sequences),
        T(secrets_stand_in_no_yaml_and_in_no_print),
        T(credentials_are_there_and_clear),
        T(nothing_goes_out_in_the_clear_or_beyond_loopback),
        T(limits_fit_each_other),
        T(accounts_and_hosts_have_a_form),
        T(files_are_read_and_paths_start_beside_them),
        T(a_named_file_must_exist_and_a_default_one_need_not),
        T(a_secret_that_others_can_read_is_refused),
        T(overrides_stand_between_files_and_environment),
        T(no_file_is_read_when_none_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
