import assert from "node:assert/strict";
import { test } from "node:test";
import { isIn } from "./networks.ts";

test("an address is in a network of its own family, also where IPv4 comes as IPv6", () => {
  assert.equal(isIn(["10.0.0.0/8"], "10.255.0.1"), true);
  assert.equal(isIn(["10.0.0.0/8"], "::ffff:10.255.0.1"), true);
  assert.equal(isIn(["10.0.0.0/8"], "11.0.0.1"), false);
  assert.equal(isIn(["192.0.2.7"], "192.0.2.7"), true);
  assert.equal(isIn(["2001:db8::/32"], "2001:db8:1::9"), true);
  assert.equal(isIn(["fe80::/10"], "fe80::1%eth0"), true);
  assert.equal(isIn(["2001:db8::/32"], "10.0.0.1"), false);
  assert.equal(isIn(["0.0.0.0/0"], "2001:db8::1"), false);
});

test("what is no address, and what is no network, is in nothing", () => {
  for (const address of ["", "unknown", "10.0.0", "10.0.0.1:22", "localhost"])
    assert.equal(isIn(["0.0.0.0/0", "::/0"], address), false, address);
  assert.equal(isIn([], "10.0.0.1"), false);
  assert.equal(isIn(["nonsense", "also/8"], "10.0.0.1"), false);
});
