/** What a key press led to. */
export type Edited = { kind: "line"; text: string } | { kind: "interrupt" } | { kind: "end" };

const lineCharsMax = 4096;
const historyMax = 200;

/**
 * Edits one line on a terminal: arrows, Home and End, the usual control keys, history and completion. Text in, text out.
 */
export class LineEditor {
  readonly #write: (text: string) => void;
  readonly #prompt: () => string;
  readonly #complete: (line: string) => string[];
  readonly #history: string[] = [];
  #historyAt = 0;
  /** What was being typed before somebody went up. */
  #draft = "";
  #chars: string[] = [];
  #at = 0;
  /** The beginning of an escape sequence that is not complete. */
  #pending = "";

  constructor(options: {
    write: (text: string) => void;
    prompt: () => string;
    complete: (line: string) => string[];
  }) {
    this.#write = options.write;
    this.#prompt = options.prompt;
    this.#complete = options.complete;
  }
  get history(): readonly string[] {
    return this.#history;
  }
  begin(): void {
    this.#chars = [];
    this.#at = 0;
    this.#historyAt = this.#history.length;
    this.#draft = "";
    this.#write(this.#prompt());
  }
  /** Takes keys until one finishes the line; the rest is given back for the next. */
  feed(text: string): { edited: Edited | undefined; rest: string } {
    const keys = this.#pending + text;
    this.#pending = "";
    for (let at = 0; at < keys.length;) {
      const key = nextKey(keys, at);
      if (key === undefined) {
        this.#pending = keys.slice(at);
        break;
      }
      at += key.length;
      const edited = this.#press(key);
      if (edited) return { edited, rest: keys.slice(at) };
    }
    return { edited: undefined, rest: "" };
  }

  #press(key: string): Edited | undefined {
    switch (key) {
      case "\r":
      case "\n":
        this.#write("\r\n");
        return { kind: "line", text: this.#accept() };
      case "\u0003":
        this.#write("^C\r\n");
        return { kind: "interrupt" };
      case "\u0004":
        return this.#chars.length === 0 ? { kind: "end" } : this.#remove(this.#at, this.#at + 1);
      case "\u007f":
      case "\b":
        return this.#remove(this.#at - 1, this.#at);
      case "\u001b[3~":
        return this.#remove(this.#at, this.#at + 1);
      case "\u0015":
        return this.#remove(0, this.#at);
      case "\u000b":
        return this.#remove(this.#at, this.#chars.length);
      case "\u0017":
        return this.#remove(this.#wordStart(), this.#at);
      case "\u0001":
      case "\u001b[H":
      case "\u001bOH":
      case "\u001b[1~":
        return this.#move(0);
      case "\u0005":
      case "\u001b[F":
      case "\u001bOF":
      case "\u001b[4~":
        return this.#move(this.#chars.length);
      case "\u0002":
      case "\u001b[D":
      case "\u001bOD":
        return this.#move(this.#at - 1);
      case "\u0006":
      case "\u001b[C":
      case "\u001bOC":
        return this.#move(this.#at + 1);
      case "\u0010":
      case "\u001b[A":
      case "\u001bOA":
        return this.#recall(this.#historyAt - 1);
      case "\u000e":
      case "\u001b[B":
      case "\u001bOB":
        return this.#recall(this.#historyAt + 1);
      case "\u000c":
        this.#write("\u001b[2J\u001b[H");
        return this.#draw();
      case "\t":
        return this.#completeWord();
      default:
        // Other escape sequences and control keys do nothing.
        return key < " " ? undefined : this.#insert(key);
    }
  }

  #accept(): string {
    const line = this.#chars.join("");
    if (line.trim() !== "" && line !== this.#history.at(-1)) this.#history.push(line);
    if (this.#history.length > historyMax) this.#history.shift();
    return line;
  }
  #insert(text: string): undefined {
    const chars = Array.from(text);
    if (this.#chars.length + chars.length > lineCharsMax) return;
    this.#chars.splice(this.#at, 0, ...chars);
    this.#at += chars.length;
    if (this.#at === this.#chars.length) this.#write(text);
    else this.#draw();
  }
  #remove(from: number, to: number): undefined {
    const start = Math.max(0, from);
    this.#chars.splice(start, Math.max(0, to - start));
    this.#at = Math.min(start, this.#chars.length);
    this.#draw();
  }
  #move(to: number): undefined {
    const at = Math.max(0, Math.min(this.#chars.length, to));
    if (at < this.#at) this.#write(`\u001b[${this.#at - at}D`);
    if (at > this.#at) this.#write(`\u001b[${at - this.#at}C`);
    this.#at = at;
  }
  #recall(to: number): undefined {
    if (to < 0 || to > this.#history.length) return;
    if (this.#historyAt === this.#history.length) this.#draft = this.#chars.join("");
    this.#historyAt = to;
    this.#chars = Array.from(this.#history[to] ?? this.#draft);
    this.#at = this.#chars.length;
    this.#draw();
  }
  #completeWord(): undefined {
    const before = this.#chars.slice(0, this.#at).join("");
    const found = this.#complete(before);
    const word = /\S*$/.exec(before)?.[0] ?? "";
    if (found.length === 0) return;
    const common = found.reduce((a, b) => {
      let same = 0;
      while (same < a.length && a[same] === b[same]) same++;
      return a.slice(0, same);
    });
    if (common.length > word.length) return this.#insert(common.slice(word.length));
    if (found.length === 1) return;
    this.#write(`\r\n${found.join("  ")}\r\n`);
    this.#draw();
  }
  #wordStart(): number {
    let at = this.#at;
    while (at > 0 && this.#chars[at - 1] === " ") at--;
    while (at > 0 && this.#chars[at - 1] !== " ") at--;
    return at;
  }
  #draw(): undefined {
    const back = this.#chars.length - this.#at;
    this.#write(`\r\u001b[K${this.#prompt()}${this.#chars.join("")}${back > 0 ? `\u001b[${back}D` : ""}`);
  }
}

/** The key that begins at `at`: one character, or a whole escape sequence; undefined when it is not all there. */
function nextKey(keys: string, at: number): string | undefined {
  if (keys[at] !== "\u001b") {
    const code = keys.codePointAt(at) as number;
    return String.fromCodePoint(code);
  }
  // eslint-disable-next-line no-control-regex
  const match = /^\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z]|[^[O])/.exec(keys.slice(at, at + 32));
  if (match) return match[0];
  // Longer than any key's: let go of it.
  return keys.length - at >= 32 ? keys.slice(at, at + 32) : undefined;
}
