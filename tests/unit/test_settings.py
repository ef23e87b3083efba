"""Settings from the environment."""

from __future__ import annotations

import pytest

from headway.model.errors import InvalidValue
from headway.settings import Settings, from_environ, store_url

SECRET = "0123456789abcdef-secret"


def test_without_variables_the_defaults_hold() -> None:
    assert from_environ({}) == Settings(host="127.0.0.1", port=8080, store=None, secrets=(), access="capability")


def test_each_variable_is_read() -> None:
    settings = from_environ(
        {
            "HEADWAY_HOST": "0.0.0.0",
            "HEADWAY_PORT": "9000",
            "HEADWAY_STORE": "sqlite:////var/lib/headway.db",
            "HEADWAY_SECRET": SECRET,
            "HEADWAY_ACCESS": "signed",
            "OTHER": "ignored",
        }
    )

    assert settings == Settings("0.0.0.0", 9000, "sqlite:////var/lib/headway.db", (SECRET,), "signed")


def test_a_variable_that_is_set_but_empty_is_not_set() -> None:
    names = ("HEADWAY_HOST", "HEADWAY_PORT", "HEADWAY_STORE", "HEADWAY_SECRET", "HEADWAY_ACCESS")

    assert from_environ(dict.fromkeys(names, " ")) == Settings()


def test_several_secrets_are_for_rotation() -> None:
    other = "another-secret-of-some-length"

    assert from_environ({"HEADWAY_SECRET": f"{other}, {SECRET}"}).secrets == (other, SECRET)


@pytest.mark.parametrize("host", ["localhost", "::1", "0.0.0.0", "my-host.example", "web_1"])
def test_addresses_and_names_are_hosts(host: str) -> None:
    assert from_environ({"HEADWAY_HOST": host}).host == host


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEADWAY_HOST", "http://localhost"),
        ("HEADWAY_HOST", "localhost:8080"),
        ("HEADWAY_HOST", "300.1.1.1"),
        ("HEADWAY_HOST", "a b"),
        ("HEADWAY_HOST", "-x"),
        ("HEADWAY_PORT", "http"),
        ("HEADWAY_PORT", "-1"),
        ("HEADWAY_PORT", "65536"),
        ("HEADWAY_PORT", "80.5"),
        ("HEADWAY_PORT", "٨٠"),
        ("HEADWAY_STORE", "tasks.db"),
        ("HEADWAY_STORE", "sqlite://tasks.db"),
        ("HEADWAY_STORE", "sqlite:///"),
        ("HEADWAY_STORE", "postgres://db"),
        ("HEADWAY_STORE", "memory://x"),
        ("HEADWAY_SECRET", "short"),
        ("HEADWAY_SECRET", f"{SECRET},"),
        ("HEADWAY_ACCESS", "open"),
        ("HEADWAY_ACCESS", "host"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        from_environ({name: value})

    assert caught.value.field == name


def test_signed_access_without_a_secret_names_the_secret() -> None:
    with pytest.raises(InvalidValue, match="HEADWAY_SECRET") as caught:
        from_environ({"HEADWAY_ACCESS": "signed"})

    assert caught.value.field == "HEADWAY_SECRET"


def test_secrets_are_never_shown() -> None:
    assert SECRET not in repr(from_environ({"HEADWAY_SECRET": SECRET}))
    with pytest.raises(InvalidValue) as caught:
        from_environ({"HEADWAY_SECRET": "hunter2"})
    assert "hunter2" not in str(caught.value)
    with pytest.raises(InvalidValue) as caught:
        store_url("postgres://me:hunter2@db/x")
    assert "hunter2" not in str(caught.value)
