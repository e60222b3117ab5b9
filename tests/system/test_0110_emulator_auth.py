"""Who may talk to the emulator: snowflake-api.md §2 and §10."""

import time

import pytest

from emulator import Emulator
from sqlapi import KeyPair, SqlApi, b64url


@pytest.fixture(scope="module")
def key():
    return KeyPair()


@pytest.fixture(scope="module")
def second_key():
    return KeyPair()


@pytest.fixture(scope="module")
def guarded(key, second_key):
    with Emulator(args=["--account", "my_org-acc_1", "--user", "x@y.z",
                        "--public-key", key.public, "--public-key", second_key.public,
                        "--user", "other", "--oauth-token", "an-oauth-token"]) as e:
        yield e


def sign(key, **kwargs):
    return key.jwt(account="MY_ORG-ACC_1", user="X@Y.Z", **kwargs)


def ask(e, token, token_type="KEYPAIR_JWT"):
    return SqlApi(e.port, token, token_type).submit("select current_user()")


def test_a_good_jwt_is_accepted_for_either_key(guarded, key, second_key):
    for k in (key, second_key):
        assert ask(guarded, sign(k)).rows == [["X@Y.Z"]]


def test_milliseconds_are_read_as_milliseconds(guarded, key):
    assert ask(guarded, sign(key, unit=1000)).status == 200


def test_the_token_type_may_be_absent(guarded, key):
    assert ask(guarded, sign(key), None).status == 200
    assert ask(guarded, guarded.pat, None).status == 200


def now(offset):
    return int(time.time()) + offset


@pytest.mark.parametrize("claims, codes", [
    ({"iss": "MY_ORG-ACC_1.X@Y.Z"}, {"394300", "390144"}),
    ({"iss": "MY_ORG-ACC_1.NOBODY.SHA256:x"}, {"394300", "390144"}),
    ({"sub": "MY_ORG-ACC_1.OTHER"}, {"390144"}),
    ({"sub": None}, {"390144"}),
    ({"iat": None}, {"394301", "390144"}),
    ({"exp": None}, {"394301", "390144"}),
    ({"iat": now(3600)}, {"394302", "390144"}),
    ({"iat": now(-100), "exp": now(-10)}, {"394303", "390144"}),
    ({"iat": now(-4000), "exp": now(4000)}, {"394303", "390144"}),  # cut to an hour
])
def test_wrong_claims_are_refused(guarded, key, claims, codes):
    answer = ask(guarded, sign(key, **claims))
    assert answer.status == 401
    assert answer["code"] in codes
    assert "JWT token is invalid" in answer["message"]
    assert answer["message"].endswith("]")


def test_a_minute_of_clock_difference_is_tolerated(guarded, key):
    assert ask(guarded, sign(key, iat=now(45))).status == 200


def test_another_account_is_refused(guarded, key):
    answer = ask(guarded, key.jwt(account="ELSEWHERE", user="X@Y.Z"))
    assert (answer.status, answer["code"]) == (401, "394307")


def test_a_key_of_nobody_is_refused(guarded, key):
    stranger = KeyPair()
    assert ask(guarded, sign(stranger)).error[:2] == (401, "394304")
    # a stranger's signature under a known fingerprint
    stranger.fingerprint = key.fingerprint
    assert ask(guarded, sign(stranger)).error[:2] == (401, "394306")


def test_a_changed_claim_breaks_the_signature(guarded, key):
    head, body, signature = sign(key).split(".")
    other = sign(key, exp=now(1800)).split(".")[1]
    assert body != other
    assert ask(guarded, f"{head}.{other}.{signature}")["code"] == "394306"


@pytest.mark.parametrize("alg", ["none", "HS256", "RS512", "rs256"])
def test_only_rs256_is_an_algorithm(guarded, key, alg):
    token = sign(key, header={"alg": alg, "typ": "JWT"})
    assert ask(guarded, token).error[:2] == (401, "394305")
    head, body, _ = token.split(".")
    assert ask(guarded, f"{head}.{body}.").status == 401


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "....", "eyJ.eyJ.eyJ",
                                   b64url(b"[]") + "." + b64url(b"[]") + ".AA"])
def test_what_is_no_jwt_is_refused(guarded, token):
    assert ask(guarded, token).status == 401


def test_tokens_of_the_other_kinds(guarded):
    assert ask(guarded, guarded.pat, "PROGRAMMATIC_ACCESS_TOKEN").status == 200
    assert ask(guarded, "an-oauth-token", "OAUTH").status == 200
    assert ask(guarded, "nope", "OAUTH").error[:2] == (401, "390303")
    assert ask(guarded, "nope", "PROGRAMMATIC_ACCESS_TOKEN").error[:2] == (401, "394400")
    assert ask(guarded, "an-oauth-token", "PROGRAMMATIC_ACCESS_TOKEN").status == 401
    assert ask(guarded, guarded.pat, "KEYPAIR_JWT").status == 401
    assert ask(guarded, guarded.pat, "SOMETHING").status == 401


def test_without_a_credential(guarded):
    answer = SqlApi(guarded.port, None, None).submit("select 1")
    assert answer.error[:2] == (401, "390101")


def test_one_users_statement_is_unknown_to_another(guarded, key):
    handle = ask(guarded, sign(key))["statementHandle"]
    with Emulator(args=["--user", "a", "--public-key", key.public, "--user", "b",
                        "--public-key", key.public]) as e:
        a = SqlApi(e.port, key.jwt(user="A"), "KEYPAIR_JWT")
        b = SqlApi(e.port, key.jwt(user="B"), "KEYPAIR_JWT")
        handle = a.sql("select 1")["statementHandle"]
        assert a.get(handle).status == 200
        assert b.get(handle)["code"] == "000709"
        assert b.cancel(handle)["code"] == "000709"
