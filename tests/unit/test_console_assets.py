"""The vendored scripts: built with their sums, and missed loudly when they are not as they were built."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from huaxiang.console import assets, build
from huaxiang.console.assets import VENDOR_SCRIPTS, Assets


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """A static folder whose vendored files were built from invented packages."""
    modules = tmp_path / "node_modules"
    for source in build.FILES.values():
        path = modules / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"// {source}", "utf-8")
    for package in {source.split("/")[0] for source in build.FILES.values()}:
        described = {"name": package, "version": "1.2.3", "license": "0BSD"}
        (modules / package / "package.json").write_text(json.dumps(described), "utf-8")
    build.install(modules, tmp_path / "static" / "vendor")
    return tmp_path / "static"


def test_every_script_comes_with_its_licence_and_sum(static: Path) -> None:
    manifest = json.loads((static / "vendor" / "manifest.json").read_text("utf-8"))
    assert manifest.keys() == build.FILES.keys()
    assert set(VENDOR_SCRIPTS) <= manifest.keys()
    assert {entry["version"] for entry in manifest.values()} == {"1.2.3"}
    licences = {entry["package"] for name, entry in manifest.items() if "LICENSE" in name}
    assert licences == {entry["package"] for entry in manifest.values()}


def test_building_again_replaces_what_was_there(static: Path, tmp_path: Path) -> None:
    (static / "vendor" / "old.js").write_text("old", "utf-8")
    build.install(tmp_path / "node_modules", static / "vendor")
    assert not (static / "vendor" / "old.js").exists()
    assert Assets(static).missing == ()


@pytest.mark.parametrize("harm", ["removed", "changed", "no manifest"])
def test_a_script_that_is_not_as_it_was_built_is_missing(static: Path, harm: str) -> None:
    script = static / "vendor" / VENDOR_SCRIPTS[0]
    if harm == "removed":
        script.unlink()
    elif harm == "changed":
        script.write_text("something else", "utf-8")
    else:
        (static / "vendor" / "manifest.json").unlink()
    assert VENDOR_SCRIPTS[0] in Assets(static).missing


def test_an_address_changes_with_the_content(static: Path) -> None:
    name = f"vendor/{VENDOR_SCRIPTS[0]}"
    before = Assets(static).url(name)
    (static / name).write_text("newer", "utf-8")
    assert Assets(static).url(name) != before


def test_the_lock_of_the_scripts_names_no_host_and_every_sum() -> None:
    lock = json.loads((build.HERE / "package-lock.json").read_text("utf-8"))
    package = json.loads((build.HERE / "package.json").read_text("utf-8"))
    locked = {name: entry for name, entry in lock["packages"].items() if name}
    wanted = {**package["dependencies"], **package["devDependencies"]}
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version
        assert locked[f"node_modules/{name}"].get("dev", False) is (name in package["devDependencies"])
    for entry in locked.values():
        assert "resolved" not in entry
        assert entry["integrity"].startswith("sha512-")


@pytest.mark.parametrize("part", ["badge--", "notice--", "meter__", "tile--", "delta--"])
def test_what_can_be_good_or_bad_has_a_colour_for_it(part: str) -> None:
    styles = Path(assets.__file__).parent / "static" / "css"
    rules = "".join(path.read_text("utf-8") for path in styles.glob("*.css"))
    tones = {"tile--": ["bad", "warn"], "delta--": ["bad", "good"]}.get(part, ["bad", "warn", "good"])
    assert [tone for tone in tones if not re.search(rf"\.{part}{tone}\b[^{{]*{{[^}}]*var\(--", rules)] == []
