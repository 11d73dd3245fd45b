#!/usr/bin/env python3
"""A stand-in for the tutorial's Python node, used in tests and benchmarks.

Answers the five calls of the tutorial with the same keys, messages and status
codes. Keeps everything in memory. Needs Flask and requests.

    flask_node.py PORT [--rule RULE] [--difficulty ZEROS] [--host ADDRESS]

Prints "ready" and its address when it listens. PORT 0 chooses a free port.
"""
import argparse
import hashlib
import json
import sys
import time
import urllib.parse
import uuid

import requests
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

GENESIS_PROOF = 100


def block_hash(block):
    return hashlib.sha256(json.dumps(block, sort_keys=True).encode()).hexdigest()


class Ledger:
    def __init__(self, rule, zeros):
        self.rule = rule
        self.front = "0" * zeros
        self.pending = []
        self.peers = set()
        self.chain = []
        self.append(GENESIS_PROOF, "1")

    def append(self, proof, previous_hash):
        block = {
            "index": len(self.chain) + 1,
            "timestamp": time.time(),
            "transactions": self.pending,
            "proof": proof,
            "previous_hash": previous_hash,
        }
        self.pending = []
        self.chain.append(block)
        return block

    def suffix(self, last):
        if self.rule == "last-hash":
            return block_hash(last)
        if self.rule == "previous-hash":
            return str(last["previous_hash"])
        return ""

    def is_proof(self, last, proof, suffix):
        text = f"{last['proof']}{proof}{suffix}"
        return hashlib.sha256(text.encode()).hexdigest().startswith(self.front)

    def mine(self, recipient):
        last = self.chain[-1]
        suffix = self.suffix(last)
        proof = 0
        while not self.is_proof(last, proof, suffix):
            proof += 1
        self.pending.append({"sender": "0", "recipient": recipient, "amount": 1})
        return self.append(proof, block_hash(last))

    def is_chain(self, blocks):
        for last, block in zip(blocks, blocks[1:]):
            if block["previous_hash"] != block_hash(last):
                return False
            if not self.is_proof(last, block["proof"], self.suffix(last)):
                return False
        return True

    def resolve(self):
        best = None
        longest = len(self.chain)
        for peer in sorted(self.peers):
            answer = requests.get(f"http://{peer}/chain", timeout=30)
            if answer.status_code != 200:
                continue
            theirs = answer.json()
            if theirs["length"] > longest and self.is_chain(theirs["chain"]):
                longest, best = theirs["length"], theirs["chain"]
        if best is not None:
            self.chain = best
        return best is not None


def make_app(ledger, node_id):
    app = Flask(__name__)

    @app.get("/mine")
    def mine():
        block = ledger.mine(node_id)
        keys = ("index", "transactions", "proof", "previous_hash")
        return jsonify({"message": "New Block Forged", **{key: block[key] for key in keys}})

    @app.post("/transactions/new")
    def new_transaction():
        values = request.get_json()
        keys = ("sender", "recipient", "amount")
        if any(key not in values for key in keys):
            return "Missing values", 400
        ledger.pending.append({key: values[key] for key in keys})
        index = len(ledger.chain) + 1
        return jsonify({"message": f"Transaction will be added to Block {index}"}), 201

    @app.get("/chain")
    def chain():
        return jsonify({"chain": ledger.chain, "length": len(ledger.chain)})

    # Not in the tutorial; load measurements compare it with fourzero's.
    @app.get("/blocks/latest")
    def latest():
        return jsonify(ledger.chain[-1])

    @app.post("/nodes/register")
    def register():
        nodes = request.get_json().get("nodes")
        if nodes is None:
            return "Error: Please supply a valid list of nodes", 400
        for node in nodes:
            parts = urllib.parse.urlparse(node)
            ledger.peers.add(parts.netloc or parts.path)
        answer = {"message": "New nodes have been added", "total_nodes": sorted(ledger.peers)}
        return jsonify(answer), 201

    @app.get("/nodes/resolve")
    def resolve():
        if ledger.resolve():
            return jsonify({"message": "Our chain was replaced", "new_chain": ledger.chain})
        return jsonify({"message": "Our chain is authoritative", "chain": ledger.chain})

    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--rule", default="last-proof", choices=("last-proof", "previous-hash", "last-hash")
    )
    parser.add_argument("--difficulty", type=int, default=4)
    arguments = parser.parse_args()
    ledger = Ledger(arguments.rule, arguments.difficulty)
    app = make_app(ledger, uuid.uuid4().hex)
    server = make_server(arguments.host, arguments.port, app, threaded=True)
    print(f"ready http://{arguments.host}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
