#!/usr/bin/env python3
"""Holds the dependencies against deny.toml where cargo-deny is not installed.

    scripts/check-dependencies.py

Checks, as `cargo deny check licenses bans sources` does: each crate's licence
is allowed, no crate is there in two versions, none is asked for as "*", and
all come from the registries that are allowed. As there, licences and versions
are not asked of crates that only tests and benchmarks use. Needs nothing but
Python 3.11 and cargo. Advisories are left to cargo-deny, which needs their
database.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def allows(expression, allowed):
    """Whether an SPDX expression can be met with the allowed licences."""
    # Before SPDX, crates wrote a slash for "or".
    tokens = re.findall(r"\(|\)|[^\s()/]+|/", expression)
    tokens = ["OR" if token == "/" else token for token in tokens]

    def alternatives():
        met = combination()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = combination() or met
        return met

    def combination():
        met = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one():
        token = tokens.pop(0)
        if token == "(":
            met = alternatives()
            assert tokens.pop(0) == ")", expression
            return met
        if tokens and tokens[0] == "WITH":
            token = " ".join([token, tokens.pop(0), tokens.pop(0)])
        return token in allowed

    met = alternatives()
    assert not tokens, f"unread in {expression!r}: {tokens}"
    return met


def shipped(metadata):
    """The ids of all crates that some platform or feature builds the program with."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    seen, todo = set(), list(metadata["workspace_members"])
    while todo:
        crate = todo.pop()
        if crate in seen:
            continue
        seen.add(crate)
        for dependency in nodes[crate]["deps"]:
            # Some crates tie versions together by a dependency that no
            # platform has.
            kinds = dependency["dep_kinds"]
            if any(kind["kind"] != "dev" and kind["target"] != "cfg(any())" for kind in kinds):
                todo.append(dependency["pkg"])
    return seen


def main():
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    allowed = set(rules["licenses"]["allow"])
    registries = {f"registry+{url}" for url in rules["sources"]["allow-registry"]}
    command = ["cargo", "metadata", "--locked", "--all-features", "--format-version", "1"]
    metadata = json.loads(subprocess.check_output(command, cwd=ROOT))
    ids = shipped(metadata)
    crates = [crate for crate in metadata["packages"] if crate["id"] in ids]

    problems = []
    versions = {}
    for crate in crates:
        name = f"{crate['name']} {crate['version']}"
        versions.setdefault(crate["name"], []).append(crate["version"])
        if not allows(crate["license"] or "none", allowed):
            problems.append(f"{name}: the licence {crate['license']} is not allowed")
        for dependency in crate["dependencies"]:
            is_ours = crate["source"] is None
            if is_ours and dependency["req"] == "*" and not dependency.get("path"):
                problems.append(f"{name}: any version of {dependency['name']} would do")
    for crate in metadata["packages"]:
        if crate["source"] is not None and crate["source"] not in registries:
            name = f"{crate['name']} {crate['version']}"
            problems.append(f"{name}: the source {crate['source']} is not allowed")
    problems += [
        f"{name}: there are the versions {', '.join(sorted(several))}"
        for name, several in versions.items()
        if len(several) > 1
    ]
    for problem in sorted(problems):
        print(problem, file=sys.stderr)
    print(f"{len(crates)} crates, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
