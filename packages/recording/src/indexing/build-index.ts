import type { Terminal } from "@xterm/headless";
import { checkLimit, concatBytes, fromHex } from "@gatehouse/kernel";
import { deriveKey } from "../derive-key.ts";
import { type Frame, type SessionFacts, laneOf } from "../frame.ts";
import {
  type AsciiLine,
  type IndexEvent,
  IndexSealer,
  type IndexedLine,
  LinesWriting,
  encodeDirectory,
  encodeEvents,
  eventsPerBlock,
  indexKeyPurpose,
  indexMaker,
  indexLimits,
  lineCharsMax,
} from "../index/mod.ts";
import type { SealCrypto } from "../seal-crypto.ts";
import { type Statement, StatementReading, statementLine } from "../tracks/query/mod.ts";
import { ShownLines, scrollbackLines, sliceBytes } from "../transcript/shown-lines.ts";
import { shownBy, sizeAtFirst } from "../transcript/shown.ts";
import { unseenTerminal } from "../transcript/unseen-terminal.ts";
import { BlockWriter, gathered } from "./block-writer.ts";
import { Commands } from "./commands.ts";
import { Flow } from "./flow.ts";
import { KeyframeMaking } from "./keyframe-making.ts";
import { recordedEvent } from "./recorded-event.ts";
import { ScreenText } from "./screen-text.ts";

/** A screen that stands still for so long is looked at; one that never does, once a second. */
const stillUs = 200_000;
const lookAfterUs = 1_000_000;
const textBlockBytes = 64 * 1024;
/** Text beyond it is left out, and the directory says from when on. */
const textBytesMax = 64 * 1024 * 1024;
/** Writes that are under way together: the terminal takes them when the event loop comes round. */
const waitingSlicesMax = 64;
const waitingBytesMax = 512 * 1024;
/** As many as a player keeps, since a window that grows shows them again. */
const rowsKept = 1_000;
/** No text that is looked for is longer. */
const cutCharsOver = 256;
const nothing = new Uint8Array(0);

/**
 * Makes the index of a recording out of its frames, in one pass and in memory that does not grow but for the index itself, which is
 * bounded. Frames of the input lane may be among them or not: nothing of them goes into it but that something happened.
 */
export async function buildIndex(options: {
  facts: SessionFacts;
  frames: AsyncIterable<Frame>;
  /** The main lane's key. */
  laneKey: Uint8Array;
  /** Hex, of the recording's last segment. */
  headSha256: string;
  crypto: Pick<SealCrypto, "encrypt" | "compress" | "random">;
  /** Has each line that goes into the index. */
  filter?: TextFilter;
}): Promise<Uint8Array> {
  const { facts, crypto } = options;
  const salt = crypto.random(32);
  const sealer = new IndexSealer({
    recordingId: facts.sessionId,
    headSha256: fromHex(options.headSha256),
    salt,
    key: await deriveKey(options.laneKey, indexKeyPurpose, salt),
    crypto,
  });
  const making = new IndexMaking(sealer, sizeAtFirst(facts.size), options.filter);
  try {
    for await (const frame of options.frames) await making.add(frame);
    return await making.finish();
  } finally {
    making.dispose();
  }
}

type TextFilter = { add(text: string): void; addAscii(bytes: Uint8Array, start: number, end: number): void };

class IndexMaking {
  readonly #sealer: IndexSealer;
  readonly #filter: TextFilter | undefined;
  readonly #statements = new StatementReading();
  readonly #terminal: Terminal;
  readonly #shownLines: ShownLines;
  readonly #screenText: ScreenText;
  readonly #commands: Commands;
  readonly #flow = new Flow();
  readonly #text: BlockWriter<IndexedLine | AsciiLine>;
  readonly #keyframes: KeyframeMaking;
  readonly #events: BlockWriter<IndexEvent>;
  #textEndsUs: number | undefined;
  /** The slices that are not written yet, and their moments. */
  #slices: Uint8Array[] = [];
  #moments: number[] = [];
  #written = 0;
  /** Of the slice before. */
  #writtenUs = 0;
  #waitingBytes = 0;

  #frames = 0;
  #endUs = 0;
  /** Of the last frame that showed something. */
  #shownUs = 0;
  #shownSinceLook = false;
  #lookedUs = 0;

  constructor(sealer: IndexSealer, size: { cols: number; rows: number }, filter: TextFilter | undefined) {
    this.#sealer = sealer;
    this.#filter = filter;
    this.#terminal = unseenTerminal(size, scrollbackLines);
    this.#keyframes = new KeyframeMaking(this.#terminal, sealer);
    this.#text = new BlockWriter({ part: "text", sealer, begin: () => new LinesWriting() });
    this.#events = new BlockWriter({ part: "events", sealer, begin: gathered(encodeEvents) });
    this.#commands = new Commands(
      this.#terminal,
      () => this.#nowUs(),
      (event) => this.#addEvent(event),
    );
    this.#screenText = new ScreenText(this.#terminal, (line) => this.#addLine(line));
    this.#shownLines = new ShownLines(
      this.#terminal,
      (lines, gone, wasThere) => {
        const nowUs = this.#nowUs();
        const stood = wasThere || (gone === "cleared" && clearsBeforeText(this.#slices[this.#written]));
        this.#screenText.gone(lines, gone, nowUs, stood ? this.#writtenUs : nowUs);
      },
      rowsKept,
    );
  }

  async add(frame: Frame): Promise<void> {
    this.#frames++;
    this.#flow.note(frame);
    this.#addEvent(recordedEvent(frame));
    if (frame.kind === "input") {
      this.#then(frame.timeUs, () => this.#commands.typed(frame.data, frame.timeUs));
      if (this.#isMuchWaiting) await this.#settle();
    }
    this.#endUs = frame.timeUs;
    // Secrets of statements are in the other lane, and stay out.
    if (laneOf(frame.kind) === "main")
      for (const statement of this.#statements.take(frame)) this.#addStatement(statement);
    const shown = shownBy(frame);
    if (shown.what === "nothing") return;
    this.#lookBefore(frame.timeUs);
    if (this.#keyframes.isDue(frame.timeUs)) {
      const { seq } = frame;
      const next = shown.what === "bytes" ? shown.bytes : nothing;
      const shownUs = this.#shownUs;
      this.#then(shownUs, () => this.#keyframes.take({ seq, timeUs: shownUs, next }));
    }
    if (shown.what === "size") {
      await this.#settle();
      this.#screenText.look(this.#shownUs);
      this.#shownLines.resizing();
      this.#commands.forget();
      this.#terminal.resize(shown.cols, shown.rows);
      this.#shownLines.resized();
      this.#keyframes.resized();
    } else {
      if (frame.kind === "notice") this.#then(frame.timeUs, () => this.#commands.aside(false));
      const { length } = shown.bytes;
      for (let at = 0; at < length; at += sliceBytes) {
        this.#write(
          length <= sliceBytes ? shown.bytes : shown.bytes.subarray(at, at + sliceBytes),
          frame.timeUs,
        );
        if (this.#isMuchWaiting) await this.#settle();
      }
      if (frame.kind === "notice") this.#then(frame.timeUs, () => this.#commands.aside(true));
      this.#keyframes.shown(shown.bytes.length, frame.timeUs);
    }
    this.#shownUs = frame.timeUs;
    this.#shownSinceLook = true;
  }

  async finish(): Promise<Uint8Array> {
    await this.#settle();
    this.#screenText.look(this.#shownUs);
    this.#shownLines.finish();
    this.#screenText.finish();
    for (const statement of this.#statements.unanswered()) this.#addStatement(statement);
    await Promise.all([this.#keyframes.finish(), this.#text.finish(), this.#events.finish()]);
    const directory = encodeDirectory({
      maker: indexMaker,
      durationUs: this.#endUs,
      frames: this.#frames,
      ...this.#flow.finish(this.#endUs),
      keyframes: this.#keyframes.entries,
      pictures: this.#keyframes.pictures.entries,
      text: this.#text.entries,
      events: this.#events.entries,
      ...(this.#textEndsUs !== undefined && { textEndsUs: this.#textEndsUs }),
    });
    const sealed = await this.#sealer.seal("directory", 0, directory);
    const whole = concatBytes([
      this.#sealer.header(sealed.length),
      sealed,
      ...this.#keyframes.blocks,
      ...this.#keyframes.pictures.blocks,
      ...this.#text.blocks,
      ...this.#events.blocks,
    ]);
    checkLimit("index.build", "the index's bytes", whole.length, indexLimits.indexBytesMax);
    return whole;
  }

  dispose(): void {
    this.#terminal.dispose();
    this.#keyframes.dispose();
  }

  /** The moment of the slice that is being written. */
  #nowUs(): number {
    return this.#moments[this.#written] ?? this.#shownUs;
  }

  #write(bytes: Uint8Array, timeUs: number): void {
    this.#waits(bytes, timeUs);
    this.#terminal.write(bytes, () => {
      this.#shownLines.written();
      this.#writtenUs = timeUs;
      this.#written++;
    });
  }

  /** Resolves when everything is on the screen and every block sealed. */
  async #settle(): Promise<void> {
    if (this.#slices.length > 0) await new Promise<void>((resolve) => this.#terminal.write("", resolve));
    this.#moments = [];
    this.#slices = [];
    this.#written = 0;
    this.#waitingBytes = 0;
    await Promise.all([this.#keyframes.sealed(), this.#text.sealed()]);
  }

  #lookBefore(timeUs: number): void {
    if (!this.#shownSinceLook) return;
    if (timeUs - this.#shownUs < stillUs && timeUs - this.#lookedUs < lookAfterUs) return;
    this.#shownSinceLook = false;
    this.#lookedUs = timeUs;
    const shownUs = this.#shownUs;
    this.#then(shownUs, () => this.#screenText.look(shownUs));
  }

  /** When all that was written before is on the screen, and nothing after it. */
  #then(timeUs: number, what: () => void): void {
    this.#waits(nothing, timeUs);
    this.#terminal.write("", () => {
      what();
      this.#written++;
    });
  }

  #waits(bytes: Uint8Array, timeUs: number): void {
    this.#moments.push(timeUs);
    this.#slices.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  get #isMuchWaiting(): boolean {
    return this.#slices.length >= waitingSlicesMax || this.#waitingBytes >= waitingBytesMax;
  }

  #addEvent(event: IndexEvent | undefined): void {
    if (!event || this.#events.isFull) return;
    this.#events.add(event, { fromUs: event.timeUs, toUs: event.timeUs }, 1, eventsPerBlock);
  }

  #addStatement(statement: Statement): void {
    const text = statementLine(statement).toWellFormed();
    // Where it goes on in the next line, what lies over the cut is found in one of them.
    for (let at = 0; at === 0 || at + cutCharsOver < text.length; at += lineCharsMax - cutCharsOver)
      this.#addLine({
        fromUs: statement.startedUs,
        toUs: this.#endUs,
        text: text.slice(at, at + lineCharsMax).toWellFormed(),
      });
  }

  #addLine(line: IndexedLine | AsciiLine): void {
    if (this.#textEndsUs !== undefined) return;
    if (this.#text.bytes > textBytesMax || this.#text.isFull) {
      this.#textEndsUs = line.fromUs;
      return;
    }
    if ("text" in line) this.#filter?.add(line.text);
    else this.#filter?.addAscii(line.bytes, line.start, line.end);
    const chars = "text" in line ? line.text.length : line.end - line.start;
    this.#text.add(line, line, chars * 3 + 16, 8 * textBlockBytes);
  }
}

/** A larger one holds text. */
const clearingSliceBytes = 4096;
const latin1 = new TextDecoder("latin1");
// ECMA-48 §5.4: control characters, and sequences that begin with ESC; strings of a terminal's own end with BEL or ST.
const controls =
  // oxlint-disable-next-line no-control-regex
  /^(?:\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[ -/]*[0-OQ-WYZ`-~]|[\0-\u001a\u001c-\u001f])*/;
// oxlint-disable-next-line no-control-regex
const clearing = /\u001b\[[0-?]*J|\u001b\[\?[0-9;]*l|\u001bc/;

/**
 * Whether all that a slice clears stood on the screen before it: nothing is written in it ahead of its last clearing. What begins
 * in the middle of a sequence is taken for text.
 */
function clearsBeforeText(slice: Uint8Array | undefined): boolean {
  if (!slice || slice.length > clearingSliceBytes) return false;
  const said = latin1.decode(slice);
  return !clearing.test(said.slice(controls.exec(said)?.[0].length));
}
