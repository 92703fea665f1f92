import { GatehouseError } from "@gatehouse/kernel";
import { type FileOperation, pathFields, recordedCount, targetFields } from "@gatehouse/recording";
import type { SshReader } from "../transport/wire.ts";
import { type FileName, OpenFile, type OpenFlag, type Passage } from "./open-file.ts";
import { SftpPackets, handleBytesMax, malformed, sftpType } from "./sftp-packets.ts";

/** OpenSSH's client keeps 64 requests in flight; sshfs some hundreds. */
const pendingMax = 16_384;
const openFilesMax = 16_384;
/** A transfer says where it stands so often, so that a crash in its middle leaves its start on record. */
const progressBytesDefault = 64 * 1024 * 1024;
/** Of the request of an extension that we do not know, as its other name. */
const payloadBytesMax = 1024;
/** Of an extension's name and of a status message. */
const describingBytesMax = 512;

/** §6.3 SSH_FXF_*. */
const openFlags: readonly (readonly [number, OpenFlag])[] = [
  [0x01, "read"],
  [0x02, "write"],
  [0x04, "append"],
  [0x08, "create"],
  [0x10, "truncate"],
  [0x20, "exclusive"],
];
/** §7 SSH_FX_*. */
const statusOk = 0;
const statusEof = 1;
type Result = NonNullable<FileOperation["result"]>;
const success: Result = { code: statusOk, message: "" };
const nameless: FileName = { path: "" };

/** A request that the target has not answered. */
type Pending =
  | { kind: "read"; file: OpenFile; offset: number }
  | { kind: "write"; file: OpenFile }
  | { kind: "readdir"; file: OpenFile }
  | { kind: "open"; operation: FileOperation; flags: readonly OpenFlag[]; of: "file" | "directory" }
  | { kind: "close"; handle: string; file: OpenFile | undefined }
  | { kind: "other"; operation: FileOperation; file: OpenFile | undefined; size: number | undefined };

/**
 * Follows an SFTP conversation (version 3) without touching it: bytes in, what they mean out. Each call returns the
 * operations to record before those bytes may be passed on. File data is hashed, never kept.
 * Throws `protocol` or `too_large` where it can no longer say what passes; the session must end then.
 */
export class SftpTap {
  readonly #progressBytes: number;
  readonly #requests: SftpPackets;
  readonly #answers: SftpPackets;
  readonly #pending = new Map<number, Pending>();
  readonly #files = new Map<string, OpenFile>();
  #operations = 0;
  #out: FileOperation[] = [];
  /** Where the file data at hand belongs, per direction. */
  #uploading: Passage | undefined;
  #downloading: Passage | undefined;

  constructor(options: { progressBytes?: number } = {}) {
    this.#progressBytes = options.progressBytes ?? progressBytesDefault;
    this.#requests = new SftpPackets({
      packet: (type, body) => this.#request(type, body),
      dataStart: (type, body, bytes) => this.#writeStart(type, body, bytes),
      data: (view) => this.#uploading?.data(view),
      dataEnd: () => (this.#uploading = undefined),
    });
    this.#answers = new SftpPackets({
      packet: (type, body) => this.#answer(type, body),
      dataStart: (type, body, bytes) => this.#readStart(type, body, bytes),
      data: (view) => this.#downloading?.data(view),
      dataEnd: () => (this.#downloading = undefined),
    });
  }
  fromClient(view: Uint8Array): FileOperation[] {
    this.#requests.push(view);
    return this.#drain();
  }
  fromTarget(view: Uint8Array): FileOperation[] {
    this.#answers.push(view);
    return this.#drain();
  }
  /** The conversation ended: what was still open, with what passed. */
  end(): FileOperation[] {
    for (const file of this.#files.values()) this.#closed(file);
    this.#files.clear();
    this.#pending.clear();
    return this.#drain();
  }

  #drain(): FileOperation[] {
    const out = this.#out;
    if (out.length > 0) this.#out = [];
    return out;
  }

  // What the client asks.

  #request(type: number, body: SshReader): void {
    if (type === sftpType.init) return;
    const id = body.uint32();
    switch (type) {
      case sftpType.open: {
        const names = pathFields(body.string());
        const bits = body.uint32();
        const flags = openFlags.filter(([bit]) => bits & bit).map(([, flag]) => flag);
        const operation = { ...this.#operation("open", names), flags, ...attributesOf(body) };
        this.#ask(id, { kind: "open", operation, flags, of: "file" });
        return;
      }
      case sftpType.opendir:
        this.#ask(id, {
          kind: "open",
          operation: this.#operation("opendir", pathFields(body.string())),
          flags: [],
          of: "directory",
        });
        return;
      case sftpType.close: {
        const handle = handleOf(body);
        this.#await(id, { kind: "close", handle, file: this.#files.get(handle) });
        return;
      }
      case sftpType.read: {
        const file = this.#fileOf(handleOf(body), "read");
        this.#await(id, { kind: "read", file, offset: offsetOf(body) });
        return;
      }
      case sftpType.readdir:
        this.#await(id, { kind: "readdir", file: this.#fileOf(handleOf(body), "readdir") });
        return;
      case sftpType.lstat:
        return this.#query(id, this.#operation("stat", pathFields(body.string())));
      case sftpType.stat:
        return this.#query(id, this.#operation("stat", pathFields(body.string())));
      case sftpType.realpath:
        return this.#query(id, this.#operation("realpath", pathFields(body.string())));
      case sftpType.readlink:
        return this.#query(id, this.#operation("readlink", pathFields(body.string())));
      case sftpType.fstat: {
        const file = this.#fileOf(handleOf(body), "fstat");
        return this.#query(id, this.#operation("stat", file.name), file);
      }
      case sftpType.setstat:
      case sftpType.mkdir: {
        const names = pathFields(body.string());
        const action = type === sftpType.mkdir ? "mkdir" : "setstat";
        return this.#change(id, { ...this.#operation(action, names), ...attributesOf(body) });
      }
      case sftpType.fsetstat: {
        const file = this.#fileOf(handleOf(body), "fsetstat");
        const operation = { ...this.#operation("setstat", file.name), ...attributesOf(body) };
        return this.#change(id, operation, file, operation.size);
      }
      case sftpType.remove:
        return this.#change(id, this.#operation("remove", pathFields(body.string())));
      case sftpType.rmdir:
        return this.#change(id, this.#operation("rmdir", pathFields(body.string())));
      case sftpType.rename:
        return this.#change(id, this.#twoPaths("rename", body.string(), body.string()));
      case sftpType.symlink: {
        // OpenSSH's order, which everybody follows: what the link points to, then the link; the draft says the opposite.
        const pointsTo = body.string();
        return this.#change(id, this.#twoPaths("symlink", body.string(), pointsTo));
      }
      case sftpType.extended:
        return this.#extension(id, body);
      default:
        throw malformed(`request type ${type}`);
    }
  }

  /** OpenSSH's PROTOCOL file, section 4, lists these. */
  #extension(id: number, body: SshReader): void {
    const name = describing(body.string());
    const known = (operation: FileOperation): FileOperation => ({ ...operation, extended: name });
    switch (name) {
      case "posix-rename@openssh.com":
        return this.#change(id, known(this.#twoPaths("rename", body.string(), body.string())));
      case "hardlink@openssh.com": {
        const existing = body.string();
        return this.#change(id, known(this.#twoPaths("link", body.string(), existing)));
      }
      case "lsetstat@openssh.com": {
        const names = pathFields(body.string());
        return this.#change(id, known({ ...this.#operation("setstat", names), ...attributesOf(body) }));
      }
      case "copy-data": {
        const source = this.#fileOf(handleOf(body), "copy-data");
        body.uint64();
        body.uint64();
        const destination = this.#fileOf(handleOf(body), "copy-data");
        destination.upload.spoil("copied on the target");
        const { path, pathBytes } = source.name;
        return this.#change(id, {
          ...known(this.#operation("extended", destination.name)),
          target: path,
          ...(pathBytes !== undefined && { targetBytes: pathBytes }),
        });
      }
      case "statvfs@openssh.com":
      case "expand-path@openssh.com":
      case "home-directory":
        return this.#query(id, known(this.#operation("extended", pathFields(body.string()))));
      case "fstatvfs@openssh.com":
      case "fsync@openssh.com":
        return this.#query(
          id,
          known(this.#operation("extended", this.#fileOf(handleOf(body), "extension").name)),
        );
      case "limits@openssh.com":
      case "users-groups-by-id@openssh.com":
        return this.#query(id, known(this.#operation("extended", nameless)));
      default:
        return this.#change(id, {
          ...known(this.#operation("extended", nameless)),
          ...targetFields(body.rest().subarray(0, payloadBytesMax)),
        });
    }
  }

  #writeStart(type: number, body: SshReader, bytes: number): void {
    if (type !== sftpType.write) throw malformed("file data from the client outside a write");
    const id = body.uint32();
    const file = this.#fileOf(handleOf(body), "write");
    const offset = offsetOf(body);
    this.#await(id, { kind: "write", file });
    this.#progress("write", file, file.upload);
    file.upload.start(offset, bytes);
    this.#uploading = file.upload;
  }

  /** Opens or changes something: recorded before the target sees it, and again with its result. */
  #change(id: number, operation: FileOperation, file?: OpenFile, size?: number): void {
    this.#ask(id, { kind: "other", operation, file, size });
  }
  /** Only asks: recorded with its answer. */
  #query(id: number, operation: FileOperation, file?: OpenFile): void {
    this.#await(id, { kind: "other", operation, file, size: undefined });
  }
  #ask(id: number, pending: Pending & { operation: FileOperation }): void {
    this.#await(id, pending);
    this.#out.push({ ...pending.operation, phase: "request" });
  }
  #await(id: number, pending: Pending): void {
    if (this.#pending.has(id)) throw malformed("a request id used twice");
    if (this.#pending.size >= pendingMax) throw tooMany("unanswered requests");
    this.#pending.set(id, pending);
  }

  // What the target answers.

  #answer(type: number, body: SshReader): void {
    if (type === sftpType.version) {
      const version = body.uint32();
      // Later versions have other packets; none that an OpenSSH on either side would choose.
      if (version > 3)
        throw new GatehouseError({
          code: "protocol",
          op: "ssh.sftp",
          message: `the target speaks SFTP version ${version}, which cannot be recorded`,
        });
      return;
    }
    const id = body.uint32();
    const pending = this.#take(id);
    switch (type) {
      case sftpType.status: {
        const code = body.uint32();
        // The message is missing in answers of some old servers.
        const message = body.remaining >= 4 ? describing(body.string()) : "";
        return this.#status(pending, { code, message });
      }
      case sftpType.handle: {
        if (pending.kind !== "open") throw malformed("a handle that nobody asked for");
        if (this.#files.size >= openFilesMax) throw tooMany("open files");
        const { operation, flags, of } = pending;
        const { path, pathBytes } = operation;
        const name = pathBytes === undefined ? { path } : { path, pathBytes };
        this.#files.set(handleOf(body), new OpenFile(operation.operation, name, flags, of));
        this.#out.push({ ...operation, result: success });
        return;
      }
      case sftpType.name: {
        const count = body.uint32();
        if (pending.kind === "readdir") pending.file.entries = (pending.file.entries ?? 0) + count;
        else if (pending.kind === "other") {
          const answer = count > 0 ? targetFields(body.string()) : {};
          this.#out.push({ ...pending.operation, ...answer, result: success });
        } else throw malformed("names that nobody asked for");
        return;
      }
      case sftpType.attrs: {
        if (pending.kind !== "other") throw malformed("attributes that nobody asked for");
        const attributes = attributesOf(body);
        const size = attributes.size;
        if (pending.file && size !== undefined) pending.file.size = size;
        this.#out.push({ ...pending.operation, ...attributes, result: success });
        return;
      }
      case sftpType.extendedReply:
        if (pending.kind !== "other") throw malformed("an extension's reply that nobody asked for");
        this.#out.push({ ...pending.operation, result: success });
        return;
      default:
        throw malformed(`answer type ${type}`);
    }
  }

  #status(pending: Pending, result: Result): void {
    const failed = (op: FileOperation["op"], file: OpenFile) =>
      this.#out.push({ ...this.#about(op, file), result });
    switch (pending.kind) {
      case "read":
        if (result.code !== statusEof) {
          pending.file.download.spoil("a read failed");
          failed("read", pending.file);
          return;
        }
        if (pending.offset === pending.file.download.next) pending.file.endAt = pending.offset;
        // A file found empty was read as a whole.
        pending.file.download.touched = true;
        return;
      case "write":
        if (result.code === statusOk) return;
        pending.file.upload.spoil("a write failed");
        failed("write", pending.file);
        return;
      case "readdir":
        if (result.code !== statusOk && result.code !== statusEof) failed("readdir", pending.file);
        return;
      case "open":
        this.#out.push({ ...pending.operation, result });
        return;
      case "close":
        this.#files.delete(pending.handle);
        if (pending.file) this.#closed(pending.file, result);
        else this.#out.push({ ...this.#operation("close", nameless), result });
        return;
      case "other":
        if (result.code === statusOk && pending.size !== undefined) pending.file?.truncated(pending.size);
        this.#out.push({ ...pending.operation, result });
        return;
    }
  }

  #readStart(type: number, body: SshReader, bytes: number): void {
    if (type !== sftpType.data) throw malformed("a write from the target");
    const pending = this.#take(body.uint32());
    if (pending.kind !== "read") throw malformed("file data that nobody asked for");
    this.#progress("read", pending.file, pending.file.download);
    pending.file.download.start(pending.offset, bytes);
    this.#downloading = pending.file.download;
  }
  #take(id: number): Pending {
    const pending = this.#pending.get(id);
    if (!pending) throw malformed("an answer to no request");
    this.#pending.delete(id);
    return pending;
  }

  // What both need.

  #operation(op: FileOperation["op"], name: FileName): FileOperation {
    return { op, protocol: "sftp", operation: ++this.#operations, phase: "result", ...name };
  }
  /** Something that happens to an open file: it has the number of the opening. */
  #about(op: FileOperation["op"], file: OpenFile): FileOperation {
    return { op, protocol: "sftp", operation: file.operation, phase: "result", ...file.name };
  }
  #twoPaths(op: FileOperation["op"], path: Uint8Array, other: Uint8Array): FileOperation {
    return { ...this.#operation(op, pathFields(path)), ...targetFields(other) };
  }
  #closed(file: OpenFile, result?: Result): void {
    const uploaded = file.uploaded();
    const downloaded = file.downloaded();
    // One operation tells one transfer; a file both read and written ends in two.
    if (uploaded && downloaded) this.#out.push({ ...this.#about("read", file), ...downloaded });
    this.#out.push({
      ...this.#about("close", file),
      ...(uploaded ?? downloaded),
      ...(file.entries !== undefined && { entries: file.entries }),
      ...(result && { result }),
    });
  }
  /** Called before the bytes at hand are counted: the hash covers what passed, not what is just coming. */
  #progress(op: "read" | "write", file: OpenFile, passage: Passage): void {
    if (passage.bytes - passage.bytesReported < this.#progressBytes) return;
    passage.bytesReported = passage.bytes;
    this.#out.push({ ...this.#about(op, file), ...passage.transfer("in progress"), phase: "progress" });
  }
  #fileOf(handle: string, what: string): OpenFile {
    const file = this.#files.get(handle);
    // The target would refuse it too, but then only it would know what was meant.
    if (!file) throw malformed(`a ${what} on a handle that is not open`);
    return file;
  }
}

function tooMany(what: string): GatehouseError {
  return new GatehouseError({ code: "too_large", op: "ssh.sftp", message: `too many ${what}` });
}

const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
/** A text that only describes: cut to a length that a frame may well carry. */
function describing(bytes: Uint8Array): string {
  return lossy.decode(bytes.subarray(0, describingBytesMax));
}

/** Handles are opaque bytes; as a map's key, one character each. */
function handleOf(body: SshReader): string {
  const bytes = body.string();
  if (bytes.length > handleBytesMax) throw malformed("a handle that is too long");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function offsetOf(body: SshReader): number {
  const offset = body.uint64();
  // Twice that is still exact in a JavaScript number, so offset and length can be added.
  if (offset > BigInt(Number.MAX_SAFE_INTEGER) / 2n) throw malformed("an offset beyond 2^52");
  return Number(offset);
}

/** §5 ATTRS. */
function attributesOf(
  body: SshReader,
): Pick<FileOperation, "size" | "uid" | "gid" | "mode" | "atimeS" | "mtimeS"> {
  // Some clients leave them out where they have nothing to say.
  if (body.remaining < 4) return {};
  const flags = body.uint32();
  return {
    ...(flags & 0x01 && { size: recordedCount(body.uint64()) }),
    ...(flags & 0x02 && { uid: body.uint32(), gid: body.uint32() }),
    ...(flags & 0x04 && { mode: body.uint32() }),
    ...(flags & 0x08 && { atimeS: body.uint32(), mtimeS: body.uint32() }),
  };
}
