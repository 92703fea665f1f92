import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClock, utf8 } from "@gatehouse/kernel";
import { DemoShell } from "./shell.ts";

function started(size = { cols: 80, rows: 24 }) {
  const clock = new TestClock();
  let shown = "";
  let left: number | undefined;
  const shell = new DemoShell({
    write: (text) => (shown += text),
    leave: (status) => (left = status),
    clock,
    size,
  });
  shell.begin();
  return {
    clock,
    shell,
    type: (text: string) => shell.input(utf8(text)),
    /** What was shown since the last look, without colours. */
    look: () => {
      const text = shown;
      shown = "";
      // eslint-disable-next-line no-control-regex
      return text.replace(/\u001b\[[0-9;]*m/g, "");
    },
    left: () => left,
  };
}
const prompt = "demo@demo-01:~$ ";

test("it greets, runs commands and leaves with a status", () => {
  const demo = started();
  assert.match(demo.look(), /Welcome to the Gatehouse demo\.[\s\S]*demo@demo-01:~\$ $/);
  demo.type("echo one 'two  three'; pwd\r");
  assert.equal(demo.look(), `echo one 'two  three'; pwd\r\none two  three\r\n/home/demo\r\n${prompt}`);
  demo.type("cd notes\rcat ../../../etc/hostname\r");
  assert.match(demo.look(), /demo@demo-01:~\/notes\$ cat [^\r]*\r\ndemo-01\r\n/);
  demo.type("nonsense\r");
  assert.match(demo.look(), /nonsense: command not found/);
  demo.type("exit 3\r");
  assert.equal(demo.left(), 3);
  demo.type("echo more\r");
  assert.doesNotMatch(demo.look(), /more/);
});

test("lines are edited, recalled and completed", () => {
  const demo = started();
  demo.look();
  demo.type("ecxo\u001b[D\u001b[D\u001b[3~h\u0005 hi\r");
  assert.match(demo.look(), /\r\nhi\r\n/);
  demo.type("\u001b[A\r");
  assert.match(demo.look(), /\r\nhi\r\n/);
  demo.type("cat RE\t\r");
  assert.match(demo.look(), /This is a make-believe machine/);
  demo.type("half a line\u0003");
  assert.equal(demo.look().endsWith(`^C\r\n${prompt}`), true);
  // A key that comes in two parts, and a character that does.
  demo.type("echo a\u001b");
  demo.type("[Db");
  const umlaut = utf8("\u00fc");
  demo.shell.input(umlaut.subarray(0, 1));
  demo.shell.input(umlaut.subarray(1));
  demo.look();
  demo.type("\r");
  assert.match(demo.look(), /\r\nb\u00fca\r\n/);
  demo.type("\u0004");
  assert.equal(demo.left(), 0);
});

test("top moves by itself, fits the window and is left by a key", () => {
  const demo = started({ cols: 60, rows: 10 });
  demo.look();
  demo.type("top\r");
  const first = demo.look();
  assert.ok(first.includes("\u001b[?1049h"));
  assert.equal(first.split("\r\n").length - 1, 9, "one row of the command line, nine of ten of the window");
  demo.clock.advance(700);
  const second = demo.look();
  assert.ok(second.startsWith("\u001b[H"));
  demo.type("xq");
  assert.ok(demo.look().endsWith(`\u001b[?25h\u001b[?1049l${prompt}`));
  demo.clock.advance(5_000);
  assert.equal(demo.look(), "");
});

test("nothing outside the make-believe tree can be named", () => {
  for (const path of ["../../../../etc/passwd", "/proc/self/environ", "__proto__", "constructor"]) {
    const { text, status } = DemoShell.run(`cat ${path}`, new TestClock());
    assert.deepEqual([text, status], [`cat: ${path}: No such file or directory\n`, 1]);
  }
  assert.deepEqual(DemoShell.run("constructor", new TestClock()).status, 127);
  assert.deepEqual(DemoShell.run("hostname; exit 4", new TestClock()), { text: "demo-01\n", status: 4 });
});
