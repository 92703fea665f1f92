#!/usr/bin/env python3
"""Reads and verifies a Gatehouse recording, format version 1.

Written from docs/format.md alone, in another language, to show that the page is enough. It favours being read over
being fast. Needs the package `cryptography`; for compressed blocks Python 3.14 or the package `zstandard`.

    read_recording.py FOLDER --signer HEX [--identity FILE]

Prints one JSON document: {"findings": [...], "withheld": [...], "frames": [...]}. Ends with 1 when there are findings.
"""
import argparse
import base64
import hashlib
import hmac
import json
import pathlib
import re
import struct
import sys

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

try:
    from compression import zstd as _zstd

    def unzstd(data, size):
        return _zstd.decompress(data)
except ImportError:
    import zstandard as _zstd

    def unzstd(data, size):
        return _zstd.ZstdDecompressor().decompress(data, max_output_size=size)


LANES = ["main", "input"]
KINDS = {
    0x00: "session.start", 0x01: "session.end", 0x02: "notice", 0x03: "pause", 0x04: "resume", 0x05: "join",
    0x06: "leave", 0x07: "break", 0x08: "terminate", 0x20: "output", 0x21: "input", 0x22: "resize", 0x23: "env", 0x24: "signal",
    0x25: "exit", 0x26: "request", 0x28: "stdin", 0x29: "stdout", 0x2A: "stderr", 0x2B: "digest", 0x2C: "eof",
    0x30: "file", 0x38: "forward.open", 0x39: "forward.close", 0x40: "query", 0x41: "query.outcome",
    0x42: "query.secret", 0x43: "query.rows", 0x44: "query.data",
}
FRAME_MAX = 16 * 1024 * 1024
RUN_MAX = 32 * 1024 * 1024


class Refused(Exception):
    """The object is not valid."""


def need(condition, message):
    if not condition:
        raise Refused(message)


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        need(length <= len(self.data) - self.at, "truncated")
        self.at += length
        return self.data[self.at - length : self.at]

    def uint(self, length):
        value = int.from_bytes(self.take(length), "big")
        need(value < 2**53, "a number above 2^53-1")
        return value

    def varint(self):
        value = 0
        for i in range(8):
            byte = self.uint(1)
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                need(value < 2**53 and not (byte == 0 and i > 0), "bad varint")
                return value
        raise Refused("bad varint")


# Section 5.
def canonical(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        need(0 <= value < 2**53, "a number out of range")
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    need(isinstance(value, dict), "a value that canonical JSON does not have")
    return "{" + ",".join(f"{canonical(k)}:{canonical(value[k])}" for k in sorted(value)) + "}"


def parse_canonical(data):
    try:
        value = json.loads(data.decode("utf-8"))
        again = canonical(value).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}")
    need(again == data, "not canonical JSON")
    return value


def signed_by(public_key, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        return True
    except InvalidSignature:
        return False


# Section 3: takes a segment apart, nothing decrypted.
def parse_segment(data):
    c = Cursor(data)
    need(c.take(8) == b"\x89GHSEG\r\n", "not a segment")
    need(c.uint(2) == 1, "another version")
    s = {"type": c.uint(1)}
    need(s["type"] in (0, 1) and c.uint(1) == 0, "bad type")
    s["id"] = c.take(16)
    s["n"] = c.uint(4)
    s["previous"] = c.take(32)
    s["frames"] = c.uint(4)
    for field in ("firstSeq", "lastSeq", "firstTimeUs", "lastTimeUs"):
        s[field] = c.uint(8)
    s["opening"] = c.take(c.uint(4))
    need((s["n"] == 0) == (len(s["opening"]) > 0), "an opening belongs in segment 0")
    need(0 < s["frames"] <= s["lastSeq"] - s["firstSeq"] + 1, "frames do not fit the span")
    if s["type"] == 0:
        s["blocks"] = []
        for _ in range(c.uint(1)):
            lane, codec, frames, plain, stored = struct.unpack(">BBIII", c.take(14))
            need(lane < 2 and codec < 2 and max(plain, stored) <= RUN_MAX, "bad block")
            s["blocks"].append({"lane": lane, "codec": codec, "frames": frames, "plain": plain,
                                "stored": stored, "nonce": c.take(12)})
        s["head"] = data[: c.at]
        for block in s["blocks"]:
            block["sealed"] = c.take(block["stored"] + 16)
        need(sum(block["frames"] for block in s["blocks"]) == s["frames"], "frame counts")
        need(len({block["lane"] for block in s["blocks"]}) == len(s["blocks"]) >= 1, "lanes")
    else:
        count, length = c.uint(4), c.uint(4)
        s["records"] = parse_records(c.take(length), s)
        need(len(s["records"]) == count, "record count")
    kind = c.uint(1)
    need(kind in (0, 1), "signature kind")
    s["publicKey"] = c.take(32) if kind else None
    s["signed"] = data[: c.at]
    s["signature"] = c.take(64) if kind else None
    need(c.at == len(data), "bytes after the end")
    return s


# Section 3.3.
def parse_records(data, segment):
    c, records, last = Cursor(data), [], {0: -1, 1: -1}
    while c.at < len(data):
        header = c.take(74)
        h = Cursor(header)
        need(h.take(4) == b"GHR1", "not a record")
        lane = h.uint(1)
        need(lane < 2 and h.uint(1) == 0, "bad lane")
        need(h.take(16) == segment["id"], "a record of another recording")
        r = {"lane": lane, "aad": header, "frames": h.uint(4)}
        for field in ("firstSeq", "lastSeq", "firstTimeUs", "lastTimeUs"):
            r[field] = h.uint(8)
        length = h.uint(4)
        need(length <= RUN_MAX, "a record too large")
        r["nonce"] = h.take(12)
        r["sealed"] = c.take(length + 16)
        need(segment["firstSeq"] <= r["firstSeq"] and r["lastSeq"] <= segment["lastSeq"], "record's span")
        need(r["firstSeq"] > last[lane], "record order")
        last[lane] = r["lastSeq"]
        records.append(r)
    need(sum(r["frames"] for r in records) == segment["frames"], "frame counts")
    return records


# Section 2.
def frames_of(run, first_seq, first_time, lane, count):
    c, frames, seq, time = Cursor(run), [], first_seq, first_time
    while c.at < len(run):
        code, delta = c.uint(1), c.varint()
        need(delta > 0 or not frames, "a sequence twice")
        seq += delta
        time += c.varint()
        stream, length = c.varint(), c.varint()
        need(length <= FRAME_MAX, "a frame too large")
        data = c.take(length)
        kind = KINDS.get(code)
        need(kind is None or (kind in ("input", "stdin", "query.secret")) == (lane == 1), "a kind in the wrong lane")
        frames.append({"seq": seq, "timeUs": time, "kind": kind, "stream": stream,
                       "data": base64.b64encode(data).decode()})
    need(len(frames) == count, "frame count")
    return frames


def open_segment(s, keys):
    frames = []
    for part in s["blocks"] if s["type"] == 0 else s["records"]:
        key = keys.get(part["lane"])
        if key is None:
            continue
        aad = s["head"] if s["type"] == 0 else part["aad"]
        run = AESGCM(key).decrypt(part["nonce"], part["sealed"], aad)
        if part.get("codec") == 1:
            run = unzstd(run, part["plain"])
            need(len(run) == part["plain"], "a block's length")
        base = s if s["type"] == 0 else part
        frames += frames_of(run, base["firstSeq"], base["firstTimeUs"], part["lane"], part["frames"])
    return sorted(frames, key=lambda frame: frame["seq"])


# age-encryption.org/v1, X25519 recipients.
def bech32_secret(text):
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = value = 0
    out = bytearray()
    for letter in text.lower().rsplit("1", 1)[1][:-6]:
        value, bits = (value << 5 | alphabet.index(letter)) & 0xFFF, bits + 5
        if bits >= 8:
            bits -= 8
            out.append(value >> bits & 0xFF)
    return bytes(out)


def hkdf(key, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(key)


def age_open(data, secret):
    head, _, rest = data.partition(b"\n---")
    mac, _, payload = rest.partition(b"\n")
    private = X25519PrivateKey.from_private_bytes(secret)
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    unpad = lambda text: base64.b64decode(text + b"=" * (-len(text) % 4))
    for share, body in re.findall(rb"-> X25519 (\S+)\n(\S+)", head):
        shared = private.exchange(X25519PublicKey.from_public_bytes(unpad(share)))
        wrap = hkdf(shared, unpad(share) + raw, b"age-encryption.org/v1/X25519")
        try:
            file_key = ChaCha20Poly1305(wrap).decrypt(bytes(12), unpad(body), None)
        except InvalidTag:
            continue
        expected = hmac.digest(hkdf(file_key, b"", b"header"), head + b"\n---", "sha256")
        need(hmac.compare_digest(expected, unpad(mac.strip())), "age header")
        payload_key = hkdf(file_key, payload[:16], b"payload")
        return ChaCha20Poly1305(payload_key).decrypt(bytes(11) + b"\x01", payload[16:], None)
    return None


# Section 4.
def unwrap(keys, recording_id, secret):
    opened = {}
    for number, lane in enumerate(LANES):
        for wrap in keys[lane]:
            plain = age_open(base64.b64decode(wrap["data"]), secret) if wrap["type"] == "age" else None
            if plain:
                need(len(plain) == 50 and plain[:1] == b"\x01", "a wrapped key")
                need(plain[1:17] == recording_id and plain[17] == number, "a key of something else")
                opened[number] = plain[18:]
    return opened


# Section 4.1.
def rewrapped(path, manifest, trusted):
    try:
        again = parse_canonical(path.read_bytes())
        need(set(again) == {"format", "version", "recordingId", "n", "at", "manifestSha256", "keys", "signer",
                            "signature"}, "fields")
        need(again["format"] == "gatehouse-recording-keys" and again["version"] == 1, "format")
        public_key = base64.b64decode(again["signer"]["publicKey"])
        unsigned = {name: value for name, value in again.items() if name != "signature"}
        message = b"gatehouse recording keys v1\n" + canonical(unsigned).encode()
        need(signed_by(public_key, base64.b64decode(again["signature"]), message), "signature")
    except (Refused, KeyError, TypeError, ValueError):
        return None, "keys_altered"
    if again["recordingId"] != manifest["recordingId"]:
        return None, "keys_foreign"
    whole = hashlib.sha256(canonical(manifest).encode()).hexdigest()
    if path.name != f"keys-{again['n']:04}.json" or again["manifestSha256"] != whole:
        return None, "keys_altered"
    return again["keys"], None if public_key in trusted else "wrong_signer"


# Section 6.1: takes so many frames of this span from what a break says was lost.
def stated(breaks, first, last, frames):
    for one in breaks:
        if one["firstSeq"] <= first and last <= one["lastSeq"]:
            one["lost"] = one.get("lost", 0) + frames
            return one["lost"] <= one["frames"]
    return False


# Section 9.
def verify(folder, trusted, secret):
    findings, frames, withheld = [], [], []
    path = folder / "manifest.json"
    if not path.exists():
        return ["manifest_missing"], withheld, frames
    try:
        manifest = parse_canonical(path.read_bytes())
        need(manifest["format"] == "gatehouse-recording" and manifest["version"] in (1, 2), "format")
        breaks = manifest.get("breaks", [])
        need((manifest["version"] == 2) == (len(breaks) > 0), "breaks")
    except Refused:
        return ["manifest_malformed"], withheld, frames
    public_key = base64.b64decode(manifest["signer"]["publicKey"])
    unsigned = {name: value for name, value in manifest.items() if name != "signature"}
    message = b"gatehouse recording manifest v1\n" + canonical(unsigned).encode()
    if manifest["signature"] == "":
        findings.append("manifest_unsigned")
    elif not signed_by(public_key, base64.b64decode(manifest["signature"]), message):
        findings.append("manifest_altered")
    if public_key != trusted:
        findings.append("wrong_signer")
    recording_id = bytes.fromhex(manifest["recordingId"].replace("-", ""))
    candidates = []
    for path in sorted(folder.glob("keys-[0-9][0-9][0-9][0-9].json")):
        again, fault = rewrapped(path, manifest, {public_key, trusted})
        if fault:
            findings.append(fault)
        else:
            candidates.insert(0, again)
    keys = {}
    for wrapped in [*candidates, manifest["keys"]] if secret else []:
        keys = {**unwrap(wrapped, recording_id, secret), **keys}
    withheld = [lane for number, lane in enumerate(LANES) if secret and number not in keys]
    if sum(entry["frames"] for entry in manifest["segments"]) != manifest["frames"]:
        findings.append("frame_count")
    if manifest["segments"][-1]["sha256"] != manifest["headSha256"]:
        findings.append("manifest_inconsistent")

    previous, next_seq, last_time = bytes(32), 0, 0
    for n, entry in enumerate(manifest["segments"]):
        add = lambda name: findings.append(f"{name}@{n}")
        path = folder / entry["name"]
        data = path.read_bytes() if path.exists() else None
        linked, before_seq, before_time = previous, next_seq, last_time
        previous, next_seq = bytes.fromhex(entry["sha256"]), entry["lastSeq"] + 1
        last_time = entry["lastTimeUs"]
        if data is None:
            if not stated(breaks, entry["firstSeq"], entry["lastSeq"], entry["frames"]):
                add("segment_missing")
            continue
        if hashlib.sha256(data).digest() != previous:
            add("segment_truncated" if len(data) < entry["bytes"] else "segment_altered")
            continue
        try:
            s = parse_segment(data)
            if s["id"] != recording_id:
                add("segment_foreign")
                continue
            message = b"gatehouse recording segment v1\n" + hashlib.sha256(s["signed"]).digest()
            if s["signature"] is None:
                add("segment_unsigned")
            elif s["publicKey"] != trusted:
                add("wrong_signer")
            elif not signed_by(s["publicKey"], s["signature"], message):
                add("segment_altered")
            if s["n"] != n or any(s[f] != entry[f] for f in ("frames", "firstSeq", "lastSeq", "firstTimeUs", "lastTimeUs")):
                add("manifest_inconsistent")
            if n == 0 and parse_canonical(s["opening"]) != {"facts": manifest["facts"], "keys": manifest["keys"]}:
                add("manifest_inconsistent")
            if s["previous"] != linked:
                add("chain_broken")
            before = s["firstSeq"] - before_seq
            within = s["lastSeq"] - s["firstSeq"] + 1 - s["frames"]
            if before > 0 and not stated(breaks, before_seq, s["firstSeq"] - 1, before):
                add("seq_gap")
            if within > 0 and not stated(breaks, s["firstSeq"], s["lastSeq"], within):
                add("seq_gap")
            if s["firstSeq"] < before_seq:
                add("seq_repeated")
            if s["firstTimeUs"] < before_time:
                add("time_backwards")
            opened = open_segment(s, keys)
        except Refused as error:
            add(f"segment_malformed ({error})")
            continue
        except InvalidTag:
            add("undecryptable")
            continue
        if len(keys) == 2 and [f["seq"] for f in opened] != list(range(s["firstSeq"], s["lastSeq"] + 1)):
            add("seq_gap")
        if any(a["timeUs"] > b["timeUs"] for a, b in zip(opened, opened[1:])):
            add("time_backwards")
        frames += opened
    if 0 in keys and not findings:
        if frames[0]["kind"] != "session.start":
            findings.append("end_missing")
        if manifest["state"] == "complete" and frames[-1]["kind"] != "session.end":
            findings.append("end_missing")
    return findings, withheld, frames


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--signer", required=True, help="the trusted Ed25519 public key, 64 hexadecimal digits")
    parser.add_argument("--identity", type=pathlib.Path, help="a file with an age identity")
    args = parser.parse_args()
    secret = bech32_secret(args.identity.read_text().strip()) if args.identity else None
    findings, withheld, frames = verify(args.folder, bytes.fromhex(args.signer), secret)
    json.dump({"findings": findings, "withheld": withheld, "frames": frames}, sys.stdout)
    print()
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
