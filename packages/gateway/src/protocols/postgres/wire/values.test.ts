import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, utf8 } from "@gatehouse/kernel";
import { readValue } from "./values.ts";

test("binary values read as the server would write them", () => {
  const cases: [oid: number, hex: string, text: string | undefined][] = [
    [16, "01", "t"],
    [17, "00ff", "\\x00ff"],
    [20, "fffffffffffffffe", "-2"],
    [21, "8000", "-32768"],
    [23, "0000002a", "42"],
    [26, "ffffffff", "4294967295"],
    [700, "3dcccccd", "0.1"],
    [701, "3fb999999999999a", "0.1"],
    [1082, "00000000", "2000-01-01"],
    [1082, "ffffffff", "1999-12-31"],
    [1083, "0000000a7b2204e0", "12:30:15.5"],
    [1114, "0000000000000000", "2000-01-01 00:00:00"],
    [1184, "ffffffffffffffff", "1999-12-31 23:59:59.999999+00"],
    [1114, "7fffffffffffffff", "infinity"],
    [1700, "0003000100000003000109291a7c", "12345.678"],
    [1700, "0001ffff400000040001", "-0.0001"],
    [1700, "00000000c0000000", "NaN"],
    [2950, "550e8400e29b41d4a716446655440000", "550e8400-e29b-41d4-a716-446655440000"],
    [3802, "017b7d", "{}"],
    // Another length than the type's, an unknown type: bytes that are shown as they are.
    [23, "00", undefined],
    [600, "00", undefined],
  ];
  for (const [oid, hex, text] of cases) assert.equal(readValue(fromHex(hex), 1, oid), text, `${oid} ${hex}`);
  assert.equal(readValue(utf8("grün"), 0, 0), "grün");
  assert.equal(readValue(Uint8Array.of(0xff), 0, 25), undefined);
});
