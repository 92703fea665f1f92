import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatAddress,
  formatDuration,
  formatSize,
  parseAddress,
  parseDuration,
  parseSize,
} from "./units.ts";

test("durations are read with their unit only", () => {
  assert.deepEqual(parseDuration("30m"), { ms: 1_800_000 });
  assert.deepEqual(parseDuration("1h30m"), { ms: 5_400_000 });
  assert.deepEqual(parseDuration("1d2h3m4s5ms"), { ms: 93_784_005 });
  assert.deepEqual(parseDuration("0s"), { ms: 0 });
  for (const text of ["", "30", "30 m", "m", "1.5h", "-1s", "1w", "1h 30m", "1e3s", "12345678901s"])
    assert.equal(parseDuration(text), undefined, text);
});

test("sizes are read in powers of two only", () => {
  assert.deepEqual(parseSize("16 MiB"), { bytes: 16_777_216 });
  assert.deepEqual(parseSize("16MiB"), { bytes: 16_777_216 });
  assert.deepEqual(parseSize("64 B"), { bytes: 64 });
  assert.deepEqual(parseSize("2 TiB"), { bytes: 2 ** 41 });
  for (const text of ["", "16", "16MB", "16 mib", "1.5 GiB", "-1 B", "16  MiB", "999999999999 TiB"])
    assert.equal(parseSize(text), undefined, text);
});

test("addresses are host and port, IPv6 in brackets", () => {
  assert.deepEqual(parseAddress("127.0.0.1:3022"), { host: "127.0.0.1", port: 3022 });
  assert.deepEqual(parseAddress("[::1]:0"), { host: "::1", port: 0 });
  assert.deepEqual(parseAddress("gate.example.com:65535"), { host: "gate.example.com", port: 65_535 });
  for (const text of [
    "",
    "3022",
    ":3022",
    "::1:3022",
    "host",
    "host:65536",
    "host:-1",
    "ho st:1",
    "[host]:1",
    "http://h:1",
  ])
    assert.equal(parseAddress(text), undefined, text);
});

test("what is written is read back", () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 40),
      fc.nat(2 ** 45),
      fc.ipV6(),
      fc.ipV4(),
      fc.nat(65_535),
      (ms, bytes, v6, v4, port) => {
        assert.deepEqual(parseDuration(formatDuration({ ms })), { ms });
        const written = formatSize({ bytes });
        if (/^\d{1,12} /.test(written)) assert.deepEqual(parseSize(written), { bytes });
        for (const host of [v4, ...(v6.includes(":") ? [v6] : [])])
          assert.deepEqual(parseAddress(formatAddress({ host, port })), { host, port });
      },
    ),
  );
});
