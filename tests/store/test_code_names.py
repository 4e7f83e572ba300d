"""A path that only a note names is written by a hook only if no tool can take it for code or configuration."""

from __future__ import annotations

import pytest

from pivot.store.worktree.code_names import may_be_code, may_hold_code

CODE = [
    "helper.py", "helper.pyc", "json.pyi", "evil.so", "evil.pyd", "evil.pth", "sitecustomize.py", "conftest.py",
    "setup.py", "setup.cfg", "tox.ini", "pytest.ini", "pyproject.toml", "Makefile", "GNUmakefile", "rules.mk",
    "Dockerfile", "docker-compose.yml", "Jenkinsfile", "Vagrantfile", "Procfile", ".envrc", ".env",
    ".gitattributes", ".gitmodules", ".gitignore", ".pivotconfig", ".lfsconfig", ".vscode/settings.json",
    ".vscode/data.csv", ".github/workflows/x.json", ".bashrc", "run.sh", "run.bash", "run.fish", "run.bat",
    "run.ps1", "package.json", "web/package.json", "PACKAGE.JSON", "package-lock.json", "tsconfig.json",
    "tsconfig.base.json", "jest.config.json", ".eslintrc.json", "babelrc.json", "requirements.txt",
    "dev-requirements.txt", "constraints.txt", "CMakeLists.txt", "notebook.ipynb", "pipeline.R", "main.jl",
    "params.yaml", "dvc.yaml", "mkdocs.yml", "index.html", "AGENTS.md", "CLAUDE.md", "README", "report.rst",
    "node_modules/x/data.csv", "x.egg-info/data.csv", "site-packages/a.csv", "__pycache__/a.bin", "data.csv.",
    "data.csv:stream", "pack\u200cage.json", "\uff0eenvrc", "d\u0131.py", "a.csv\u202e", "weird\x1b.csv", "-rf.csv",
    "model.pth", "model", "script.lua", "x.service", "justfile", "Rakefile", "build.gradle", "pom.xml", "Cargo.lock"
]  # fmt: skip
DATA = [
    "data.csv", "DATA.CSV", "out/metrics.json", "out/part-0001.parquet", "plots/loss.png", "plots/loss.svg",
    "model.pkl", "model.joblib", "model.pt", "model.onnx", "model.safetensors", "weights.h5", "array.npy",
    "table.csv.gz", "report.pdf", "log.txt", "scores_v2.tsv", "a-b/c_d.feather", "\xfcn\xef.csv",
    "r\xe9sultats/donn\xe9es.csv", "config.json", "out/one.json", "events.jsonl", "x.y.csv"
]  # fmt: skip


@pytest.mark.parametrize("path", CODE)
def test_what_a_tool_may_read_is_taken_for_code(path: str) -> None:
    assert may_be_code(path)


@pytest.mark.parametrize("path", DATA)
def test_ordinary_outputs_are_data(path: str) -> None:
    assert not may_be_code(path)


def test_a_directory_is_judged_by_the_names_on_the_way() -> None:
    assert not may_hold_code("out/parts")
    assert may_hold_code("out/.zarr/x") and may_hold_code("node_modules")
