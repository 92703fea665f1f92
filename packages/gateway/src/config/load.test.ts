import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import fc from "fast-check";
import { z } from "zod";
import { checkConfig, configKeys, duration, formatFinding, loadConfig, section } from "./mod.ts";

/** Sections as plug-ins bring them. */
const sections = {
  store: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("filesystem"), path: z.string().optional().describe("Where.") }),
      z.strictObject({
        type: z.literal("bucket"),
        bucket: z.string(),
        secret_key: z.string().min(8).meta({ secret: true }),
      }),
    ])
    .prefault({ type: "filesystem" }),
  gopher: section(
    {
      tries: z.int().min(1).default(3),
      wait: duration().prefault("5s"),
      names: z.array(z.string()).default([]),
    },
    "Gopher.",
  ),
};

function fileOf(context: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "gatehouse.yaml");
  writeFileSync(file, text);
  return file;
}
function check(context: TestContext, text: string, env: Record<string, string> = {}) {
  return checkConfig({ file: fileOf(context, text), env, sections });
}
function findings(context: TestContext, text: string, env: Record<string, string> = {}): string[] {
  const checked = check(context, text, env);
  assert.equal(checked.ok, false, "findings were expected");
  return checked.ok ? [] : checked.findings.map(formatFinding);
}

test("without a file and variables there is a working development gateway", () => {
  const config = loadConfig({ env: {}, sections, workingDirectory: "/somewhere" });
  assert.equal(config.mode, "development");
  assert.equal(config.data_dir, "/somewhere/data");
  assert.deepEqual(config.web.listen, { host: "127.0.0.1", port: 3080 });
  assert.deepEqual(config.recording.exec_limit, { bytes: 16 * 2 ** 20 });
  assert.deepEqual(config.sessions.idle_timeout, { ms: 30 * 60_000 });
  assert.equal(config.demo.enabled, false);
  assert.deepEqual(config.store, { type: "filesystem" });
  assert.deepEqual(config.gopher, { tries: 3, wait: { ms: 5000 }, names: [] });
});

test("the file lays over the defaults, and the environment over the file", (context) => {
  const file = fileOf(
    context,
    "data_dir: elsewhere\nsessions:\n  idle_timeout: 10m\n  max_duration: 1h\ngopher:\n  tries: 5\nlog:\n",
  );
  const config = loadConfig({
    file,
    env: {
      GATEHOUSE_SESSIONS__IDLE_TIMEOUT: "2m",
      GATEHOUSE_DEMO__ENABLED: "true",
      GATEHOUSE_GOPHER__NAMES: "[a, b]",
      GATEHOUSE_GATEWAY_ID: "007",
      GATEHOUSE_CONFIG: "ignored",
      GATEHOUSE_TOKEN: "of the client",
      PATH: "x",
    },
    sections,
    ignoredVariables: ["GATEHOUSE_TOKEN"],
  });
  assert.equal(config.data_dir, join(file, "..", "elsewhere"));
  assert.deepEqual(config.sessions.idle_timeout, { ms: 120_000 });
  assert.deepEqual(config.sessions.max_duration, { ms: 3_600_000 });
  assert.equal(config.demo.enabled, true);
  assert.equal(config.gopher.tries, 5);
  assert.deepEqual(config.gopher.names, ["a", "b"]);
  assert.equal(config.gateway_id, "007", "text stays text");
});

test("a finding names the place, the key, what is there and what is expected", (context) => {
  assert.deepEqual(
    findings(
      context,
      [
        "mode: prodution",
        "web:",
        "  listen: 3080",
        "recording:",
        "  exec_limit: 16MB",
        "  recipients: [age1x]",
        "sessions:",
        "  idle_timeout: 100ms",
        "gopher:",
        "  tries: many",
        "demo: yes please",
      ].join("\n"),
    ),
    [
      'gatehouse.yaml:1:1: mode: got "prodution", expected `development` or `production`',
      "gatehouse.yaml:3:3: web.listen: got 3080, expected host:port, such as 127.0.0.1:3022",
      'gatehouse.yaml:5:3: recording.exec_limit: got "16MB", expected a size such as 64 KiB or 16 MiB',
      'gatehouse.yaml:6:16: recording.recipients.0: got "age1x", expected an age X25519 recipient (age1..., 62 characters), or gateway',
      'gatehouse.yaml:8:3: sessions.idle_timeout: got "100ms", expected a duration from 1s to 3650d',
      'gatehouse.yaml:11:1: demo: got "yes please", expected a section with the keys enabled',
      'gatehouse.yaml:10:3: gopher.tries: got "many", expected a whole number',
    ],
  );
});

test("a finding in a variable names the variable", (context) => {
  assert.deepEqual(
    findings(context, "", {
      GATEHOUSE_SESSIONS__IDLE_TIMEOUT: "soon",
      GATEHOUSE_DEMO__ENABLED: "maybe",
      GATEHOUSE_SESIONS__IDLE_TIMEOUT: "1m",
      GATEHOUSE_NONSENSE: "1",
    }),
    [
      "GATEHOUSE_NONSENSE: no key has this variable",
      "GATEHOUSE_SESIONS__IDLE_TIMEOUT: no key has this variable; did you mean GATEHOUSE_SESSIONS__IDLE_TIMEOUT?",
      'GATEHOUSE_SESSIONS__IDLE_TIMEOUT: sessions.idle_timeout: got "soon", expected a duration such as 30s, 15m or 1h30m',
      'GATEHOUSE_DEMO__ENABLED: demo.enabled: got "maybe", expected true or false',
    ],
  );
});

test("an unknown key is told with the key that was meant", (context) => {
  assert.deepEqual(
    findings(context, "sessions:\n  idle_timout: 1m\n  capacity: 1 GiB\nrecordings: {}\nxyzzy: 1\n"),
    [
      "gatehouse.yaml:2:3: sessions.idle_timout: unknown key; did you mean `idle_timeout`?",
      "gatehouse.yaml:3:3: sessions.capacity: unknown key; did you mean `recording.journal.capacity`?",
      "gatehouse.yaml:4:1: recordings: unknown key; did you mean `recording`?",
      "gatehouse.yaml:5:1: xyzzy: unknown key",
    ],
  );
});

test("a choice by type is checked with the keys of that type", (context) => {
  assert.deepEqual(findings(context, "store: { type: tape }"), [
    'gatehouse.yaml:1:10: store.type: got "tape", expected `filesystem` or `bucket`',
  ]);
  assert.deepEqual(findings(context, "store:\n  type: bucket\n  path: /x\n  secret_key: long enough\n"), [
    "gatehouse.yaml:1:1: store.bucket: got nothing, expected text",
    "gatehouse.yaml:3:3: store.path: this key belongs to another `type`",
  ]);
});

test("the value of a secret key is not told", (context) => {
  const [finding] = findings(context, "store: { type: bucket, bucket: b, secret_key: hunter2 }");
  assert.equal(finding, "gatehouse.yaml:1:35: store.secret_key: got a value, expected at least 8 characters");
});

test("rules over several keys name the one to change", (context) => {
  assert.deepEqual(findings(context, "mode: production\ndemo: { enabled: true }"), [
    "gatehouse.yaml:2:9: demo.enabled: expected false when mode is production",
  ]);
  assert.deepEqual(findings(context, "mode: production", { GATEHOUSE_DEMO__ENABLED: "true" }), [
    "GATEHOUSE_DEMO__ENABLED: demo.enabled: expected false when mode is production",
  ]);
});

test("a file that is no configuration is told by its line", (context) => {
  assert.match(findings(context, "a: [1\nb: 2")[0] ?? "", /^gatehouse\.yaml:2:\d+: not valid YAML: /);
  assert.match(
    findings(context, "mode: production\nmode: development")[0] ?? "",
    /^gatehouse\.yaml:2:1: not valid YAML: .*unique/i,
  );
  assert.deepEqual(findings(context, "- a\n- b"), [
    "gatehouse.yaml:1:1: expected a mapping of keys to values",
  ]);
  const missing = checkConfig({ file: "/nonexistent/gatehouse.yaml", env: {}, sections });
  assert.equal(missing.ok, false);
  assert.match(
    missing.ok ? "" : formatFinding(missing.findings[0] ?? assert.fail()),
    /^\/nonexistent\/gatehouse\.yaml: cannot be read: ENOENT/,
  );
});

test("loading throws every finding in one error", (context) => {
  const file = fileOf(context, "mode: x\nlog: { level: loud }\n");
  assert.throws(
    () => loadConfig({ file, env: {}, sections }),
    (error) =>
      isGatehouseError(error, "invalid") &&
      error.hint !== undefined &&
      /gatehouse\.yaml:1:1: mode: .*\n.*gatehouse\.yaml:2:8: log\.level: /.test(error.message),
  );
});

test("a database on another machine is reached by a protected way in production", (context) => {
  const said = (url: string) => findings(context, `mode: production\ndatabase: { url: "${url}" }`);
  const refused = [
    "gatehouse.yaml:2:13: database.url: expected sslmode=verify-full when mode is production, for a database on another machine",
  ];
  assert.deepEqual(said("postgres://gate:hunter2@db.example.com/gate"), refused);
  assert.deepEqual(said("postgres://gate@db.example.com/gate?sslmode=require"), refused);
  for (const url of [
    "postgres://gate@db.example.com/gate?sslmode=verify-full",
    "postgres://gate@localhost/gate",
  ])
    loadConfig({
      file: fileOf(context, `mode: production\ndatabase: { url: "${url}" }`),
      env: {},
      sections: {},
    });
  assert.deepEqual(said("mysql://gate:hunter2@localhost/gate"), [
    "gatehouse.yaml:2:13: database.url: got a value, expected postgres://user@host:5432/database",
  ]);
});

test("every key says what it is for and has a default, unless it may be absent", () => {
  const optional = new Set(["database.url", "web.public_url"]);
  for (const key of configKeys({})) {
    assert.notEqual(key.description, "", key.path);
    assert.equal("default" in key, !optional.has(key.path), key.path);
  }
});

test("any text is answered with findings, never with a crash", (context) => {
  const file = fileOf(context, "");
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.jsonValue().map((value) => JSON.stringify(value)),
        fc
          .dictionary(
            fc.constantFrom("mode", "web", "recording", "sessions", "store", "__proto__", "x"),
            fc.jsonValue(),
          )
          .map((value) => JSON.stringify(value)),
        fc.constant("a: &a [*a]"),
        fc.constant("a: &a [1]\nb: &b [*a,*a]\nc: [*b,*b]"),
      ),
      (text) => {
        writeFileSync(file, text);
        const checked = checkConfig({ file, env: {}, sections });
        if (!checked.ok)
          for (const finding of checked.findings) assert.match(formatFinding(finding), /^.+: .+/);
      },
    ),
    { numRuns: 300 },
  );
});
