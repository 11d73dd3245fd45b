#!/usr/bin/env python3
"""Checks a chain file with nothing but CPython's json and hashlib.

    python3 scripts/check_chain.py CHAIN [--rule last-proof] [--difficulty 4] [--mined]

Reads {"chain": [...], "length": N}, an array or JSON Lines (*.jsonl). Recomputes every hash
and every proof as the tutorial's node does, and exits with 1 at the first fault. With --mined,
the file must also be one that `fourzero mine` writes: it starts with the tutorial's first
block, and its text is exactly what json.dumps(..., sort_keys=True) writes.
"""

import argparse
import hashlib
import json
import sys


def dumps(value):
    return json.dumps(value, sort_keys=True)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def read_chain(path):
    """The blocks of a chain file, its text, and the text that Python would write."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    if path.endswith(".jsonl"):
        chain = [json.loads(line) for line in text.splitlines()]
        return chain, text, "".join(dumps(block) + "\n" for block in chain)
    document = json.loads(text)
    if isinstance(document, list):
        return document, text, dumps(document)
    chain = document["chain"]
    if document["length"] != len(chain):
        sys.exit(f"length is {document['length']}, but there are {len(chain)} blocks")
    return chain, text, dumps(document)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chain")
    parser.add_argument("--rule", default="last-proof",
                        choices=["last-proof", "previous-hash", "last-hash"])
    parser.add_argument("--difficulty", type=int, default=4)
    parser.add_argument("--mined", action="store_true")
    arguments = parser.parse_args()

    chain, text, canonical = read_chain(arguments.chain)
    if arguments.mined:
        if text != canonical:
            sys.exit("the text is not what Python writes")
        first = chain[0]
        if (first["index"], first["proof"], first["previous_hash"]) != (1, 100, "1"):
            sys.exit("block 1 is not the tutorial's first block")
    for last, block in zip(chain, chain[1:]):
        last_hash = sha256(dumps(last))
        suffix = {
            "last-proof": "",
            "previous-hash": str(last["previous_hash"]),
            "last-hash": last_hash,
        }[arguments.rule]
        digest = sha256(f"{last['proof']}{block['proof']}{suffix}")
        if block["index"] != last["index"] + 1:
            sys.exit(f"block {block['index']} follows block {last['index']}")
        if block["previous_hash"] != last_hash:
            sys.exit(f"block {block['index']}: previous_hash differs from {last_hash}")
        if not digest.startswith("0" * arguments.difficulty):
            sys.exit(f"block {block['index']}: the proof hashes to {digest}")
    print(f"valid: {len(chain)} blocks, the last hash is {sha256(dumps(chain[-1]))}")


if __name__ == "__main__":
    main()
