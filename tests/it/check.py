"""Checks a chain file the way the tutorial's node does, and its bytes against
what Python writes. Arguments: the file, its rule, its hex zeros."""

import hashlib
import json
import sys

path, rule, zeros = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(path, encoding="ascii", newline="") as file:
    text = file.read()


def dumps(block):
    return json.dumps(block, sort_keys=True)


def sha256(message):
    return hashlib.sha256(message.encode()).hexdigest()


if path.endswith(".jsonl"):
    chain = [json.loads(line) for line in text.splitlines()]
    assert text == "".join(dumps(block) + "\n" for block in chain), "not as Python writes it"
else:
    whole = json.loads(text)
    chain = whole["chain"]
    assert whole["length"] == len(chain), "length"
    assert text == dumps(whole), "not as Python writes it"

assert chain[0]["previous_hash"] == "1" and chain[0]["proof"] == 100, "the first block"
for index, block in enumerate(chain, 1):
    assert block["index"] == index, f"index of block {index}"
    if index == 1:
        continue
    last = chain[index - 2]
    last_hash = sha256(dumps(last))
    assert block["previous_hash"] == last_hash, f"previous_hash of block {index}"
    suffix = {"last-proof": "", "previous-hash": last["previous_hash"], "last-hash": last_hash}[rule]
    digest = sha256(f"{last['proof']}{block['proof']}{suffix}")
    assert digest.startswith("0" * zeros), f"proof of block {index}"
print(len(chain), sha256(dumps(chain[-1])))
