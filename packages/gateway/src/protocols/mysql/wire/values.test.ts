import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@gatehouse/kernel";
import { FieldReader } from "./fields.ts";
import { readBinaryValue, typeName, unsignedFlag } from "./values.ts";

function read(type: number, hex: string): string {
  const reader = new FieldReader(Buffer.from(hex, "hex"), "mysql.test");
  const value = readBinaryValue(reader, type);
  assert.equal(reader.remaining, 0);
  return "text" in value ? value.text : `0x${toHex(value.bytes)}`;
}

test("binary values read as the server would write them", () => {
  assert.equal(read(0x01, "ff"), "-1");
  assert.equal(read(0x01 | unsignedFlag, "ff"), "255");
  assert.equal(read(0x02, "00 80".replaceAll(" ", "")), "-32768");
  assert.equal(read(0x03, "ffffff7f"), "2147483647");
  assert.equal(read(0x08, "0000000000000080"), "-9223372036854775808");
  assert.equal(read(0x08 | unsignedFlag, "ffffffffffffffff"), "18446744073709551615");
  assert.equal(read(0x04, "cdcc8c3f"), "1.1");
  assert.equal(read(0x05, "9a9999999999f13f"), "1.1");
  assert.equal(read(0x0a, "04ea070b1a"), "2026-11-26");
  assert.equal(read(0x0c, "07ea070b1a0d0e0f"), "2026-11-26 13:14:15");
  assert.equal(read(0x0c, "0bea070b1a0d0e0f40e20100"), "2026-11-26 13:14:15.123456");
  assert.equal(read(0x07, "00"), "0000-00-00 00:00:00");
  assert.equal(read(0x0b, "0801020000000304 05".replaceAll(" ", "")), "-51:04:05");
  assert.equal(read(0x0b, "0c0000000000010203e8030000"), "01:02:03.001000");
  assert.equal(read(0xf6, "0431322e35"), "12.5");
  assert.equal(read(0xfd, "046772c3bc"), "grü");
  assert.equal(read(0xfc, "0300ff80"), "0x00ff80");
  assert.equal(typeName(0x08 | unsignedFlag), "bigint unsigned");
});
