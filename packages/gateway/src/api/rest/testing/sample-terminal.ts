import { utf8 } from "@gatehouse/kernel";
import {
  type FileOperation,
  type FrameKind,
  encodeDigest,
  encodeEof,
  encodeFileOperation,
  encodeForwardClose,
  encodeForwardOpen,
  encodeResize,
} from "@gatehouse/recording";

/** What a recording is made of, before it has numbers. */
export type SampleFrame = { timeUs: number; kind: FrameKind; stream: number; data: Uint8Array };

/** Writes a terminal session as a person would have it: prompts, typing with its echo, and programs that print. */
export class TerminalScript {
  readonly frames: SampleFrame[] = [];
  #us = 0;
  readonly #prompt: string;

  constructor(prompt: string) {
    this.#prompt = prompt;
  }
  add(kind: FrameKind, data: Uint8Array | string, stream = 0): this {
    this.frames.push({ timeUs: this.#us, kind, stream, data: typeof data === "string" ? utf8(data) : data });
    return this;
  }
  wait(ms: number): this {
    this.#us += ms * 1000;
    return this;
  }
  get elapsedUs(): number {
    return this.#us;
  }
  prompt(): this {
    return this.add("output", this.#prompt);
  }
  /** Types a line: each key is an input frame and its echo an output frame. */
  type(line: string, msPerKey = 95): this {
    for (const key of line) {
      this.wait(msPerKey + ((key.codePointAt(0) ?? 0) % 7) * 14);
      this.add("input", key).wait(2).add("output", key);
    }
    return this.wait(220).add("input", "\r").wait(3).add("output", "\r\n");
  }
  print(...lines: string[]): this {
    return this.wait(18).add("output", lines.map((line) => `${line}\r\n`).join(""));
  }
}

const dir = (name: string) => `\x1b[01;34m${name}\x1b[0m`;
const exe = (name: string) => `\x1b[01;32m${name}\x1b[0m`;

/** An hour and a half of builds, some megabytes, with a long rest and a window that changes its size. */
export function longSession(): TerminalScript {
  const s = new TerminalScript("\x1b[01;32mci@build-01\x1b[00m:\x1b[01;34m~/shop\x1b[00m$ ");
  for (let part = 0; part < 80; part++) {
    s.prompt().type(`make part-${part}`, 40);
    // Three quarters of an hour in which nobody is there.
    if (part === 50) s.wait(45 * 60_000);
    if (part % 30 === 20) s.add("resize", encodeResize({ cols: 100 + part / 2, rows: 28 }));
    for (let unit = 0; unit < 500; unit += 10)
      s.wait(60).print(
        ...Array.from(
          { length: 10 },
          (_, i) =>
            `\x1b[3${i % 7}mcc\x1b[0m -O2 -c part-${part}/unit-${unit + i}.c -o build/part-${part}/unit-${unit + i}.o ${"#".repeat(unit % 60)}`,
        ),
      );
    s.wait(30_000);
  }
  return s.prompt().type("exit");
}

/** An incident on a web server: looking about, a log that scrolls, a full-screen program, and one `rm -rf`. */
export function incidentSession(): TerminalScript {
  const s = new TerminalScript("\x1b[01;32mroot@web-01\x1b[00m:\x1b[01;34m/srv/shop\x1b[00m# ");
  s.add("output", "\x1b[?2004h").print(
    "Linux web-01 6.1.0-28-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 x86_64",
    "",
    "Last login: Sun Nov 22 21:02:11 2026 from 10.0.1.50",
  );
  s.prompt().wait(1400).type("ls -la");
  s.print(
    "total 48",
    `drwxr-xr-x 7 shop shop 4096 Nov 22 20:58 ${dir(".")}`,
    `drwxr-xr-x 4 root root 4096 Sep  3 09:12 ${dir("..")}`,
    `-rw-r----- 1 shop shop  612 Nov 20 10:41 .env`,
    `drwxr-xr-x 9 shop shop 4096 Nov 22 20:58 ${dir("app")}`,
    `drwxr-xr-x 2 shop shop 4096 Nov 22 20:58 ${dir("cache")}`,
    `-rwxr-xr-x 1 shop shop 2214 Nov 18 16:03 ${exe("deploy.sh")}`,
    `drwxr-xr-x 3 shop shop 4096 Nov 12 08:30 ${dir("log")}`,
    `drwxr-xr-x 5 shop shop 4096 Nov 22 20:58 ${dir("releases")}`,
  );
  s.prompt().wait(2600).type("tail -n 40 -f log/production.log");
  for (let i = 0; i < 60; i++) {
    s.wait(90 + ((i * 37) % 160));
    const status =
      i % 9 === 4 ? "\x1b[31m502\x1b[0m" : i % 5 === 3 ? "\x1b[33m304\x1b[0m" : "\x1b[32m200\x1b[0m";
    const path = ["/checkout/confirm", "/products/4411", "/api/cart", "/assets/app-93bd.css", "/login"][
      i % 5
    ];
    s.print(
      `\x1b[2m2026-11-22T21:0${3 + Math.floor(i / 30)}:${String((i * 2) % 60).padStart(2, "0")}.${String((i * 7919) % 1000).padStart(3, "0")}Z\x1b[0m ${status} GET ${path} ${12 + ((i * 53) % 480)}ms upstream=app-${1 + (i % 3)}`,
    );
  }
  s.wait(800).add("input", "\x03").wait(4).add("output", "^C\r\n");
  s.prompt().wait(1800).type("df -h /srv");
  s.print(
    "Filesystem      Size  Used Avail Use% Mounted on",
    "/dev/vdb1        40G   40G     0 \x1b[31m100%\x1b[0m /srv",
  );
  // Somebody reads, or fetches coffee: this is what skipping idle time is for.
  s.prompt().wait(48_000).type("du -sh releases/* | sort -h");
  s.wait(900).print(
    "1.1G\treleases/20261102",
    "1.1G\treleases/20261109",
    "1.2G\treleases/20261118",
    "33G\treleases/tmp-build",
  );
  s.prompt().wait(2200).type("rm -rf releases/tmp-build");
  s.wait(2600).prompt().wait(1100).type("df -h /srv");
  s.print("Filesystem      Size  Used Avail Use% Mounted on", "/dev/vdb1        40G  7.1G   31G  19% /srv");
  s.prompt().wait(1500).type("top");
  s.add("resize", encodeResize({ cols: 120, rows: 32 }));
  for (let i = 0; i < 14; i++) s.wait(1000).add("output", topScreen(i));
  s.wait(300).add("input", "q").wait(6).add("output", "\x1b[?1049l\x1b[?25h");
  s.prompt().wait(1200).type("systemctl restart shop");
  s.wait(1700).prompt().wait(700).type("systemctl status shop --no-pager");
  s.print(
    "\x1b[32m●\x1b[0m shop.service - Shop application server",
    "     Loaded: loaded (/etc/systemd/system/shop.service; enabled; preset: enabled)",
    "     Active: \x1b[32;1mactive (running)\x1b[0m since Sun 2026-11-22 21:06:44 UTC; 2s ago",
    "   Main PID: 48211 (ruby)",
    "      Tasks: 23 (limit: 9388)",
    "     Memory: 312.4M",
    "        CPU: 1.914s",
  );
  s.prompt().wait(1900).type("exit").print("logout");
  return s;
}

function topScreen(step: number): string {
  const load = (1.9 - step * 0.09).toFixed(2);
  const rows = Array.from({ length: 22 }, (_, i) => {
    const cpu = Math.max(0, 62 - i * 6 - step * 2 + ((step * 13 + i * 7) % 9)).toFixed(1);
    const name = ["ruby", "postgres", "nginx", "node", "sidekiq", "redis-server", "sshd", "systemd"][
      i % 8
    ] as string;
    return ` ${String(48211 + i * 37).padStart(7)} ${"shop".padEnd(9)} 20   0 ${String(1213400 - i * 8312).padStart(8)} ${String(312400 - i * 9120).padStart(7)}  18.2k S ${cpu.padStart(5)}  ${(3.1 - i * 0.12).toFixed(1)}   0:${String((41 + step + i) % 60).padStart(2, "0")}.22 ${name}`;
  });
  return `${step === 0 ? "\x1b[?1049h\x1b[?25l\x1b[2J" : ""}\x1b[H${[
    `top - 21:05:${String(10 + step).padStart(2, "0")} up 41 days,  3:12,  1 user,  load average: ${load}, 2.11, 1.76`,
    "Tasks: \x1b[1m181\x1b[m total,   \x1b[1m2\x1b[m running, \x1b[1m179\x1b[m sleeping,   \x1b[1m0\x1b[m stopped",
    `%Cpu(s): \x1b[1m${(31 - step).toFixed(1)}\x1b[m us,  \x1b[1m4.2\x1b[m sy,  0.0 ni, \x1b[1m${(63 + step).toFixed(1)}\x1b[m id,  1.1 wa`,
    "MiB Mem :  \x1b[1m7938.2\x1b[m total,   \x1b[1m812.4\x1b[m free,  \x1b[1m4211.9\x1b[m used,  \x1b[1m2913.9\x1b[m buff/cache",
    "",
    "\x1b[7m    PID USER      PR  NI     VIRT     RES    SHR S  %CPU %MEM   TIME+ COMMAND                                          \x1b[m",
    ...rows,
  ]
    .map((line) => `${line}\x1b[K`)
    .join("\r\n")}`;
}

/** A command without a terminal: a dump that warns and ends with a failure. */
export function dumpSession(): TerminalScript {
  const s = new TerminalScript("");
  s.wait(12).add("stdin", "SELECT pg_backup_start('nightly');\n");
  for (let i = 0; i < 40; i++)
    s.wait(60 + (i % 7) * 20).add(
      "stdout",
      `INSERT INTO orders VALUES (${100_400 + i}, '2026-11-${String(1 + (i % 22)).padStart(2, "0")}', ${(19.9 + i * 3.7).toFixed(2)}, 'EUR');\n`,
    );
  s.wait(300).add(
    "stderr",
    "pg_dump: warning: there are circular foreign-key constraints on this table: category\n",
  );
  s.wait(1200).add("stderr", "pg_dump: error: could not open large object 48120: permission denied\n");
  s.add("digest", encodeDigest({ of: "stdout", bytes: 34_871_220, sha256: "9f".repeat(32), final: true }));
  return s.add("eof", encodeEof({ of: "stdout" }));
}

const digestOf = (n: number) => n.toString(16).padStart(2, "0").repeat(32);

/** A transfer of files: listing, reading, writing, and one refusal. */
export function transferSession(): TerminalScript {
  const s = new TerminalScript("");
  const ok = { code: 0, message: "" };
  let operation = 0;
  const note = (ms: number, said: Omit<FileOperation, "protocol" | "operation">) =>
    s.wait(ms).add("file", encodeFileOperation({ protocol: "sftp", operation, ...said }));
  /** Only asks. */
  const ask = (ms: number, said: Omit<FileOperation, "protocol" | "operation" | "phase" | "result">) => {
    operation++;
    note(ms, { phase: "result", result: ok, ...said });
  };
  /** Changes something: told before and after. */
  const change = (ms: number, said: Omit<FileOperation, "protocol" | "operation" | "phase">) => {
    operation++;
    const { result = ok, ...request } = said;
    note(ms, { phase: "request", ...request });
    note(20, { phase: "result", result, ...request });
  };
  const pass = (
    ms: number,
    path: string,
    passed: Pick<FileOperation, "bytesRead" | "bytesWritten" | "flags" | "sha256">,
  ) => {
    const { flags, ...moved } = passed;
    change(60, { op: "open", path, ...(flags ? { flags } : {}) });
    note(ms, { op: "close", phase: "result", path, result: ok, rangesExact: true, ...moved });
  };
  ask(40, { op: "realpath", path: ".", target: "/home/deploy" });
  ask(900, { op: "stat", path: "/srv/shop/releases", size: 4096 });
  change(60, { op: "opendir", path: "/srv/shop/releases" });
  note(60, { op: "close", phase: "result", path: "/srv/shop/releases", entries: 5, result: ok });
  change(4200, { op: "mkdir", path: "/srv/shop/releases/20261122", mode: 0o755 });
  for (let i = 1; i <= 6; i++)
    pass(700 + i * 120, `/srv/shop/releases/20261122/app-${i}.tar.gz`, {
      flags: ["write", "create", "truncate"],
      bytesWritten: 1_482_113 * i,
      sha256: digestOf(i * 17),
    });
  pass(1500, "/srv/shop/.env", { flags: ["read"], bytesRead: 612, sha256: digestOf(201) });
  change(800, { op: "remove", path: "/etc/shadow", result: { code: 3, message: "Permission denied" } });
  change(650, { op: "rename", path: "/srv/shop/current", target: "/srv/shop/previous" });
  change(90, { op: "symlink", path: "/srv/shop/current", target: "releases/20261122" });
  return s.wait(400);
}

/** Forwards of one connection: a database, a page, and one that nobody answered. */
export function forwardSession(): TerminalScript {
  const s = new TerminalScript("");
  const open = (stream: number, host: string, port: number) =>
    s.add(
      "forward.open",
      encodeForwardOpen({
        direction: "local",
        host,
        port,
        originHost: "127.0.0.1",
        originPort: 50_100 + stream,
      }),
      stream,
    );
  const close = (stream: number, bytesIn: number, bytesOut: number, error?: string) =>
    s.add(
      "forward.close",
      encodeForwardClose({ bytesIn, bytesOut, ...(error === undefined ? {} : { error }) }),
      stream,
    );
  s.wait(300);
  open(1, "db-01.internal", 5432).wait(2400);
  open(2, "grafana.internal", 3000).wait(900);
  open(3, "10.9.0.77", 8443).wait(3000);
  close(3, 0, 0, "connect ECONNREFUSED 10.9.0.77:8443").wait(41_000);
  close(2, 18_220, 2_911_004).wait(122_000);
  close(1, 88_112, 14_201_337);
  return s;
}
