import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import { isTargetName, parseUserName } from "./addressing.ts";

test("the last plus separates the login from the target", () => {
  const table: [string, ReturnType<typeof parseUserName>][] = [
    ["root+web-01", { kind: "account", login: "root", targetName: "web-01" }],
    ["svc+backup+web-01", { kind: "account", login: "svc+backup", targetName: "web-01" }],
    ["a++web-01", { kind: "account", login: "a+", targetName: "web-01" }],
    ["++web-01", { kind: "account", login: "+", targetName: "web-01" }],
    ["CORP\\alice+db.prod", { kind: "account", login: "CORP\\alice", targetName: "db.prod" }],
    ["root%x+web-01", { kind: "account", login: "root%x", targetName: "web-01" }],
    ["root+WEB-01", { kind: "account", login: "root", targetName: "web-01" }],
    ["alice@example.org+web-01", { kind: "account", login: "alice@example.org", targetName: "web-01" }],
    ["demo", { kind: "bare", name: "demo" }],
    ["root%web-01", { kind: "bare", name: "root%web-01" }],
    ["", { kind: "bare", name: "" }],
  ];
  for (const [userName, address] of table) assert.deepEqual(parseUserName(userName), address, userName);
});

test("a user name that addresses nothing is refused with a hint", () => {
  for (const userName of [
    "+web-01",
    "root+",
    "+",
    "root+web 01",
    "root+-web",
    "a\u001b[2J+web",
    "x".repeat(300),
  ])
    assert.throws(
      () => parseUserName(userName),
      (error) => isGatehouseError(error, "invalid") && error.hint !== undefined,
      JSON.stringify(userName),
    );
});

test("target names are DNS-like", () => {
  for (const name of ["a", "web-01", "db.prod.example", "0", "1.2.3.4"]) assert.ok(isTargetName(name), name);
  for (const name of ["", "-a", "a-", ".", "A", "a+b", "a b", "ä", "a/b", "x".repeat(254)])
    assert.ok(!isTargetName(name), name);
});
