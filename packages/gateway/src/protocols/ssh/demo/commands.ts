import { type Node, find, home, resolvePath } from "./file-tree.ts";

/** The state that commands share. */
export type Machine = {
  cwd: string;
  readonly startedMs: number;
  nowMs(): number;
  readonly history: readonly string[];
  cols: number;
};
/** `text` is what was printed until then; a monitor draws until it is left. */
export type Result =
  | { kind: "done" | "exit"; text: string; status: number }
  | { kind: "monitor"; text: string };

const done = (text: string, status = 0): Result => ({ kind: "done", text, status });

type Command = { help: string; run(args: string[], machine: Machine): Result };

const bold = (text: string) => `\u001b[1m${text}\u001b[0m`;
const blue = (text: string) => `\u001b[1;34m${text}\u001b[0m`;

/** In the order of `help`. */
export const commands: Readonly<Record<string, Command>> = {
  help: {
    help: "this list",
    run: () =>
      done(
        `${Object.entries(commands)
          .map(([name, { help }]) => `  ${bold(name.padEnd(10))}${help}`)
          .join("\n")}\n`,
      ),
  },
  ls: {
    help: "list a directory; -l says more",
    run(args, machine) {
      const long = args.some((word) => /^-\w*l/.test(word));
      const typed = args.find((word) => !word.startsWith("-")) ?? ".";
      const node = find(resolvePath(machine.cwd, typed));
      if (!node) return done(`ls: ${typed}: No such file or directory\n`, 1);
      if (node.kind === "file") return done(`${typed}\n`);
      const names = Object.keys(node.entries).sort();
      const shown = (name: string) => (typeof node.entries[name] === "object" ? blue(name) : name);
      if (!long) return done(names.length > 0 ? `${names.map(shown).join("  ")}\n` : "");
      return done(
        names
          .map((name) => {
            const entry = node.entries[name];
            const size = typeof entry === "string" ? Buffer.byteLength(entry) : 0;
            const mode = typeof entry === "string" ? "-r--r--r--" : "dr-xr-xr-x";
            return `${mode}  demo  ${String(size).padStart(6)}  Feb 10 14:30  ${shown(name)}\n`;
          })
          .join(""),
      );
    },
  },
  cd: {
    help: "change directory",
    run(args, machine) {
      const typed = args[0] ?? home;
      const path = resolvePath(machine.cwd, typed);
      const node = find(path);
      if (!node) return done(`cd: ${typed}: No such file or directory\n`, 1);
      if (node.kind === "file") return done(`cd: ${typed}: Not a directory\n`, 1);
      machine.cwd = path;
      return done("");
    },
  },
  pwd: { help: "where you are", run: (_args, machine) => done(`${machine.cwd}\n`) },
  cat: {
    help: "show a file",
    run: (args, machine) => read("cat", args, machine, (text) => text),
  },
  head: {
    help: "show the first ten lines of a file",
    run: (args, machine) =>
      read("head", args, machine, (text) => `${text.split("\n").slice(0, 10).join("\n").trimEnd()}\n`),
  },
  grep: {
    help: "show the lines of a file that contain a word",
    run([word = "", ...paths], machine) {
      if (word === "" || paths.length === 0) return done("usage: grep <word> <file>\n", 2);
      return read("grep", paths, machine, (text) =>
        text
          .split("\n")
          .filter((row) => row.includes(word))
          .map((row) => `${row.replaceAll(word, `\u001b[1;31m${word}\u001b[0m`)}\n`)
          .join(""),
      );
    },
  },
  echo: { help: "say it back", run: (args) => done(`${args.join(" ")}\n`) },
  whoami: { help: "the account you are here", run: () => done("demo\n") },
  hostname: { help: "the name of this machine", run: () => done("demo-01\n") },
  date: {
    help: "the time",
    run: (_args, machine) => done(`${new Date(machine.nowMs()).toUTCString()}\n`),
  },
  uptime: {
    help: "how long this session lasts already",
    run: (_args, machine) =>
      done(`up ${Math.round((machine.nowMs() - machine.startedMs) / 1000)} s, 1 user, being recorded\n`),
  },
  history: {
    help: "what you typed",
    run: (_args, machine) =>
      done(machine.history.map((row, i) => `${String(i + 1).padStart(4)}  ${row}\n`).join("")),
  },
  colours: { help: "what a terminal can do", run: (_args, machine) => done(colours(machine.cols)) },
  clear: { help: "an empty screen", run: () => done("\u001b[2J\u001b[H") },
  top: { help: "something that moves; q leaves it", run: () => ({ kind: "monitor", text: "" }) },
  exit: {
    help: "leave; a number is the exit status",
    run: (args) => ({ kind: "exit", text: "", status: Number.parseInt(args[0] ?? "0", 10) & 0xff }),
  },
};
const aliases = new Map([
  ["logout", "exit"],
  ["quit", "exit"],
  ["ll", "ls -l"],
  ["colors", "colours"],
  ["?", "help"],
]);

/** Runs one line: commands after each other with `;`, and words in quotes. */
export function runLine(text: string, machine: Machine): Result {
  let output = "";
  let status = 0;
  for (const words of split(text)) {
    const [first = "", ...rest] = words;
    const [name = "", ...given] = (aliases.get(first) ?? first).split(" ");
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    const result: Result = command
      ? command.run([...given, ...rest], machine)
      : done(`${first}: command not found. This is a small machine: type help.\n`, 127);
    output += result.text;
    if (result.kind !== "done") return { ...result, text: output };
    status = result.status;
  }
  return done(output, status);
}

/** What the last word of a line may become. */
export function completions(typed: string, cwd: string): string[] {
  const words = typed.split(/\s+/);
  const word = words.at(-1) ?? "";
  if (words.length <= 1)
    return Object.keys(commands)
      .filter((name) => name.startsWith(word))
      .map(spaced);
  const slash = word.lastIndexOf("/") + 1;
  const node = find(resolvePath(cwd, word.slice(0, slash) || "."));
  if (node?.kind !== "directory") return [];
  return Object.keys(node.entries)
    .filter((name) => name.startsWith(word.slice(slash)))
    .map(
      (name) => word.slice(0, slash) + (typeof node.entries[name] === "object" ? `${name}/` : spaced(name)),
    );
}
const spaced = (name: string) => `${name} `;

function read(name: string, paths: string[], machine: Machine, shown: (text: string) => string): Result {
  if (paths.length === 0) return done(`${name}: which file?\n`, 1);
  let output = "";
  let status = 0;
  for (const typed of paths) {
    const node: Node | undefined = find(resolvePath(machine.cwd, typed));
    if (node?.kind === "file") output += shown(node.text);
    else {
      output += `${name}: ${typed}: ${node ? "Is a directory" : "No such file or directory"}\n`;
      status = 1;
    }
  }
  return done(output, status);
}

function split(text: string): string[][] {
  const found: string[][] = [[]];
  for (const [, double, single, bare, end] of text.matchAll(/"([^"]*)"|'([^']*)'|([^\s;"']+)|(;)/g)) {
    if (end) found.push([]);
    else found.at(-1)?.push(double ?? single ?? bare ?? "");
  }
  return found.filter((words) => words.length > 0);
}

function colours(cols: number): string {
  const names = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
  const basic = names.map(
    (name, i) => `\u001b[3${i}m${name.padEnd(9)}\u001b[9${i}m${name.padEnd(9)}\u001b[0m\n`,
  );
  const width = Math.max(16, Math.min(cols - 2, 72));
  let band = "";
  for (let i = 0; i < width; i++) {
    const turn = (i / width) * 2 * Math.PI;
    const channel = (shift: number) => Math.round(128 + 127 * Math.sin(turn + shift));
    band += `\u001b[48;2;${channel(0)};${channel(2)};${channel(4)}m `;
  }
  const styles =
    "\u001b[1mbold\u001b[0m \u001b[3mitalic\u001b[0m \u001b[4munderlined\u001b[0m \u001b[7mreversed\u001b[0m";
  return `${basic.join("")}${band}\u001b[0m\n${styles} äöü ✓ 你好\n`;
}
