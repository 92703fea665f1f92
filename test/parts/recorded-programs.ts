/** What real programs showed in a terminal of their own, cut into frames: for tests of what is made of it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Random } from "@gatehouse/kernel";
import { type Frame, encodeResize, encodeSessionEnd, encodeSessionStart } from "@gatehouse/recording";
import { facts } from "../../packages/recording/src/testing/facts.ts";
import { openTerminal } from "./terminal.ts";

/** Cuts what a terminal showed anywhere, characters included, and lets time pass between the pieces. */
export function framesOf(
  shown: Uint8Array,
  random: Random,
  {
    sizes = [],
    times = 1,
  }: { sizes?: readonly { at: number; cols: number; rows: number }[]; times?: number } = {},
): Frame[] {
  const frames: Frame[] = [];
  let timeUs = 0;
  const add = (kind: Frame["kind"], data: Uint8Array) =>
    frames.push({ seq: frames.length, timeUs, kind, stream: 0, data });
  add("session.start", encodeSessionStart(facts));
  const due = [...sizes];
  for (let at = 0; at < shown.length;) {
    const [a = 0, b = 0, c = 0] = random.bytes(3);
    while (due[0] && due[0].at <= at)
      add("resize", encodeResize(due.shift() as { cols: number; rows: number }));
    // Often several in one moment.
    if (c > 60) timeUs += c * 10_000;
    const end = Math.min(shown.length, at + 1 + Math.floor(times * (a < 40 ? b % 8 : a * 6 + b)));
    add("output", shown.subarray(at, end));
    at = end;
  }
  add("session.end", encodeSessionEnd({ reason: "client" }));
  return frames;
}

export async function record(
  context: TestContext,
  program: readonly string[],
  use: (terminal: ReturnType<typeof openTerminal>) => Promise<void>,
): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-seek-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const terminal = openTerminal(["env", "LC_ALL=C.UTF-8", ...program], join(folder, "size"), {
    cols: 80,
    rows: 24,
  });
  await use(terminal);
  await terminal.exited;
  return terminal.shown();
}

const text = Array.from(
  { length: 400 },
  (_, i) => `line ${i} grün 日本語の行 🎉👩‍💻 שלום e\u0301 ${"x".repeat(i % 70)}`,
).join("\n");

function textFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-seek-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "text.c");
  writeFileSync(path, text);
  return path;
}

export const programs = {
  "vim, with colours, a split and scrolling": (context: TestContext) =>
    record(context, ["vim", "-u", "NONE", "-N", textFile(context)], async (vim) => {
      await vim.shows(/line 3/);
      vim.type(":syntax on\r:set nu\r:split\r");
      for (let i = 0; i < 15; i++) vim.type("\u0004");
      vim.type("ggihello \u001b20jdd:vsplit\r");
      for (let i = 0; i < 30; i++) vim.type("\u0005");
      vim.type("G:qa!\r");
    }),
  less: (context: TestContext) =>
    record(context, ["less", textFile(context)], async (less) => {
      await less.shows(/line 3/);
      for (let i = 0; i < 12; i++) less.type(" ");
      for (let i = 0; i < 12; i++) less.type("b");
      less.type("/line 200\rGq");
    }),
  top: (context: TestContext) => record(context, ["top", "-d", "0.2", "-n", "12"], async () => undefined),
  // Each pane ends by itself, and tmux with the last.
  "tmux with panes": (context: TestContext) =>
    record(
      context,
      [
        ["tmux", "-u", "-L", `seek${process.pid}`, "-f", "/dev/null"],
        ["new-session", `cat ${textFile(context)}; sleep 1`, ";"],
        // Written bit by bit: what comes at once tmux shows as one picture, and a seek needs several to choose from.
        [
          "split-window",
          "-h",
          "for i in $(seq 1 80); do echo row $i of eighty in this pane; sleep 0.03; done",
          ";",
        ],
        ["split-window", "top -d 0.2 -n 10"],
      ].flat(),
      async () => undefined,
    ),
  "apt with a progress bar below the margins": (context: TestContext) =>
    record(context, aptOf(context), async () => undefined),
  // The alternate screen, a character in three pieces, a progress bar that overwrites itself, and a line of more than one row.
  "a shell with wide characters, emoji, right-to-left text and torn UTF-8": (context: TestContext) =>
    record(context, ["bash", "--norc", "--noprofile", "-i"], async (shell) => {
      await shell.shows(/[$#] /);
      for (const line of [
        "PS1='日本> '",
        `cat ${textFile(context)}`,
        "echo '👩‍💻 🎉 語語 שלום עולם عربى e\u0301'",
        "for b in '\\xe6' '\\x97' '\\xa5' '\\xe6\\x9c'; do printf \"$b\"; sleep 0.05; done; printf '\\xff\\xac\\n'",
        "for i in $(seq 1 40); do printf '\\r%s %d%%' \"$(head -c $i /dev/zero | tr '\\0' '#')\" $i; done; echo",
        "printf '\\033[?1049h\\033[H'; seq 1 60; sleep 0.1; printf '\\033[?1049l'",
        `echo ${"weit ".repeat(40)}`,
      ])
        shell.type(`${line}\r`);
      shell.type("ls -l --color=always /usr/bin | tail -n 200; exit\r");
    }),
} satisfies Record<string, (context: TestContext) => Promise<Uint8Array>>;

/** Installs packages of its own into a root of its own: nothing of the machine is touched. */
function aptOf(context: TestContext): string[] {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-seek-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, "root");
  for (const path of [
    "var/lib/dpkg/info",
    "var/lib/dpkg/updates",
    "var/lib/dpkg/triggers",
    "var/lib/apt/lists/partial",
  ])
    mkdirSync(join(root, path), { recursive: true });
  for (const path of ["var/cache/apt/archives/partial", "etc/apt/preferences.d", "etc/apt/sources.list.d"])
    mkdirSync(join(root, path), { recursive: true });
  for (const name of ["status", "available"]) writeFileSync(join(root, "var/lib/dpkg", name), "");
  const packages = Array.from({ length: 20 }, (_, n) => {
    const tree = join(folder, `tree-${n}`);
    mkdirSync(join(tree, "DEBIAN"), { recursive: true });
    const fields = {
      Package: `probe-${n}`,
      Version: `1.${n}`,
      Architecture: "all",
      Maintainer: "nobody <nobody@example.invalid>",
    };
    const control = Object.entries({ ...fields, Description: "nothing" }).map(
      ([key, value]) => `${key}: ${value}\n`,
    );
    writeFileSync(join(tree, "DEBIAN/control"), control.join(""));
    const path = join(folder, `probe-${n}.deb`);
    execFileSync("dpkg-deb", ["--build", tree, path], { stdio: "ignore" });
    return path;
  });
  const options = {
    Dir: root,
    "Dir::State::status": join(root, "var/lib/dpkg/status"),
    "Dir::Bin::methods": "/usr/lib/apt/methods",
    "Dir::Log": "",
    "DPkg::Options::": `--root=${root}`,
    "Dpkg::Progress-Fancy": "1",
    "APT::Sandbox::User": "root",
  };
  const chosen = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  const dpkg = ["--force-not-root", "--log=/dev/null"].flatMap((one) => ["-o", `DPkg::Options::=${one}`]);
  return ["apt-get", "-y", ...chosen, ...dpkg, "install", ...packages];
}
