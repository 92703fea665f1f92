import type { Session } from "../../../sessions/session.ts";
import type { Channel } from "../connection/mod.ts";
import type { Lane } from "./lane.ts";
import type { StreamRecord } from "./stream-records.ts";

/** No more than this goes into one frame. */
const frameBytesMax = 256 * 1024;
/** From this on a portion is bulk, and room for its followers is made at once. */
const bulkBytes = 8 * 1024;
const bulkRoomBytes = 128 * 1024;

/**
 * Carries one direction's bytes from channel to channel: what came in one turn of the event loop is one frame, and passes
 * when that is durable. The sender's window opens again only when the bytes have left, so whoever is slow (disk, client or target)
 * holds back the sender, and no more than a window is ever held here.
 */
export class Conduit {
  readonly #from: Channel;
  readonly #to: Channel;
  readonly #lane: Lane;
  readonly #record: StreamRecord;
  readonly #session: Pick<Session, "congested" | "ready" | "active">;
  /** What was gathered in this turn, all of one stream. */
  #gathered: Uint8Array = new Uint8Array(0);
  #gatheredBytes = 0;
  #stream = 0;
  #flushing = false;
  /** Passed on to a channel that cannot take more just now: the sender is not told yet. */
  #owedBytes = 0;

  constructor(options: {
    from: Channel;
    to: Channel;
    lane: Lane;
    record: StreamRecord;
    session: Pick<Session, "congested" | "ready" | "active">;
  }) {
    this.#from = options.from;
    this.#to = options.to;
    this.#lane = options.lane;
    this.#record = options.record;
    this.#session = options.session;
  }

  /** `view` is only valid during the call. Throws what the record throws: the bytes must not pass then. */
  data(view: Uint8Array, stream: number): void {
    if (this.#lane.dead) return;
    if (this.#record.gathers(stream)) return this.#gather(view, stream);
    this.flush();
    const recorded = this.#record.record(view, stream);
    // Bytes that no frame holds are activity all the same.
    if (recorded === undefined) this.#session.active();
    if (recorded === undefined && this.#lane.clear) return this.#pass(view, stream);
    const kept = Uint8Array.from(view);
    this.#lane.push(recorded, () => this.#pass(kept, stream));
  }
  /** Everything that came until now goes to the lane: called before anything else that must keep its place. */
  flush(): void {
    if (this.#gatheredBytes === 0) return;
    const bytes = this.#gathered.subarray(0, this.#gatheredBytes);
    const stream = this.#stream;
    this.#gathered = new Uint8Array(0);
    this.#gatheredBytes = 0;
    this.#lane.push(this.#record.record(bytes, stream), () => this.#pass(bytes, stream));
  }
  /** The sender's end of the stream, told to the receiver in its place. */
  eof(): void {
    this.flush();
    this.#lane.push(this.#record.end(), () => this.#to.eof());
  }
  /** The receiver can take more. */
  drained(): void {
    const owed = this.#owedBytes;
    this.#owedBytes = 0;
    this.#credit(owed);
  }

  #gather(view: Uint8Array, stream: number): void {
    if (this.#gatheredBytes > 0 && stream !== this.#stream) this.flush();
    const bytes = this.#gatheredBytes + view.length;
    if (bytes > this.#gathered.length) {
      const room =
        view.length < bulkBytes && bytes < bulkBytes
          ? Math.max(bytes, this.#gathered.length * 2)
          : Math.max(bytes, bulkRoomBytes);
      const roomier = Buffer.allocUnsafe(room);
      roomier.set(this.#gathered.subarray(0, this.#gatheredBytes));
      this.#gathered = roomier;
    }
    this.#gathered.set(view, this.#gatheredBytes);
    this.#gatheredBytes = bytes;
    this.#stream = stream;
    if (bytes >= frameBytesMax - bulkRoomBytes) return this.flush();
    if (this.#flushing) return;
    this.#flushing = true;
    // A microtask runs after the packets of one read of the socket were all handed over.
    queueMicrotask(() => {
      this.#flushing = false;
      this.flush();
    });
  }
  #pass(bytes: Uint8Array, stream: number): void {
    this.#to.write(bytes, stream);
    this.#credit(bytes.length);
  }
  #credit(bytes: number): void {
    if (bytes === 0) return;
    if (!this.#to.writable) {
      this.#owedBytes += bytes;
      return;
    }
    if (this.#session.congested) {
      this.#session.ready().then(
        () => this.#credit(bytes),
        // The session is ending; nobody sends any more.
        () => undefined,
      );
      return;
    }
    this.#from.consumed(bytes);
  }
}
