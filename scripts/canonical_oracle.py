#!/usr/bin/env python3
"""Compares fourzero's canonical JSON text with CPython's.

A block's hash is the hash of `json.dumps(block, sort_keys=True)`. This script
generates JSON texts, many of them malformed, and compares what CPython writes
for each with the result of `fourzero::chain::json::canonical`, which the example
`canonical_lines` calls. Both must write the same bytes and refuse the same
texts.

    python3 scripts/canonical_oracle.py                        # 200,000 texts
    python3 scripts/canonical_oracle.py --count 1000000 --seed 7
    python3 scripts/canonical_oracle.py --binary target/release/examples/canonical_lines
    python3 scripts/canonical_oracle.py --write-vectors tests/data/canonical-vectors.jsonl

The same seed generates the same texts. The exit status is 0 if there is no
difference, else 1. It needs CPython 3.8 or later and nothing else.

CPython accepts more than JSON. These must be refused anywhere in the text, even
in a member that a later duplicate of its key replaces: NaN and the infinities,
numbers beyond the range of a double, halves of surrogate pairs, bytes that are
not UTF-8, and nesting deeper than 1,000.
"""

import argparse
import decimal
import json
import math
import random
import re
import struct
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
CARGO_COMMAND = "cargo run --release --quiet --example canonical_lines".split()

MAX_DEPTH = 1_000
TEXTS_A_RUN = 20_000
DIFFERENCES_SHOWN = 10

# People must be able to read the vectors, also in a diff.
VECTOR_COUNT = 1_150
VECTOR_BYTES = 220

# Exact for the sum of any two neighbouring doubles.
EXACT = decimal.Context(prec=1_100)


# CPython.


def expected(data):
    """The canonical text of `data`, or None if it must be refused."""
    try:
        text = data.decode("utf-8")
        if depth(text) > MAX_DEPTH:
            return None
        # All values in the text, including replaced members.
        everything = json.loads(
            text, object_pairs_hook=flat, parse_float=finite, parse_constant=refuse
        )
        json.dumps(everything, ensure_ascii=False).encode("utf-8")
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:  # The base class of JSON and Unicode errors.
        return None


def depth(text):
    """The nesting depth of a well-formed text."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0  # It cannot be too deep.
    deepest = now = 0
    for bracket in re.findall(r"[][{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)):
        now += 1 if bracket in "[{" else -1
        deepest = max(deepest, now)
    return deepest


def flat(pairs):
    """An object as an array of its keys and values, which has the same depth."""
    return [item for pair in pairs for item in pair]


def finite(text):
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is past the range of a double")
    return value


def refuse(word):
    raise ValueError(f"{word} is not JSON")


# Doubles, by their bits.


def from_bits(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def to_bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def neighbour(value, steps):
    """The double `steps` doubles away, between zero and infinity."""
    sign, magnitude = divmod(to_bits(value), 1 << 63)
    magnitude = min(max(magnitude + steps, 0), to_bits(sys.float_info.max))
    return from_bits(sign << 63 | magnitude)


# Where the shortest digits, their notation or the spacing of doubles changes.
BOUNDARIES = [
    0.0, 5e-324, 2.0**-1022, 1e-308, 1e-7, 1e-5, 9.9e-5, 1e-4, 0.1, 0.3, 1.0,
    9.5, 1e5, 2.0**52, 1e15, 2.0**53, 1e16, 1e17, 2.0**63, 2.0**64, 1e21, 1e22,
    1e23, 2.0**1023, 1e308, sys.float_info.max,
]  # fmt: skip

# The smallest number beyond the range: halfway between the largest double and
# its successor, if it had one.
PAST_RANGE = 2**1024 - 2**970


def exact(value):
    """The exact value of a double as a decimal number."""
    return decimal.Decimal(value)


def halfway(value):
    """The number exactly between a double and the next larger one."""
    if value == sys.float_info.max:
        return decimal.Decimal(PAST_RANGE)
    above = from_bits(to_bits(value) + 1)
    return EXACT.divide(EXACT.add(exact(value), exact(above)), decimal.Decimal(2))


# Characters.

SHORT_ESCAPES = {
    '"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n",
    "\r": "\\r", "\t": "\\t",
}  # fmt: skip

# The ends of Unicode ranges, white space and line breaks that JSON does not
# know, noncharacters, and characters that UTF-16 writes as pairs.
NOTABLE = (
    "\x00\x01\x08\x0b\x0e\x1f \x7e\x7f\x80\x85\x9f\xa0\xad\xff\u0100\u0130\u07ff\u0800"
    "\u1680\u200b\u200d\u2028\u2029\u202e\ud7ff\ue000\ufdd0\ufeff\ufffd\ufffe\uffff"
    "\U00010000\U0001f600\U0001fffe\U0001ffff\U000fffff\U00100000\U0010fffe\U0010ffff"
)

CODE_POINT_RANGES = [
    (0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0x00, 0x1F), (0x7F, 0xFF),
    (0x100, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x1FFFF),
    (0x10000, 0x10FFFF),
]  # fmt: skip

# Keys that are equal, prefixes of one another, or sorted differently by UTF-16
# code units and by code points.
KEYS = [
    "", "a", "aa", "ab", "b", "A", "Z", "_", "0", "1", "10", "2", " ", '"', "\\", "/",
    "\x00", "a\x00", "\x7f", "é", "e\u0301", "ß", "\u2028", "\ud7ff", "\ue000", "\uffff",
    "a\uffff", "\U00010000", "a\U00010000", "😀", "\U0010ffff",
]  # fmt: skip

# What a careless edit inserts.
INTRUDERS = [
    *(bytes([byte]) for byte in b"\"\\{}[],:'0123456789+-.eEuntf/# \t\n\r\x00\x0b\x0c\x1f\x7f"),
    b"\x80", b"\xbf", b"\xc0\x80", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\xf0\x9f\x98", b"\xff", b"\xfe", b"\xef\xbb\xbf", b"\xc2\xa0", b"\xe2\x80\xa8",
    b"NaN", b"Infinity", b"-Infinity", b"-Inf", b"nan", b"null", b"nul", b"True", b"None",
    b"01", b"-01", b"+1", b".5", b"1.", b"1.e5", b"1e", b"1e+", b"-", b"--1", b"0x10", b"1_0",
    b"1e309", b"-1e999", b"1e400", b"1e-400", "\u0661".encode(), "\uff11".encode(),
    rb'"\ud800"', rb'"\udfff"', rb'"\ude00\ud83d"', rb'"\ud83d\u0041"', rb'"\ud83d\n"',
    rb'"\ud83d\ud83d\ude00"', rb'"\u12"', rb'"\u00g0"', rb'"\u+123"', rb'"\U0041"', rb'"\x41"',
    b"// no comment\n", b"/**/", b",,", b"::", b"[,]", b"{,}", b'{"a"}', b'{"a":}', b"{1:2}",
]  # fmt: skip


class Writer:
    """Generates random JSON values in random spellings."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.spaces = [""]

    def chance(self, probability):
        return self.random.random() < probability

    def text(self):
        """A text as bytes, which may be malformed."""
        self.spaces = self.random.choice([[""], [" "], ["", "", " ", "\n", "\t", "\r\n", "  \n"]])
        kind = self.random.random()
        if kind < 0.25:
            text = self.block()
        elif kind < 0.55:
            text = self.number()
        elif kind < 0.65:
            text = self.string(self.characters(12))
        elif kind < 0.996:
            text = self.value(self.random.randrange(1, 6))
        else:
            text = self.deep()
        data = (self.space() + text + self.space()).encode("utf-8")
        return self.damaged(data) if self.chance(0.2) else data

    def space(self):
        return self.random.choice(self.spaces)

    # Values.

    def value(self, levels):
        kind = self.random.randrange(10 if levels > 0 else 6)
        if kind < 1:
            return self.random.choice(["null", "true", "false"])
        if kind < 3:
            return self.string(self.characters(8))
        if kind < 6:
            return self.number()
        if kind < 8:
            return self.array([self.value(levels - 1) for _ in range(self.few())])
        return self.object(self.members(levels - 1))

    def few(self):
        return self.random.choice([0, 1, 1, 2, 2, 3, 4])

    def array(self, elements):
        return "[" + self.separated(elements) + "]"

    def object(self, members):
        """An object of `members`, pairs of a key and its value's text."""
        return "{" + self.separated(
            [
                self.string(key) + self.space() + ":" + self.space() + value
                for key, value in members
            ]
        ) + "}"  # fmt: skip

    def separated(self, items):
        return ",".join(self.space() + item + self.space() for item in items) or self.space()

    def members(self, levels):
        """Keys of all kinds, often duplicates, sometimes sorted."""
        count = self.few() if self.chance(0.97) else self.random.randrange(5, 60)
        keys = [
            self.random.choice(KEYS) if self.chance(0.8) else self.characters(4)
            for _ in range(count)
        ]
        order = self.random.randrange(3)
        if order == 0:
            keys.sort()
        elif order == 1:
            keys = sorted(set(keys))
        return [(key, self.value(levels)) for key in keys]

    def deep(self):
        """A text nested about as deep as allowed, or much deeper."""
        levels = self.random.choice([50, 990, 999, 1000, 1000, 1001, 1002, 3000])
        nests = [("[", "]"), ('{"k":', "}"), ('[[],"[",', "]"), ('{"b":', ',"a":[0]}')]
        chosen = self.random.choices(nests, weights=[9, 9, 1, 1], k=levels - 1)
        innermost = self.random.choice(["[]", "{}", "0"])
        opening = "".join(opening for opening, _ in chosen)
        return opening + innermost + "".join(closing for _, closing in reversed(chosen))

    # Blocks.

    def block(self):
        transactions = [self.transaction() for _ in range(self.few())]
        members = [
            ("index", str(self.random.randrange(1, 10_000))),
            ("timestamp", repr(self.timestamp()) if self.chance(0.7) else self.number()),
            ("transactions", self.array(transactions)),
            ("proof", str(self.random.randrange(400_000))),
            ("previous_hash", self.string("%064x" % self.random.getrandbits(256))),
        ]
        return self.object(self.disturbed(members))

    def transaction(self):
        amount = self.random.choice(["1", "5", "0", "0.1", "-0", "12.50", "1e3", None])
        members = [
            ("sender", self.string("0" if self.chance(0.3) else self.characters(8))),
            ("recipient", self.string("%032x" % self.random.getrandbits(128))),
            ("amount", amount or self.number()),
        ]
        return self.object(self.disturbed(members))

    def disturbed(self, members):
        """Members in any order; some are unknown, missing or duplicates."""
        members = [member for member in members if self.chance(0.97)]
        if self.chance(0.3):
            members += self.members(2)
        if members and self.chance(0.1):
            members.append((self.random.choice(members)[0], self.value(1)))
        order = self.random.randrange(3)
        if order == 0:
            self.random.shuffle(members)
        elif order == 1:
            members.sort()
        return members

    def timestamp(self):
        seconds = self.random.uniform(1.5e9, 1.9e9)
        if self.chance(0.1):
            return math.floor(seconds) + self.random.randrange(1, 512, 2) / 512
        return round(seconds, self.random.choice([0, 3, 6, 7]))

    # Strings.

    def characters(self, most):
        length = self.random.randrange(most + 1) if self.chance(0.98) else 100
        return "".join(self.character() for _ in range(length))

    def character(self):
        if self.chance(0.2):
            return self.random.choice(NOTABLE)
        if self.chance(0.1):
            return self.random.choice(list(SHORT_ESCAPES))
        return chr(self.random.randint(*self.random.choice(CODE_POINT_RANGES)))

    def string(self, characters):
        """A string in any spelling."""
        if self.chance(0.3):
            return json.dumps(characters, ensure_ascii=self.chance(0.5))
        escaping = self.random.choice([0.0, 0.1, 0.5, 1.0])
        return '"' + "".join(self.spelled(each, escaping) for each in characters) + '"'

    def spelled(self, character, escaping):
        must_escape = character in '"\\' or character < " "
        if not must_escape and not self.chance(escaping):
            return character
        if character in SHORT_ESCAPES and self.chance(0.6):
            return SHORT_ESCAPES[character]
        units = character.encode("utf-16-be").hex()
        return "".join("\\u" + self.any_case(units[at : at + 4]) for at in range(0, len(units), 4))

    def any_case(self, digits):
        how = self.random.randrange(3)
        if how == 0:
            return digits
        if how == 1:
            return digits.upper()
        return "".join(self.random.choice([digit, digit.upper()]) for digit in digits)

    # Numbers.

    def number(self):
        kind = self.random.random()
        if kind < 0.3:
            return self.integer()
        if kind < 0.8:
            return self.spelled_double(self.double())
        if kind < 0.9:
            return self.near_halfway()
        return self.by_grammar()

    def integer(self):
        kind = self.random.randrange(20)
        if kind < 6:
            value = self.random.randrange(-1_000, 1_000)
        elif kind < 12:
            value = 2 ** self.random.randrange(130) + self.random.randrange(-2, 3)
        elif kind < 17:
            value = 10 ** self.random.randrange(40) + self.random.randrange(-2, 3)
        elif kind < 19:
            return "-0"
        else:
            digits = self.random.choice([20, 60, 310, 1_000, 4_000])
            value = self.random.randrange(10 ** self.random.randrange(1, digits))
        return ("-" if self.chance(0.3) else "") + str(abs(value))

    def double(self):
        kind = self.random.randrange(9)
        if kind < 2:
            value = from_bits(self.random.getrandbits(64))
            return value if math.isfinite(value) else self.double()
        if kind == 2:
            value = self.random.choice(BOUNDARIES)
        elif kind == 3:
            value = float("1e%d" % self.random.randrange(-324, 309))
        elif kind == 4:
            value = math.ldexp(1.0, self.random.randrange(-1074, 1024))
        elif kind == 5:
            value = from_bits(self.random.getrandbits(self.random.randrange(1, 53)))
        elif kind == 6:
            value = self.timestamp()
        elif kind == 7:
            # Few binary places, so the shortest digits are often a tie.
            bits = self.random.getrandbits(self.random.randrange(1, 54)) | 1
            return math.ldexp(bits, -self.random.randrange(60))
        else:
            value = self.random.randrange(10**6) / 10.0 ** self.random.randrange(8)
        value = neighbour(value, self.random.choice([0, 0, 0, 1, -1, 2, -2, 5, -5]))
        return -value if self.chance(0.3) else value

    def spelled_double(self, value):
        """A spelling that reads back as `value` or as a neighbour."""
        kind = self.random.randrange(12)
        if kind < 4:
            return repr(value)
        if kind < 6:
            text = "%.*e" % (self.random.choice([14, 15, 16, 17, 18, 20, 25]), value)
        elif kind == 6:
            text = "%.*f" % (self.random.randrange(1, 25), value)
        elif kind == 7:
            text = format(exact(value), self.random.choice(["f", "e"]))
        else:
            return self.spelled_decimal(decimal.Decimal(repr(value)))
        return self.as_double(text)

    def near_halfway(self):
        """A number halfway between two doubles, or slightly above or below."""
        sign, digits, exponent = halfway(abs(self.double())).as_tuple()
        how = self.random.randrange(5)
        if how == 0 and len(digits) > 20:
            kept = self.random.randrange(17, len(digits))
            digits, exponent = digits[:kept], exponent + len(digits) - kept
        elif how == 1:
            zeros = self.random.choice([1, 5, 20, 400, 800])
            digits, exponent = digits + (0,) * zeros + (1,), exponent - zeros - 1
        elif how == 2:
            scaled = int("".join(map(str, digits))) * 10**30 - 1
            digits, exponent = tuple(map(int, str(scaled))), exponent - 30
        return self.spelled_decimal(decimal.Decimal((sign, digits, exponent)))

    def spelled_decimal(self, value):
        """Exactly `value`, with its point anywhere."""
        sign, digits, exponent = value.as_tuple()
        digits = "".join(map(str, digits)) + "0" * self.random.choice([0, 0, 0, 1, 7])
        exponent -= len(digits) - len(value.as_tuple().digits)
        whole = self.random.choice([1, 1, len(digits), self.random.randrange(-3, len(digits) + 4)])
        exponent += len(digits) - whole
        digits = "0" * (1 - whole) + digits + "0" * (whole - len(digits))
        whole = max(whole, 1)
        text = (digits[:whole].lstrip("0") or "0") + "." + digits[whole:]
        if text.endswith("."):
            text = text[:-1] if exponent else text + "0"
        if exponent or self.chance(0.1):
            minus_or_plus = "-" if exponent < 0 else self.random.choice(["", "+"])
            zeros = self.random.choice(["", "", "0", "00"])
            text += f"e{minus_or_plus}{zeros}{abs(exponent)}"
        return self.as_double(("-" if sign else "") + text)

    def as_double(self, text):
        """Makes sure that the number is not an integer, and varies its `e`."""
        if not re.search("[.eE]", text):
            text += self.random.choice([".0", "e0", ".000", "e-0", "E+00"])
        return text.replace("e", "E") if self.chance(0.3) else text

    def by_grammar(self):
        """Any number that the grammar allows."""
        text = self.random.choice(["", "-"]) + (self.digits(20).lstrip("0") or "0")
        if self.chance(0.6):
            text += "." + self.digits(20)
        if self.chance(0.6):
            exponent = self.digits(self.random.choice([1, 2, 2, 3, 3, 3, 20]))
            text += self.random.choice("eE") + self.random.choice(["", "+", "-"]) + exponent
        return text

    def digits(self, most):
        return "".join(self.random.choices("0123456789", k=self.random.randrange(1, most + 1)))

    # Damage.

    def damaged(self, data):
        """Up to three careless edits; the text may still be valid."""
        data = bytearray(data)
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            at = self.random.randrange(len(data) + 1)
            kind = self.random.randrange(8)
            if kind == 0:
                del data[at : at + 1]
            elif kind == 1:
                del data[at:]
            elif kind == 2:
                data[at : at + 1] = bytes([self.random.randrange(256)])
            elif kind == 3:
                end = self.random.randrange(at, len(data) + 1)
                data[at:at] = data[at:end]
            elif kind == 4 and at < len(data):
                data[at] ^= 1 << self.random.randrange(8)
            elif kind == 5:
                self.replace_part(data)
            else:
                data[at:at] = self.random.choice(INTRUDERS)
        return bytes(data)

    def replace_part(self, data):
        """Replaces a number, string or sign."""
        parts = list(re.finditer(rb'"(?:[^"\\]|\\.)*"|[-+.\w]+|[^\s\w]', bytes(data)))
        if parts:
            start, end = self.random.choice(parts).span()
            data[start:end] = self.random.choice(INTRUDERS)


# Texts that are always included.


def hand_picked():
    """Known corner cases of the format, short ones first."""
    texts = [
        # Every kind of value.
        "null", "true", "false", '""', "[]", "{}", " [ ] ", "\t{\n}\r\n", "[true ,false,null]",
        '"é"', '"😀"', '"\x7f"', r'"\/"', '"/"', "-0", "0", "123456789012345678901234567890",
        "1.0", "1E5", "1.10", "1e15", "1e16", "1e22", "0.0001", "1e-5", "-1e-7", "5e-324",
        '{"b":1,"a":2,"a":3}', '{"z":[{"b":1,"a":{"y":0,"x":-0.0}}]}',
        # Zeros, and numbers that round to zero.
        "0.0", "-0.0", "0e0", "-0e5", "-0E-0", "0.000e+000", "0e99999999999999999999",
        "-0e-99999999999999999999", "1e-400", "-1e-400", "1e-99999999999999999999", "[-0,-0.0]",
        # The ends of the range.
        "2.4703282292062327e-324", "2.4703282292062328e-324", "4.9e-324",
        "2.2250738585072011e-308", "2.2250738585072014e-308", "1.7976931348623157e308",
        "1.7976931348623158e308", "1.7976931348623159e308", "17976931348623157e292", "1e308",
        "1e309", "-1e309", "1e400", "1e99999999999999999999", f"{PAST_RANGE - 1}.9",
        f"{PAST_RANGE}.0", str(PAST_RANGE), "1" * 400, "-" + "9" * 400, f"0.{'0' * 400}1e401",
        f"1{'0' * 400}e-400", f"1{'0' * 400}.0e-401",
        # Two shortest texts are equally near. The even one is written, unless it
        # reads back as another double.
        "1700000000.00390625", "1700000000.01171875", "1000000000000000.25",
        "1000000000000000.75", "70368744177664.125", "5.9604644775390625e-8",
        # Digits that are hard to find, and ties when reading.
        "9007199254740993.0", "9007199254740993", "9.5367431640625e-7", "2e-44", "1e23",
        "9.999999999999999e22", "0.1e1", "123e-2", "100e-2", "1.5e300", "0.3", "4.35",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126",
        # Keys: order, equality and duplicates.
        '{"😀":1,"\uffff":2,"\ue000":3,"\ud7ff":4,"Z":5,"a":6,"":7}',
        r'{"\ud83d\ude00":1,"\uFFFF":2,"\ud7ff":3}', r'{"a":1,"b":2,"\u0061":3}',
        r'{"\/":1,"/":2}', r'{"\u00E9":1,"é":2,"e":3}', '{"ab":1,"a":2,"abc":3,"":4}',
        '{"a":{"z":1},"a":{"y":2}}', '{"a":[1,2],"a":null}', '{"a":1,"a":1,"a":1}',
        r'{"a\u0000":1,"a":2,"a\u0001":3}', '{"b":{"d":1,"c":2},"a":{"f":3,"e":4}}',
        '{"b":{"d":1,"c":2},"a":0,"b":{"f":3,"e":4}}', '{"10":1,"9":2,"1":3}',
        # Errors in replaced members.
        '{"a":1e400,"a":1}', '{"a":NaN,"a":1}', r'{"a":"\ud800","a":1}', '{"a":[1,],"a":1}',
        # Strings.
        r'"\"\\\/\b\f\n\r\t"', r'"\u0022\u005C\u002f\u0008\u000C\u000a\u000D\u0009"',
        r'"\u0000\u001f\u0020\u007e\u007f\u0080"', '" !#[]^~"', json.dumps(NOTABLE),
        json.dumps(NOTABLE[6:], ensure_ascii=False), r'"\uD83D\uDE00"', r'"\ud83d\udE00\ude0"',
        r'"\ud800\udc00\udbff\udfff"', r'"\\ud800"', r'"\\\ud800"', '"' + "a" * 300 + '"',
        # Invalid strings.
        '"', '"a', '"\\', '"\\"', r'"\u', r'"\u0"', r'"\u00"', r'"\u004"', r'"\u00 0"', r'"\u-001"',
        r'"\a"', r'"\0"', r'"\'"', "'a'", '"\n"', '"\x1f"', '"\x00"', r'"\ud800"', r'"\udc00"',
        r'"\ud800\ud800\udc00"', r'"\udc00\ud800"', r'"\ud800 \udc00"', r'"\ud800\n"',
        r'"\ud800\u12"', r'"\ud800\u0041"', r'{"\ud800":1}', r'{"\udc00\udc00":1}', '"a""b"',
        # Invalid numbers.
        "", " ", "+1", "01", "-01", "00", "1.", ".5", "-.5", "1.e1", "1e", "1e+", "1E-", "-", "--1",
        "1-", "1+1", "0x10", "1_000", "1 000", "1,5", "٣", "１", "1e1.5", "1ee1", "∞", "- 1",
        "NaN", "-NaN", "nan", "Infinity", "-Infinity", "+Infinity", "Inf", "-Inf", "[NaN]",
        # Other invalid texts.
        "nul", "nulll", "True", "tru", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "[}",
        "{", "}", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{"a" 1}', "{a:1}", "{1:2}",
        '{,"a":1}', '{"a":1 "b":2}', '{"a":1;"b":2}', "[1];", "1 2", "{}{}", "[]/", "/**/1", "#",
        "\ufeff1", "\xa01", "\u20281", "1\x0b", "1\x0c", "1\x00", "\x00", "[1,\u30001]",
    ]  # fmt: skip
    # Doubles where the notation or the digits change, and their neighbours.
    for value in BOUNDARIES:
        texts += [repr(neighbour(value, steps)) for steps in (-2, -1, 0, 1, 2)]
    for power in (-323, -308, -22, -6, -5, -4, -3, 14, 15, 16, 17, 18, 20, 21, 24, 99, 100, 308):
        texts += [f"1e{power}", f"-9.5E{power - 1:+}", f"123456789e{power - 8}"]
    for power in (24, 31, 52, 53, 54, 63, 64, 65, 128):
        texts += [str(2**power + step) for step in (-1, 0, 1)]
        texts += [f"{2**power + step}.0" for step in (-1, 0, 1)]
    # Halfway cases that differ in the last of many digits.
    for value in (5e-324, 0.1, 1.0, 2.0**53, 1e22, 1.5e300):
        texts += [format(halfway(value), "e"), format(halfway(value), "e").replace("e", "01e")]
    texts += [f"{exact(value):f}" for value in (5e-324, 0.1, 2.0**1023)]
    # As deep as allowed, and one level deeper.
    texts += ["[" * levels + "]" * levels for levels in (MAX_DEPTH, MAX_DEPTH + 1)]
    texts += ['{"":' * (levels - 1) + "{}" + "}" * (levels - 1) for levels in (999, 1000, 1001)]
    texts += ["[" * 2_000, f"[{'[],' * 1_001}[]]", f'["{"[" * 1_001}"]']
    return [text.encode("utf-8") for text in texts] + [
        # Invalid UTF-8: cut off, overlong, a surrogate, beyond the last plane.
        b'"\xff"', b'"\x80"', b'"\xc3"', b'"\xc3', b'"\xc0\x80"', b'"\xc1\xbf"', b'"\xe0\x80\xaf"',
        b'"\xe2\x82"', b'"\xed\xa0\xbd\xed\xb8\x80"', b'"\xed\xa0\x80"', b'"\xf0\x9f\x98"',
        b'"\xf0\x80\x80\x80"', b'"\xf4\x90\x80\x80"', b'"\xf5\x80\x80\x80"', b"1 \xff",
        b"\xef\xbb\xbf1", '"UTF-16"'.encode("utf-16"), '"é"'.encode("latin-1"),
    ]  # fmt: skip


def oversized():
    """Corner cases too large for the vector file."""
    texts = ["7" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000, "[" * 1_000_000]
    # Exponents that cancel many zeros, or nearly.
    for zeros in (65_536, 69_999, 655_360, 1_000_000):
        texts += [
            f"0.{'0' * zeros}1e{zeros + 1}", f"0.{'0' * zeros}25e{zeros + 300}",
            f"1{'0' * zeros}e-{zeros}", f"-17{'0' * zeros}.0E-{zeros + 320}",
            f"0.{'0' * zeros}1e{zeros * 10}", f"1{'0' * zeros}e-{zeros * 10}",
            f"0.{'0' * zeros}1e{zeros + 310}", f"0.{'3' * zeros}", f"{'3' * zeros}e-{zeros}",
        ]  # fmt: skip
    many = list(range(20_000))
    random.Random(0).shuffle(many)
    texts.append("{" + ",".join(f'"{each // 2}":{each}' for each in many) + "}")
    return [text.encode("utf-8") for text in texts]


# Comparing.


def all_texts(count, seed):
    """The hand-picked texts, then random ones, `count` in total."""
    picked = hand_picked() + oversized()
    yield from picked[:count]
    writer = Writer(seed)
    for _ in range(count - len(picked)):
        yield writer.text()


def chunks(items, size):
    """The items in lists of `size`; the last list may be shorter."""
    chunk = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def answers(command, texts):
    """The program's canonical text for each text, or its `error: ...`. If it
    crashes, the last answer says how."""
    lines = "".join(text.hex() + "\n" for text in texts)
    run = subprocess.run(
        command, cwd=REPOSITORY, input=lines, stdout=subprocess.PIPE, encoding="utf-8"
    )
    found = run.stdout.split("\n")[:-1]
    if run.returncode != 0:
        if not found:
            sys.exit(f"`{' '.join(map(str, command))}` exited with status {run.returncode}")
        found = found[: len(texts) - 1] + [f"died with exit status {run.returncode}"]
    elif len(found) != len(texts):
        sys.exit(f"{len(texts)} texts went in, but {len(found)} answers came out")
    return found


def compare(command, count, seed):
    """Prints the differences and a summary, and returns whether there were none."""
    seen = valid = differences = 0
    for texts in chunks(all_texts(count, seed), TEXTS_A_RUN):
        for text, answer in zip(texts, answers(command, texts)):
            seen += 1
            wanted = expected(text)
            valid += wanted is not None
            agrees = answer.startswith("error: ") if wanted is None else answer == wanted
            if agrees:
                continue
            differences += 1
            if differences <= DIFFERENCES_SHOWN:
                print(f"text {seen} of seed {seed}: {clipped(repr(text)[1:])}")
                print(f"  CPython:  {clipped(wanted) if wanted is not None else 'refused'}")
                print(f"  fourzero: {clipped(answer)}")
    print(f"{seen} texts ({valid} valid, {seen - valid} refused): {differences} differences")
    return differences == 0


def clipped(text, most=400):
    if len(text) <= most:
        return text
    return f"{text[: most // 2]} ...({len(text) - most} more)... {text[-most // 2 :]}"


def write_vectors(path, count, seed):
    """Writes the hand-picked texts and `count` short random ones, each with
    CPython's canonical text, or null if it must be refused."""
    texts = hand_picked()
    known = set(texts)
    writer = Writer(seed)
    for _ in range(count):
        text = writer.text()
        while len(text) > VECTOR_BYTES or text in known:
            text = writer.text()
        known.add(text)
        texts.append(text)
    target = sys.stdout.fileno() if path == "-" else path
    with open(target, "w", encoding="ascii", newline="\n") as out:
        for text in texts:
            try:
                vector = {"text": text.decode("utf-8")}
            except UnicodeDecodeError:
                vector = {"hex": text.hex()}
            vector["canonical"] = expected(text)
            out.write(json.dumps(vector) + "\n")


def main():
    what, _, more = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=what, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--count",
        type=int,
        metavar="N",
        help="texts to compare (default 200000), or random texts to write as vectors "
        f"(default {VECTOR_COUNT})",
    )
    parser.add_argument("--seed", type=int, default=1, help="choose the random texts (default 1)")
    parser.add_argument(
        "--binary",
        type=Path,
        metavar="PATH",
        help="use this built canonical_lines instead of cargo run",
    )
    parser.add_argument(
        "--write-vectors",
        metavar="FILE",
        help="write texts with CPython's answers as JSON Lines (- is stdout); compare nothing",
    )
    arguments = parser.parse_args()

    # Lift limits of Python that JSON does not have: the digits of an integer and
    # the recursion depth.
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    sys.setrecursionlimit(20 * MAX_DEPTH)

    if arguments.write_vectors:
        count = VECTOR_COUNT if arguments.count is None else arguments.count
        write_vectors(arguments.write_vectors, count, arguments.seed)
        return 0
    command = [arguments.binary.resolve()] if arguments.binary else CARGO_COMMAND
    count = 200_000 if arguments.count is None else arguments.count
    return 0 if compare(command, count, arguments.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
