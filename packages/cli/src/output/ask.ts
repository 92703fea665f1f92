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

/** Several secrets, one after another. From a pipe they are its first lines, and an absent one is empty. */
export async function askSecrets(questions: readonly string[], terminal: Terminal): Promise<string[]> {
  if (!terminal.stdin.isTTY) {
    const lines = (await firstLines(terminal.stdin, questions.length)).map((line) => line.trim());
    return questions.map((_, at) => lines[at] ?? "");
  }
  const answers: string[] = [];
  for (const question of questions) answers.push(await askSecret(question, terminal));
  return answers;
}

const lineBytesMax = 65_536;

async function firstLine(stdin: NodeJS.ReadableStream): Promise<string> {
  const [line = ""] = await firstLines(stdin, 1);
  return line.trim();
}

async function firstLines(stdin: NodeJS.ReadableStream, count: number): Promise<string[]> {
  let text = "";
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.split("\n").length > count) break;
    if (text.length > lineBytesMax)
      throw new GatehouseError({
        code: "too_large",
        op: "cli.ask",
        message: "the first line of standard input is too long",
      });
  }
  return text.split("\n", count);
}

function nobody(question: string): GatehouseError {
  return new GatehouseError({
    code: "invalid",
    op: "cli.usage.ask",
    message: `standard input is no terminal, so nobody can answer: ${question}`,
    hint: "Say it on the command line; see --help.",
  });
}
