"""Settings: file, variables, arguments; and one clear error."""

from pathlib import Path

import pytest

from commonsnode import config
from commonsnode.config import SETTINGS, Config, load, template
from commonsnode.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_without_a_file_everything_is_at_its_default(tmp_path: Path) -> None:
    assert load(tmp_path / "config.toml") == Config()


def test_a_new_file_explains_every_setting_and_changes_none(tmp_path: Path) -> None:
    path = write(tmp_path, template())
    assert load(path) == Config()
    for key in SETTINGS:
        assert f"#{key} = " in template()


def test_the_defaults_in_the_file_are_those_in_the_code(tmp_path: Path) -> None:
    path = write(
        tmp_path, "\n".join(line.removeprefix("#") for line in template().splitlines() if " = " in line)
    )
    loaded = load(path)
    assert loaded.name == "village hall"
    assert loaded == Config(name="village hall")


def test_arguments_go_before_variables_and_variables_before_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, 'port = 1\nname = "file"\nlog_format = "json"\n')
    loaded = load(path, {"COMMONSNODE_PORT": "2", "COMMONSNODE_NAME": "variable"}, {"port": 3, "name": None})
    assert (loaded.port, loaded.name, loaded.log_format) == (3, "variable", "json")


def test_a_variable_can_hold_a_list(tmp_path: Path) -> None:
    loaded = load(tmp_path / "none", {"COMMONSNODE_LISTEN": "127.0.0.1, ::1"})
    assert loaded.listen == ("127.0.0.1", "::1")


def test_variables_of_other_programs_and_the_home_are_no_settings(tmp_path: Path) -> None:
    assert load(tmp_path / "none", {"COMMONSNODE_HOME": "/x", "PORT": "1", "PATH": "/bin"}) == Config()


def test_authority_is_always_followed(tmp_path: Path) -> None:
    assert load(write(tmp_path, 'lanes = ["public"]')).lanes == ("authority", "public")
    assert load(write(tmp_path, "lanes = []")).lanes == ("authority",)


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("prot = 8450", "prot", "port"),
        ('port = "8450"', "port", "65535"),
        ("port = true", "port", "65535"),
        ("port = 65536", "port", "65535"),
        ("port = -1", "port", "65535"),
        ('listen = "0.0.0.0"', "listen", "list"),
        ("listen = []", "listen", "1 to 16"),
        ('listen = ["a b"]', "listen", "addresses"),
        ('listen = ["1.2.3.400"]', "listen", "addresses"),
        ('name = ""', "name", "1 to 64"),
        ('name = "a\\nb"', "name", "printable"),
        ('log_format = "xml"', "log_format", "json"),
        ('log_level = "loud"', "log_level", "warning"),
        ("reconcile_minutes = 0", "reconcile_minutes", "1 to 1440"),
        ("reconcile_minutes = 2.5", "reconcile_minutes", "whole number"),
        ('lanes = ["keys"]', "lanes", "knowledge"),
        ("peers_max = 0", "peers_max", "4096"),
        ("[peers]\nmax = 1", "peers", "peers_max"),
        ("port = ", "the file", "TOML"),
    ],
)
def test_a_wrong_setting_is_one_error_that_names_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, key: str, allowed: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(path) in caught.value.what
    assert key in caught.value.what
    assert allowed in caught.value.hint


def test_a_wrong_variable_is_called_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="environment: COMMONSNODE_PORT: 'http' is not allowed"):
        load(tmp_path / "none", {"COMMONSNODE_PORT": "http"})


def test_an_unknown_argument_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="arguments: colour"):
        load(tmp_path / "none", {}, {"colour": "red"})


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too large"):
        load(write(tmp_path, "#" * (config.CONFIG_BYTES_MAX + 1)))


@pytest.mark.parametrize(
    "url", ["commons.example", "ftp://x", "https://", "https://a b", "https://me@x", "https://x/#y"]
)
def test_a_public_url_is_one_that_peers_can_dial(tmp_path: Path, url: str) -> None:
    assert load(tmp_path / "none", {}, {"public_url": "https://x.example/commons"}).public_url
    with pytest.raises(ConfigError, match="public_url"):
        load(tmp_path / "none", {}, {"public_url": url})
