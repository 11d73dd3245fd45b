#!/usr/bin/env python3
"""Checks a chain file with nothing but CPython's json and hashlib.

    python3 scripts/check_chain.py CHAIN [--rule last-proof] [--difficulty 4]

Reads {"chain": [...], "length": N}, a bare array or JSON Lines, recomputes every hash and
every proof as the tutorial's node does, and exits 1 at the first difference.
"""

import argparse
import hashlib
import json
import sys


def block_hash(block):
    text = json.dumps(block, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_chain(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith(".jsonl"):
        return [json.loads(line) for line in text.splitlines()]
    document = json.loads(text)
    if isinstance(document, list):
        return document
    if document["length"] != len(document["chain"]):
        sys.exit(f"length is {document['length']}, but there are {len(document['chain'])} blocks")
    return document["chain"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chain")
    parser.add_argument("--rule", default="last-proof",
                        choices=["last-proof", "previous-hash", "last-hash"])
    parser.add_argument("--difficulty", type=int, default=4)
    arguments = parser.parse_args()

    chain = read_chain(arguments.chain)
    for last, block in zip(chain, chain[1:]):
        last_hash = block_hash(last)
        suffix = {
            "last-proof": "",
            "previous-hash": str(last["previous_hash"]),
            "last-hash": last_hash,
        }[arguments.rule]
        guess = f"{last['proof']}{block['proof']}{suffix}".encode()
        digest = hashlib.sha256(guess).hexdigest()
        if block["index"] != last["index"] + 1:
            sys.exit(f"block {block['index']} follows block {last['index']}")
        if block["previous_hash"] != last_hash:
            sys.exit(f"block {block['index']}: previous_hash differs from {last_hash}")
        if not digest.startswith("0" * arguments.difficulty):
            sys.exit(f"block {block['index']}: the proof hashes to {digest}")
    print(f"CPython agrees: {len(chain)} blocks under {arguments.rule}")


if __name__ == "__main__":
    main()
