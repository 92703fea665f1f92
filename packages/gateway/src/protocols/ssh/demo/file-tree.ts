/** The read-only files of the demo machine. A directory is a map, a file its text. */
export type Tree = { readonly [name: string]: Tree | string };
export type Node = { kind: "directory"; entries: Tree } | { kind: "file"; text: string };

export const home = "/home/demo";

const readme = `Welcome. This is a make-believe machine behind a real gate.

Your ssh client connected to Gatehouse, which found out who you are by your key,
asked whether you may open this target, opened a recording, and only then
connected here. Every byte on this screen was on disk before you saw it.

Things to try
  top                 something that moves
  colours             what a terminal can do
  cat /etc/hosts      there is a little to look around at
  exit                and then play this session back:

      gatehouse sessions ls
      gatehouse play <session-id>

or watch it in the browser, where you can search, jump and change the speed.
`;

const log = [
  "14:28:03 api[211]: GET /orders 200 12ms",
  "14:28:04 api[211]: GET /orders/8812 200 9ms",
  "14:28:09 api[211]: POST /orders 201 31ms",
  "14:29:17 db[98]: slow query: 1204ms SELECT * FROM orders WHERE note LIKE '%late%'",
  "14:29:18 api[211]: GET /orders?q=late 504 2000ms",
  "14:29:18 api[211]: WARN upstream timed out, will retry",
  "14:29:20 api[211]: GET /orders?q=late 200 1711ms",
  "14:30:00 cron[12]: backup finished, 412 MB, verified",
].join("\n");

export const files: Tree = {
  etc: {
    hostname: "demo-01\n",
    hosts: "127.0.0.1  localhost\n10.20.0.11 web-01\n10.20.0.12 web-02\n10.20.0.21 db-01\n",
    motd: "This machine is not real. Its recording is.\n",
    "os-release": 'NAME="Demo"\nVERSION="1 (make-believe)"\n',
  },
  home: {
    demo: {
      "README.md": readme,
      notes: {
        "monday.txt": "Rotate the database password. Ask who still has the old one.\n",
        "runbook.md":
          "# Orders are slow\n\n1. Look at /var/log/app.log\n2. Find the slow query\n3. Add the index on a Tuesday, not on a Friday\n",
      },
      "orders.csv": "id,customer,total\n8811,Ada,42.00\n8812,Grace,17.50\n8813,Edsger,99.95\n",
    },
  },
  var: { log: { "app.log": `${log}\n` } },
};

/** An absolute path without `.` and `..`, from a working directory and what was typed. */
export function resolvePath(from: string, typed: string): string {
  const base = typed.startsWith("/") ? "" : typed.startsWith("~") ? home : from;
  const parts: string[] = [];
  for (const part of `${base}/${typed.replace(/^~\/?/, "")}`.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

export function find(path: string): Node | undefined {
  let node: Tree | string | undefined = files;
  for (const part of path.split("/").filter((text) => text !== "")) {
    if (typeof node !== "object" || !Object.hasOwn(node, part)) return undefined;
    node = node[part];
  }
  if (node === undefined) return undefined;
  return typeof node === "string" ? { kind: "file", text: node } : { kind: "directory", entries: node };
}
