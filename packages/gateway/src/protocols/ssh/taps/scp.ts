import { type FileOperation, pathFields, targetFields } from "@gatehouse/recording";
import { type FileName, Passage } from "./open-file.ts";

/** A control line is a mode, a size and a name; OpenSSH itself takes 2 KiB. */
const lineBytesMax = 8 * 1024;
const directoriesMax = 256;
const progressBytesDefault = 64 * 1024 * 1024;

export type ScpCommand = {
  /** From the person's side: `upload` is `scp -t` on the target, `download` is `scp -f`. */
  direction: "upload" | "download";
  /** What the command names on the target; whether it is a file or a directory only the target knows. */
  path: string;
};

/** Recognises what a client's scp runs on the far side in the old protocol (`scp -O`). */
export function parseScpCommand(command: string): ScpCommand | undefined {
  const match = /^(?:\S*\/)?scp\s+((?:-\S+\s+)+)(.*)$/s.exec(command);
  if (!match) return undefined;
  const options = (match[1] as string).split(/\s+/).filter((word) => word !== "--");
  const has = (letter: string) => options.some((word) => /^-[a-z]+$/i.test(word) && word.includes(letter));
  if (has("t") === has("f")) return undefined;
  return { direction: has("t") ? "upload" : "download", path: match[2] as string };
}

type File = { operation: number; name: FileName; size: number; passage: Passage };

/**
 * Follows the rcp protocol of the old scp without touching it. One side sends files, the other answers each record with a
 * byte: 0 is yes, 1 and 2 come with a line of text. There is no specification; this follows what OpenSSH's scp.c does.
 * What it cannot follow it says once and leaves alone: the bytes themselves are recorded as any command's are.
 */
export class ScpTap {
  readonly #command: ScpCommand;
  readonly #progressBytes: number;
  #operations = 0;
  #out: FileOperation[] = [];
  #lost = false;
  #directories: Uint8Array[] = [];
  #times: Pick<FileOperation, "mtimeS" | "atimeS"> = {};
  /** Where the sender's stream stands: between records, in a file's bytes, or before the byte that ends them. */
  #state: "control" | "data" | "trailer" = "control";
  #file: File | undefined;
  #left = 0;
  #line: number[] = [];
  /** What the receiver's next answer is about. */
  #asked: { kind: "open" | "close"; file: File } | { kind: "mkdir"; operation: FileOperation } | undefined;
  #answer: number[] = [];

  constructor(command: ScpCommand, options: { progressBytes?: number } = {}) {
    this.#command = command;
    this.#progressBytes = options.progressBytes ?? progressBytesDefault;
  }
  fromClient(view: Uint8Array): FileOperation[] {
    return this.#command.direction === "upload" ? this.#sent(view) : this.#answered(view);
  }
  fromTarget(view: Uint8Array): FileOperation[] {
    return this.#command.direction === "upload" ? this.#answered(view) : this.#sent(view);
  }
  /** The conversation ended: a file in its middle, with what passed. */
  end(): FileOperation[] {
    if (this.#file && !this.#lost) this.#closed(this.#file, undefined);
    this.#file = undefined;
    return this.#drain();
  }
  #drain(): FileOperation[] {
    const out = this.#out;
    if (out.length > 0) this.#out = [];
    return out;
  }

  #sent(view: Uint8Array): FileOperation[] {
    let at = 0;
    while (at < view.length && !this.#lost) {
      if (this.#state === "data") {
        const file = this.#file as File;
        const portion = view.subarray(at, at + this.#left);
        at += portion.length;
        this.#left -= portion.length;
        this.#progress(file);
        file.passage.start(file.passage.next, portion.length);
        file.passage.data(portion);
        if (this.#left === 0) this.#state = "trailer";
        continue;
      }
      const byte = view[at++] as number;
      if (this.#state === "trailer" && this.#line.length === 0 && byte === 0) {
        const file = this.#file as File;
        this.#state = "control";
        this.#asked = { kind: "close", file };
        continue;
      }
      // A zero between records belongs to nothing we follow.
      if (byte !== 0x0a) {
        this.#line.push(byte);
        if (this.#line.length > lineBytesMax) this.#lose();
        continue;
      }
      const line = Uint8Array.from(this.#line);
      this.#line = [];
      if (this.#state === "trailer") this.#failedSending(line);
      else this.#record(line);
    }
    return this.#drain();
  }

  /** One line of the sender. */
  #record(line: Uint8Array): void {
    const text = Buffer.from(line).toString("latin1");
    const kind = text[0];
    if (kind === "\u0001" || kind === "\u0002") {
      this.#out.push({
        ...this.#operation("open", pathFields(Buffer.from(this.#command.path))),
        result: { code: kind.charCodeAt(0), message: messageOf(line) },
      });
      return;
    }
    const times = /^T(\d{1,15}) \d+ (\d{1,15}) \d+$/.exec(text);
    if (times) {
      this.#times = { mtimeS: Number(times[1]), atimeS: Number(times[2]) };
      return;
    }
    if (text === "E") {
      this.#directories.pop();
      return;
    }
    const entry = /^([CD])([0-7]{4,6}) (\d{1,15}) (.+)$/s.exec(text);
    if (!entry) return this.#lose();
    const name = Buffer.from(entry[4] as string, "latin1");
    const full = pathFields(Buffer.concat([...this.#directories.flatMap((d) => [d, slash]), name]));
    const facts = {
      ...targetFields(Buffer.from(this.#command.path)),
      mode: Number.parseInt(entry[2] as string, 8),
      ...this.#times,
    };
    this.#times = {};
    if (entry[1] === "D") {
      const op = this.#command.direction === "upload" ? ("mkdir" as const) : ("opendir" as const);
      const operation = { ...this.#operation(op, full), ...facts };
      this.#directories.push(name);
      if (this.#directories.length > directoriesMax) return this.#lose();
      this.#asked = { kind: "mkdir", operation };
      this.#out.push({ ...operation, phase: "request" });
      return;
    }
    const size = Number(entry[3]);
    const upload = this.#command.direction === "upload";
    const operation = { ...this.#operation("open", full), ...facts, size };
    const passage = new Passage(upload ? "bytesWritten" : "bytesRead");
    const file: File = { operation: operation.operation, name: full, size, passage };
    this.#out.push({
      ...operation,
      phase: "request",
      flags: upload ? ["write", "create", "truncate"] : ["read"],
    });
    this.#file = file;
    this.#left = size;
    this.#state = size === 0 ? "trailer" : "data";
    this.#asked = { kind: "open", file };
  }
  /** Instead of the zero after the data: the sender could not read its file to the end and padded it. */
  #failedSending(line: Uint8Array): void {
    const file = this.#file as File;
    file.passage.spoil("the sender could not read it all");
    this.#state = "control";
    this.#asked = { kind: "close", file };
    if (line[0] !== 1 && line[0] !== 2) this.#lose();
  }

  #answered(view: Uint8Array): FileOperation[] {
    for (const byte of view) {
      if (this.#lost) break;
      if (this.#answer.length === 0 && byte === 0) this.#settle(0, "");
      else if (byte === 0x0a && this.#answer.length > 0) {
        const line = Uint8Array.from(this.#answer);
        this.#answer = [];
        // Anything but 1 or 2 is a target's login script talking into the protocol.
        if (line[0] === 1 || line[0] === 2) this.#settle(line[0], messageOf(line));
        else this.#lose();
      } else {
        this.#answer.push(byte);
        if (this.#answer.length > lineBytesMax) this.#lose();
      }
    }
    return this.#drain();
  }
  /** The receiver answered what it was asked last. */
  #settle(code: number, message: string): void {
    const asked = this.#asked;
    this.#asked = undefined;
    const result = { code, message };
    switch (asked?.kind) {
      case undefined:
        // The receiver's first zero, or its answer to a time or the end of a directory.
        return;
      case "mkdir":
        // A directory that is refused is not entered.
        if (code !== 0) this.#directories.pop();
        this.#out.push({ ...asked.operation, result });
        return;
      case "open":
        // Yes is told with the close. After a no, the file's bytes do not come.
        if (code === 0) return;
        this.#state = "control";
        this.#file = undefined;
        this.#out.push({ ...this.#about("open", asked.file), result });
        return;
      case "close":
        this.#closed(asked.file, result);
        this.#file = undefined;
        return;
    }
  }

  #operation(op: FileOperation["op"], name: FileName): FileOperation {
    return { op, protocol: "scp", operation: ++this.#operations, phase: "result", ...name };
  }
  #about(op: FileOperation["op"], file: File): FileOperation {
    return { op, protocol: "scp", operation: file.operation, phase: "result", ...file.name };
  }
  #closed(file: File, result: FileOperation["result"] | undefined): void {
    const whole = file.passage.bytes === file.size;
    this.#out.push({
      ...this.#about("close", file),
      ...file.passage.transfer(whole ? undefined : "broken off"),
      ...(result && { result }),
    });
  }
  #progress(file: File): void {
    const { passage } = file;
    if (passage.bytes - passage.bytesReported < this.#progressBytes) return;
    passage.bytesReported = passage.bytes;
    const op = this.#command.direction === "upload" ? ("write" as const) : ("read" as const);
    this.#out.push({ ...this.#about(op, file), ...passage.transfer("in progress"), phase: "progress" });
  }
  #lose(): void {
    this.end().forEach((operation) => this.#out.push(operation));
    this.#lost = true;
    this.#out.push({
      ...this.#operation("extended", pathFields(Buffer.from(this.#command.path))),
      extended: "not followed any further: this is not scp's protocol",
    });
  }
}

const slash = Buffer.from("/");
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
function messageOf(line: Uint8Array): string {
  return lossy.decode(line.subarray(1));
}
