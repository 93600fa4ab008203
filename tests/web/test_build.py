"""The build hook: equal inputs are left alone, and what goes wrong is one sentence."""

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hook() -> ModuleType:
    """hatch_build.py as a module."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the real sources and nothing built."""
    shutil.copytree(ROOT / "web", tmp_path / "web", ignore=shutil.ignore_patterns("node_modules"))
    return tmp_path


def test_equal_inputs_are_not_built_twice(hook: ModuleType, project: Path) -> None:
    dist = project / "service" / "static" / "dist"
    dist.mkdir(parents=True)
    (dist / "manifest.json").write_text("{}")
    (dist / "stamp").write_text(hook.stamp(project / "web"))
    said: list[str] = []

    hook.build_assets(project, said.append)
    assert said == ["front-end: nothing has changed"]

    (project / "web" / "src" / "tokens.css").write_text("changed")
    assert hook.stamp(project / "web") != (dist / "stamp").read_text()


def test_a_registry_that_cannot_be_reached_is_one_plain_sentence(
    hook: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(project / "cache"))
    monkeypatch.setattr(hook, "ATTEMPTS", 1)

    with pytest.raises(hook.NotBuilt) as refused:
        hook.build_assets(project, lambda words: None)

    assert "RINGDESK_SKIP_ASSETS=1" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_build_can_be_skipped(hook: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGDESK_SKIP_ASSETS", "1")
    said: list[str] = []
    hook.build(project, said.append)
    assert len(said) == 1
    assert not (project / "service").exists()


def test_the_lock_names_no_host_and_proves_each_package() -> None:
    lock = (ROOT / "web" / "package-lock.json").read_text("utf-8")
    packages = json.loads(lock)["packages"]
    assert "://" not in lock
    assert all("integrity" in package for name, package in packages.items() if name)


def test_the_charts_are_drawn_by_the_version_that_python_expects() -> None:
    import plotly

    bundled = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_text("utf-8")[:200]
    wanted = json.loads((ROOT / "web" / "package.json").read_text("utf-8"))["dependencies"][
        "plotly.js-cartesian-dist-min"
    ]
    assert f"v{wanted}" in bundled
