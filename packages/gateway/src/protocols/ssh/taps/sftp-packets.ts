import { GatehouseError, checkLimit } from "@gatehouse/kernel";
import { SshReader } from "../transport/wire.ts";

/** Packet types of draft-ietf-secsh-filexfer-02 §3 (protocol version 3, the one that OpenSSH speaks). */
export const sftpType = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 200,
  extendedReply: 201,
} as const;

/** What OpenSSH allows (SFTP_MAX_MSG_LENGTH); a longer one is a target's login script talking, or an attack. */
const packetBytesMax = 256 * 1024;
/** §3: "the length of the handle string MUST NOT exceed 256 data bytes". */
export const handleBytesMax = 256;
/** Length, type. */
const headBytes = 5;

export type SftpPacketEvents = {
  /** A packet other than READ's data and WRITE; the reader stands behind the type. Valid until the callback returns. */
  packet(type: number, body: SshReader): void;
  /** The head of a DATA or WRITE packet, with the number of bytes of file data that follow. */
  dataStart(type: number, body: SshReader, bytes: number): void;
  /** File data as it arrives, in any portions. */
  data(view: Uint8Array): void;
  dataEnd(): void;
};

/**
 * Cuts one direction of an SFTP conversation into packets. File data is handed on as it comes, never gathered, so
 * what is held is at most one packet of another type.
 */
export class SftpPackets {
  readonly #events: SftpPacketEvents;
  #held = new Uint8Array(512);
  #heldBytes = 0;
  /** File data of the packet at hand that is still to come, and what trails it. */
  #dataLeft = 0;
  #trailerLeft = 0;

  constructor(events: SftpPacketEvents) {
    this.#events = events;
  }
  /** Nothing of a packet is pending: an end of the stream here is a clean one. */
  get atBoundary(): boolean {
    return this.#heldBytes === 0 && this.#dataLeft === 0 && this.#trailerLeft === 0;
  }

  push(view: Uint8Array): void {
    let at = 0;
    /** The first `want` bytes of the packet at hand, gathered if they came in portions; undefined until they are all here. */
    const peek = (want: number): Uint8Array | undefined => {
      if (this.#heldBytes === 0 && view.length - at >= want) return view.subarray(at, at + want);
      const missing = Math.max(0, Math.min(want - this.#heldBytes, view.length - at));
      if (this.#heldBytes + missing > this.#held.length) {
        const grown = new Uint8Array(Math.max(this.#held.length * 2, this.#heldBytes + missing));
        grown.set(this.#held.subarray(0, this.#heldBytes));
        this.#held = grown;
      }
      this.#held.set(view.subarray(at, at + missing), this.#heldBytes);
      this.#heldBytes += missing;
      at += missing;
      return this.#heldBytes >= want ? this.#held.subarray(0, want) : undefined;
    };
    const consume = (bytes: number) => {
      if (this.#heldBytes === 0) at += bytes;
      this.#heldBytes = 0;
    };

    while (at < view.length) {
      if (this.#dataLeft > 0) {
        const portion = view.subarray(at, at + this.#dataLeft);
        at += portion.length;
        this.#dataLeft -= portion.length;
        this.#events.data(portion);
        if (this.#dataLeft === 0) this.#events.dataEnd();
        continue;
      }
      if (this.#trailerLeft > 0) {
        const portion = Math.min(this.#trailerLeft, view.length - at);
        at += portion;
        this.#trailerLeft -= portion;
        continue;
      }
      const head = peek(headBytes);
      if (!head) return;
      const length = new SshReader(head).uint32();
      if (length < 1) throw malformed("an empty packet");
      checkLimit("ssh.sftp", "SFTP packet length in bytes", length, packetBytesMax);
      const type = head[4] as number;
      const total = 4 + length;
      if (type !== sftpType.data && type !== sftpType.write) {
        const whole = peek(total);
        if (!whole) return;
        // Consumed first: the event may throw, and the view stays valid until the next push.
        consume(total);
        this.#events.packet(type, new SshReader(whole, headBytes));
        continue;
      }
      // DATA: id, length. WRITE: id, handle, offset, length (§6.4).
      let fixed = headBytes + 8;
      if (type === sftpType.write) {
        const upToHandle = peek(Math.min(fixed, total));
        if (!upToHandle) return;
        const handleBytes = new SshReader(upToHandle, headBytes + 4).uint32();
        checkLimit("ssh.sftp", "SFTP handle length in bytes", handleBytes, handleBytesMax);
        fixed += handleBytes + 12;
      }
      if (fixed > total) throw malformed("a packet too short for its type");
      const prefix = peek(fixed);
      if (!prefix) return;
      const bytes = new SshReader(prefix, fixed - 4).uint32();
      if (bytes > total - fixed) throw malformed("file data longer than its packet");
      consume(fixed);
      this.#dataLeft = bytes;
      this.#trailerLeft = total - fixed - bytes;
      this.#events.dataStart(type, new SshReader(prefix, headBytes), bytes);
      if (bytes === 0) this.#events.dataEnd();
    }
  }
}

export function malformed(what: string): GatehouseError {
  return new GatehouseError({ code: "protocol", op: "ssh.sftp", message: `malformed SFTP: ${what}` });
}
