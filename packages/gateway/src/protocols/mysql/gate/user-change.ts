import { GatehouseError } from "@gatehouse/kernel";
import type { Dialogue } from "../sign-in/dialogue.ts";
import { PacketSplitter, encodePacket } from "../wire/packets.ts";

const op = "mysql.dial";
const messageBytesMax = 256 * 1024;

/** The words with a target that follow a COM_CHANGE_USER, fed with what it sends while the session's data stand still. */
export class UserChange implements Dialogue {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #splitter: PacketSplitter;
  readonly #waiting: Uint8Array[] = [];
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  sequence: number;

  constructor(write: (bytes: Uint8Array) => void, sequence: number) {
    this.#write = write;
    this.sequence = sequence;
    this.#splitter = new PacketSplitter({
      op,
      wholeBytesMax: messageBytesMax,
      sink: {
        begins: () => true,
        whole: (payload, _raw, last) => {
          this.sequence = last + 1;
          this.#waiting.push(Uint8Array.from(payload));
        },
        pass: () => undefined,
      },
    });
  }
  feed(chunk: Uint8Array): void {
    try {
      this.#splitter.feed(chunk);
    } catch (error) {
      this.#failure = error as Error;
    }
    this.#wake?.();
  }
  closed(): void {
    this.#failure ??= new GatehouseError({ code: "unavailable", op, message: "the target left" });
    this.#wake?.();
  }
  async next(): Promise<Uint8Array> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message) return message;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
  send(payload: Uint8Array): void {
    this.#write(encodePacket(this.sequence++, payload));
  }
}
