/**
 * The rules that keep the house simple: who may import whom, and that every room says what it is.
 * Each failure names the file to edit.
 */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sources = globSync("packages/*/src/**/*.{ts,tsx}", { cwd: root })
  .filter((file) => !file.endsWith(".d.ts"))
  .sort();
assert.ok(sources.length > 20, "the sources were found");
const isTest = (file: string) => /\.(test|fuzz|bench)\.tsx?$/.test(file) || file.includes("/testing/");
const text = (file: string) => readFileSync(join(root, file), "utf8");

/** Each package with the packages it may import. */
const packageImports: Record<string, readonly string[]> = {
  kernel: [],
  contracts: ["kernel"],
  recording: ["kernel"],
  gateway: ["kernel", "contracts", "recording"],
  cli: ["kernel", "contracts", "recording", "gateway"],
  web: ["kernel", "contracts", "recording"],
};

/** The rooms of the gateway, lowest first. A room may import rooms of a lower row, never of its own or a higher one. */
const gatewayRows: readonly (readonly string[])[] = [
  ["config", "telemetry", "access", "statements"],
  ["directory", "identity", "credentials", "audit", "stores", "kms"],
  ["sessions", "custody", "indexes"],
  ["passage", "requests", "locks"],
  ["protocols", "playback", "reports"],
  ["api"],
  ["registry"],
  ["composition"],
  ["compose.ts", "recover.ts"],
  ["main.ts"],
];
/** Doors of one row that a neighbour in the same row may use, each with its reason. */
const neighbours: readonly { from: string; to: string; why: string }[] = [
  { from: "audit", to: "directory", why: "the log lives in the directory's database" },
  { from: "credentials", to: "directory", why: "sealed secrets lie in the directory's database" },
  { from: "identity", to: "directory", why: "people and their keys lie in the directory's database" },
  { from: "identity", to: "audit", why: "a sign-in is audited before it succeeds" },
];

function importsOf(file: string): string[] {
  return [
    ...text(file).matchAll(/(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)/g),
  ].map((match) => (match[1] ?? match[2]) as string);
}

function roomOf(path: string): string {
  return path.replace(/^packages\/gateway\/src\//, "").split("/")[0] as string;
}

test("packages import only what stands below them", () => {
  const wrong: string[] = [];
  for (const file of sources) {
    if (isTest(file)) continue;
    const from = file.split("/")[1] as string;
    for (const specifier of importsOf(file)) {
      const to = /^@gatehouse\/([a-z]+)/.exec(specifier)?.[1];
      if (to && to !== from && !packageImports[from]?.includes(to))
        wrong.push(`${file} imports ${specifier}`);
      if (
        specifier.startsWith(".") &&
        !normalize(join(dirname(file), specifier)).startsWith(`packages/${from}/`)
      )
        wrong.push(`${file} reaches out of its package: ${specifier}`);
    }
  }
  assert.deepEqual(wrong, [], "edit these files, or packageImports in test/tidy/tidy.test.ts");
});

test("rooms of the gateway import only rooms below them", () => {
  const rowOf = new Map(gatewayRows.flatMap((row, i) => row.map((room) => [room, i] as const)));
  const wrong: string[] = [];
  for (const file of sources.filter((f) => f.startsWith("packages/gateway/src/") && !isTest(f))) {
    const from = roomOf(file);
    const fromRow = rowOf.get(from);
    if (fromRow === undefined) {
      wrong.push(`${file}: the room ${from} is in no row of gatewayRows`);
      continue;
    }
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith(".")) continue;
      const to = roomOf(normalize(join(dirname(file), specifier)));
      if (to === from) continue;
      const toRow = rowOf.get(to);
      const allowed =
        toRow !== undefined && (toRow < fromRow || neighbours.some((n) => n.from === from && n.to === to));
      if (!allowed) wrong.push(`${file} imports ${specifier} (${from} may not use ${to})`);
    }
  }
  assert.deepEqual(wrong, [], "edit these files; the rows are in test/tidy/tidy.test.ts and ARCHITECTURE.md");
});

test("plug-in siblings never import each other", () => {
  const wrong: string[] = [];
  for (const file of sources.filter((f) => !isTest(f))) {
    const here = /^packages\/gateway\/src\/(protocols|stores|reports)\/([^/]+)\//.exec(file);
    if (!here) continue;
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith(".")) continue;
      const there = /^packages\/gateway\/src\/(protocols|stores|reports)\/([^/]+)\//.exec(
        normalize(join(dirname(file), specifier)),
      );
      if (there && there[1] === here[1] && there[2] !== here[2]) wrong.push(`${file} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, [], "siblings share through the room below them");
});

test("every room opens with what it is, what it owns and what it never does", () => {
  const rooms = [
    ...new Set(sources.filter((f) => !isTest(f) && !f.startsWith("packages/web/")).map((f) => dirname(f))),
  ]
    .filter((folder) =>
      /^packages\/(kernel|contracts|recording)\/src$|^packages\/(recording\/src\/pipeline|gateway\/src\/[^/]+|gateway\/src\/(protocols|stores)\/[^/]+)$/.test(
        folder,
      ),
    )
    .filter((folder) =>
      readdirSync(join(root, folder)).some((name) => name.endsWith(".ts") && !isTest(name)),
    );
  const wrong: string[] = [];
  for (const room of rooms) {
    if (/\/(protocols|stores|api)$/.test(room) && !existsSync(join(root, room, "mod.ts"))) continue;
    const door = join(room, "mod.ts");
    if (!existsSync(join(root, door))) {
      wrong.push(`${room} has no mod.ts`);
      continue;
    }
    const head = text(door).slice(0, 1500);
    if (!head.startsWith("/**") || !/Owns:/.test(head) || !/Never:/.test(head))
      wrong.push(`${door} does not open with a comment that says Owns: and Never:`);
  }
  assert.deepEqual(wrong, [], "edit these doors");
});

test("other rooms are entered by their door", () => {
  const wrong: string[] = [];
  for (const file of sources.filter((f) => f.startsWith("packages/gateway/src/") && !isTest(f))) {
    const from = roomOf(file);
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith(".")) continue;
      const target = normalize(join(dirname(file), specifier));
      if (
        roomOf(target) !== from &&
        !/\/(mod|door|session)\.ts$/.test(target) &&
        !target.endsWith("src/compose.ts")
      )
        wrong.push(`${file} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, [], "import the room's mod.ts");
});

test("files are named for one concept, in kebab-case, and stay readable", () => {
  const wrong: string[] = [];
  for (const file of sources) {
    const name = file.split("/").at(-1) as string;
    if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|fuzz|bench|conformance))?\.tsx?$/.test(name))
      wrong.push(`${file}: not kebab-case`);
    if (/^(utils?|helpers?|manager|common|misc)\b/.test(name)) wrong.push(`${file}: names no concept`);
    const lines = text(file).split("\n").length;
    if (lines > 700) wrong.push(`${file}: ${lines} lines hold more than one concept`);
  }
  assert.deepEqual(wrong, [], "edit these files");
});

test("ARCHITECTURE.md names every room", () => {
  const architecture = text("ARCHITECTURE.md");
  const rooms = readdirSync(join(root, "packages/gateway/src")).filter((name) =>
    statSync(join(root, "packages/gateway/src", name)).isDirectory(),
  );
  const missing = rooms.filter((room) => !architecture.includes(`${room}/`));
  assert.deepEqual(missing, [], "name them in ARCHITECTURE.md");
});
