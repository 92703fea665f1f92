import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { GatehouseError } from "@gatehouse/kernel";

type Terminal = {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  stderr: NodeJS.WritableStream;
};

/** Asks on standard error, so that an answer on standard output stays clean. */
export async function ask(question: string, { stdin, stderr }: Terminal): Promise<string> {
  if (!stdin.isTTY) throw nobody(question);
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    return (await lines.question(`${question} `)).trim();
  } finally {
    lines.close();
  }
}

/** The same for a secret: not shown while it is typed. From a pipe it is the first line. */
export async function askSecret(question: string, { stdin, stderr }: Terminal): Promise<string> {
  if (!stdin.isTTY) return firstLine(stdin);
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: hidden, terminal: true });
  stderr.write(`${question} `);
  try {
    return (await lines.question("")).trim();
  } finally {
    lines.close();
    stderr.write("\n");
  }
}

const lineBytesMax = 65_536;

async function firstLine(stdin: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.includes("\n")) break;
    if (text.length > lineBytesMax)
      throw new GatehouseError({
        code: "too_large",
        op: "cli.ask",
        message: "the first line of standard input is too long",
      });
  }
  return (text.split("\n", 1)[0] ?? "").trim();
}

function nobody(question: string): GatehouseError {
  return new GatehouseError({
    code: "invalid",
    op: "cli.usage.ask",
    message: `standard input is no terminal, so nobody can answer: ${question}`,
    hint: "Say it on the command line; see --help.",
  });
}
