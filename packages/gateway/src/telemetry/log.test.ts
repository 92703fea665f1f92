import assert from "node:assert/strict";
import { test } from "node:test";
import { GatehouseError, TestClock } from "@gatehouse/kernel";
import { type LogLevel, createLog } from "./mod.ts";

function open(format: "json" | "text", level: LogLevel = "debug") {
  const lines: string[] = [];
  const clock = new TestClock();
  const log = createLog({
    level,
    format,
    sink: { write: (line) => lines.push(line) },
    nowMs: () => clock.nowMs(),
  });
  return { log, lines, json: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("a line is JSON with time, level, message and its fields", () => {
  const { log, lines, json } = open("json");
  log.with({ session: "s1" }).warn("the target is slow", { target: "web-01", duration_ms: 12 });
  assert.deepEqual(json(), [
    {
      level: "warn",
      time: "2026-02-10T14:30:00.000Z",
      session: "s1",
      target: "web-01",
      duration_ms: 12,
      message: "the target is slow",
    },
  ]);
  assert.ok(lines[0]?.endsWith("\n"));
});

test("a field that nobody classified is not written", () => {
  const { log, lines, json } = open("json");
  log.info("x", { password: "hunter2", user: { password: "hunter2" } } as never);
  assert.equal(json()[0]?.["password"], "[unclassified]");
  assert.equal(json()[0]?.["user"], "[unclassified]");
  assert.ok(!lines.join("").includes("hunter2"));
});

test("an error is told with its code, operation, hint and causes; a bug with its place", () => {
  const { log, json } = open("json");
  const cause = Object.assign(new Error("disk"), { password: "hunter2" });
  log.error("lost", {
    error: new GatehouseError({
      code: "unavailable",
      op: "a.b",
      message: "no room",
      hint: "Free space.",
      cause,
    }),
  });
  log.error("bug", { error: new TypeError("x is undefined") });
  log.error("odd", { error: "text" });
  const [lost, bug, odd] = json();
  const { level: _, time: __, ...rest } = lost ?? {};
  assert.deepEqual(rest, {
    message: "lost",
    error: "no room",
    error_code: "unavailable",
    op: "a.b",
    hint: "Free space.",
    cause: "disk",
  });
  assert.match(String(bug?.["stack"]), /TypeError: x is undefined\n\s+at .*log\.test/);
  assert.equal(odd?.["error"], "text");
});

test("less severe lines are left out", () => {
  const { log, json } = open("json", "warn");
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  assert.deepEqual(
    json().map((line) => line["message"]),
    ["c", "d"],
  );
});

test("the readable form is one line, whatever a name holds", () => {
  const { log, lines } = open("text");
  log.info("signed in", { user: "jane", reason: "two words", count: 3 });
  log.warn("bad\u001b[2J name\nfake line", { user: "a\u001b]0;x\u0007\n12:00 error", login: "\u202eroot" });
  assert.deepEqual(lines, [
    '14:30:00.000 info  signed in user=jane reason="two words" count=3\n',
    '14:30:00.000 warn  bad\\u001b[2J name\\u000afake line user="a\\u001b]0;x\\u0007\\n12:00 error" login="\\u202eroot"\n',
  ]);
});

test("a very long text is cut", () => {
  const { log, json } = open("json");
  log.info("x", { detail: "y".repeat(10_000) });
  assert.equal(String(json()[0]?.["detail"]).length, 4099);
});
