import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { isGatehouseError } from "@gatehouse/kernel";
import { Secret } from "./secret.ts";

test("no way of printing a secret shows it", () => {
  const secret = Secret.ofText("hunter2");
  const holder = { name: "root", secret, list: [secret] };
  const printed = [
    String(secret),
    `${secret as unknown as string}.`,
    secret + "",
    JSON.stringify(holder),
    inspect(holder, { depth: 9, showHidden: true }),
    format("%s %o %O %j", secret, secret, secret, secret),
    JSON.stringify({ ...secret }),
    JSON.stringify(Object.entries(secret)),
    inspect(new Error("x", { cause: holder }), { depth: 9 }),
  ];
  for (const text of printed) assert.ok(!text.includes("hunter2") && !text.includes("104,"), text);
  assert.equal(printed[0], "[secret]");
  assert.equal(printed[3], '{"name":"root","secret":"[secret]","list":["[secret]"]}');
});

test("a wiped secret is gone, and says so", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const secret = new Secret(bytes);
  assert.deepEqual(secret.bytes(), Uint8Array.of(1, 2, 3));
  secret.wipe();
  secret.wipe();
  assert.deepEqual(bytes, new Uint8Array(3));
  assert.throws(
    () => secret.text(),
    (error) => isGatehouseError(error, "conflict"),
  );
});
