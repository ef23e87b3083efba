"""From what is asked for to the store. Nothing is opened here."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask_socketio import SocketIO

from headway.compose import open_store
from headway.model.errors import InvalidValue
from headway.stores.memory import MemoryStore
from headway.stores.sqlite import SqliteStore


def test_a_url_opens_its_store(tmp_path: Path) -> None:
    assert isinstance(open_store("memory://"), MemoryStore)
    assert isinstance(open_store(f"sqlite:///{tmp_path}/tasks.db"), SqliteStore)
    assert open_store(f"sqlite:///{tmp_path}/tasks.db").url == f"sqlite:///{tmp_path}/tasks.db"


def test_a_relative_path_belongs_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    store = open_store("sqlite:///tasks.db")

    assert store.url == f"sqlite:///{tmp_path}/tasks.db"


def test_the_environment_names_the_default(tmp_path: Path) -> None:
    assert isinstance(open_store(None, environ={"HEADWAY_STORE": "memory://"}), MemoryStore)


def test_a_wrong_variable_is_refused_by_name() -> None:
    with pytest.raises(InvalidValue) as caught:
        open_store(None, environ={"HEADWAY_STORE": "tasks.db"})

    assert caught.value.field == "HEADWAY_STORE"


@pytest.mark.parametrize("url", ["", "tasks.db", "sqlite://x.db", "sqlite:///", "sqlite:///:memory:", "mysql://db"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        open_store(url)

    assert caught.value.field == "store"


def test_without_an_app_tasks_are_kept_under_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)

    with caplog.at_level(logging.INFO, "headway"):
        store = open_store(None, environ={})

    assert store.url == f"sqlite:///{tmp_path}/.headway/headway.db"
    assert [record.message for record in caplog.records] == [f"tasks are kept in {tmp_path}/.headway/headway.db"]
    assert list(tmp_path.iterdir()) == []


def test_a_flask_apps_tasks_are_kept_in_its_instance_folder(tmp_path: Path) -> None:
    app = Flask("app", instance_path=str(tmp_path / "instance"))

    through_socketio = open_store(None, SocketIO(app, async_mode="threading"), environ={})
    directly = open_store(None, app, environ={})

    assert through_socketio.url == directly.url == f"sqlite:///{tmp_path}/instance/headway.db"


def test_an_app_from_a_factory_is_found_once_it_is_there(tmp_path: Path) -> None:
    socketio = SocketIO()
    socketio.init_app(Flask("app", instance_path=str(tmp_path)), async_mode="threading")

    assert open_store(None, socketio, environ={}).url == f"sqlite:///{tmp_path}/headway.db"


def test_a_store_that_is_not_used_is_not_loaded() -> None:
    program = (
        "import sys; from headway.compose import open_store; open_store('memory://');"
        "print(*[name for name in ('sqlite3', 'redis', 'flask') if name in sys.modules])"
    )

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert loaded == []
