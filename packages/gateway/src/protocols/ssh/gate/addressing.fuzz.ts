import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isGatehouseError } from "@gatehouse/kernel";
import { formatUserName, isTargetName, parseUserName } from "./addressing.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);
const targetNames = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/);
const logins = fc
  .string({ minLength: 1, maxLength: 40, unit: "grapheme" })
  // eslint-disable-next-line no-control-regex
  .filter((text) => !/[\u0000-\u001f\u007f-\u009f]/.test(text));

test("what is formatted is parsed back, whatever the login", () => {
  fc.assert(
    fc.property(logins, targetNames, (login, targetName) => {
      assert.deepEqual(parseUserName(formatUserName(login, targetName)), {
        kind: "account",
        login,
        targetName,
      });
    }),
    { numRuns },
  );
});

test("any user name is an address or a typed refusal, and an address loses nothing", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300, unit: "binary" }), (userName) => {
      try {
        const address = parseUserName(userName);
        if (address.kind === "bare") assert.equal(address.name, userName);
        else {
          assert.ok(isTargetName(address.targetName));
          const typed = formatUserName(address.login, address.targetName);
          assert.equal(typed.length, userName.length);
          assert.ok(userName.startsWith(`${address.login}+`));
        }
      } catch (error) {
        assert.ok(isGatehouseError(error, "invalid"), String(error));
      }
    }),
    { numRuns },
  );
});
