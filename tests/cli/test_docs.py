"""What the docs show is run, and must come out as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Runner, environment

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
ACCESS_LOG = re.search(
    r"cat > access\.log <<'END'\n(.*?)END\n",
    (ROOT / "docs/tutorial/first-incident.md").read_text(encoding="utf-8"),
    re.DOTALL,
)


def _blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def access_log(bigsec: Runner) -> Path:
    assert ACCESS_LOG is not None
    path = bigsec.folder / "access.log"
    path.write_text(ACCESS_LOG[1], encoding="utf-8")
    return path


def test_the_tutorial_works_as_written(bigsec: Runner) -> None:
    script = "set -eu\n" + "".join(
        block
        for block in _blocks("docs/tutorial/first-incident.md", "sh")
        if not block.startswith(("make", ". .venv"))
    )
    env = environment()
    env["PATH"] = f"{BIN}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        cwd=bigsec.folder,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "0 new, 0 grown" in done.stderr
    assert '"rule_title":"Log-on To The Portal"' in done.stdout


# What differs from run to run: ids of incidents, durations, rates.
VARYING = re.compile(
    r"(id|标识) [0-9a-f]{32}|[0-9,]+ evaluated|启用 [0-9,]+ 条"
    r"|in [0-9.]+ s|用时 [0-9.]+ 秒|\([^)]*/s\)|（[^）]*/秒）"
)


@pytest.mark.parametrize(("page", "language"), [("README.md", "en"), ("README.zh-CN.md", "zh_CN")])
def test_the_transcript_is_what_comes_out(
    bigsec: Runner, access_log: Path, page: str, language: str
) -> None:
    (transcript,) = _blocks(page, "console")
    shown = re.split(r"^\$ bigsec (.*)\n", transcript, flags=re.MULTILINE)[1:]
    assert access_log.exists()
    for line, expected in zip(shown[::2], shown[1::2], strict=True):
        done = bigsec.on_terminal(
            *line.split(), "--color", "never", columns=90, env={"BIGSEC_LANG": language}
        )
        err = re.sub(r"^.*\r\x1b\[2K", "", done.err, flags=re.MULTILINE)
        came = [VARYING.sub("…", one.rstrip()) for one in (done.out + err).splitlines()]
        told = [VARYING.sub("…", one.rstrip()) for one in expected.splitlines()]
        assert came == told


@pytest.mark.parametrize("page", ["docs/how-to/use-from-python.md"])
def test_python_examples_run(bigsec: Runner, access_log: Path, cases: Path, page: str) -> None:
    import gzip

    (bigsec.folder / "access.log.gz").write_bytes(gzip.compress(access_log.read_bytes()))
    (bigsec.folder / "auth.log").write_text("Nov 24 08:00:00 web1 sshd[1]: Connection closed\n")
    (bigsec.folder / "rules").symlink_to(cases / "rules")
    script = "\n".join(_blocks(page, "python"))
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=bigsec.folder,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Passwd File Asked For" in done.stdout


def test_the_perceiving_example_runs_and_its_table_loads(tmp_path: Path) -> None:
    page = "docs/how-to/perceive-incidents.md"
    (script,) = _blocks(page, "python")
    subprocess.run([sys.executable, "-c", script], check=True)
    from bigsec.detect.perceive import Sensors

    (table,) = _blocks(page, "toml")
    shipped = ROOT / "python" / "bigsec" / "packs" / "sensors" / "methods.toml"
    (tmp_path / "methods.toml").write_text(shipped.read_text())
    (tmp_path / "acme.toml").write_text(table)
    assert Sensors(tmp_path).meaning("Acme: Encryptor seen").method.name == "malware"


def test_the_rules_and_the_pack_of_the_how_tos_load(bigsec: Runner) -> None:
    rules = _blocks("docs/how-to/write-a-rule.md", "yaml")
    assert len(rules) == 3
    (bigsec.folder / "rules.yml").write_text("\n---\n".join(rules))
    done = bigsec("rules", "check", "rules.yml")
    assert (done.code, done.out) == (0, ""), done.out
    (pack,) = _blocks("docs/how-to/add-a-log-source.md", "yaml")
    folder = bigsec.folder / "packs"
    folder.mkdir()
    (folder / "acme_door.yaml").write_text(pack)
    import bigsec as package

    assert package.Packs.load(str(folder)).ids == ["acme_door"]
