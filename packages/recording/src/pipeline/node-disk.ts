import {
  close,
  constants,
  fdatasync,
  fsync,
  mkdir,
  open,
  read,
  readFile,
  readdir,
  rename,
  rmdir,
  stat,
  unlink,
  write,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { type Disk, type DiskFile, diskCode } from "./disk.ts";

const call = {
  close: promisify(close),
  fdatasync: promisify(fdatasync),
  fsync: promisify(fsync),
  mkdir: promisify(mkdir),
  open: promisify(open),
  readFile: promisify(readFile),
  readdir: promisify(readdir),
  rename: promisify(rename),
  rmdir: promisify(rmdir),
  stat: promisify(stat),
  unlink: promisify(unlink),
};

/** The file system of this machine. Files are for their owner alone (0600, directories 0700). */
export const nodeDisk: Disk = {
  async makeDirectory(path) {
    await call.mkdir(path, { recursive: true, mode: 0o700 });
  },
  async list(path) {
    try {
      return (await call.readdir(path)).sort();
    } catch (error) {
      if (diskCode(error) === "ENOENT") return [];
      throw error;
    }
  },
  async create(path) {
    return fileOf(await call.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600));
  },
  async openDurable(path) {
    const fd = await call.open(path, constants.O_RDWR | constants.O_DSYNC);
    return { ...fileOf(fd), write: quickWrites(fd) };
  },
  read: (path) => call.readFile(path),
  sizeOf: async (path) => (await call.stat(path)).size,
  rename: call.rename,
  remove: call.unlink,
  removeDirectory: (path) => call.rmdir(path),
  async syncDirectory(path) {
    const fd = await call.open(path, constants.O_RDONLY);
    try {
      await call.fsync(fd);
    } finally {
      await call.close(fd);
    }
  },
};

/** A disk that mostly takes less is written to in place: two threads would be woken for more than that. */
const quickMs = 0.3;
/** For so long a disk that was found to be slow is not waited for in place again. */
const distrustMs = 1000;
const quickBytesMax = 64 * 1024;

/**
 * Writes small pieces in place as long as the disk is quick, as memory and disks with a safe cache are, and by the thread pool
 * otherwise. A commit is waited for on every keystroke and statement, and waking two threads for it costs more than it.
 */
function quickWrites(fd: number): DiskFile["write"] {
  const byPool = poolWrites(fd);
  const quick = new Quickness();
  return (bytes, position) => {
    const startedMs = performance.now();
    if (bytes.length > quickBytesMax || !quick.expected(startedMs)) return byPool(bytes, position);
    try {
      for (let done = 0; done < bytes.length;) {
        const written = writeSync(fd, bytes, done, bytes.length - done, position + done);
        if (written === 0) throw nothingTaken();
        done += written;
      }
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const endedMs = performance.now();
    quick.took(endedMs - startedMs, endedMs);
    return Promise.resolve();
  };
}

/**
 * Whether a disk is quick, as far as writes in place have shown. One that took long says little, since this process may have
 * been interrupted in the middle of it; some in a row say enough. A slow disk is tried again from time to time, and
 * only in place, because what the thread pool adds on a busy machine is more than many a disk takes.
 */
export class Quickness {
  #averageMs = 0;
  #distrustedToMs: number | undefined;

  expected(nowMs: number): boolean {
    return this.#distrustedToMs === undefined || nowMs >= this.#distrustedToMs;
  }
  took(ms: number, nowMs: number): void {
    const counted = Math.min(ms, 2 * quickMs);
    // The first one after a while says how the disk is now; what was known of it is old.
    this.#averageMs =
      this.#distrustedToMs === undefined ? this.#averageMs + (counted - this.#averageMs) / 8 : counted;
    this.#distrustedToMs = this.#averageMs > quickMs ? nowMs + distrustMs : undefined;
  }
}

function poolWrites(fd: number): DiskFile["write"] {
  // The callback form, because a commit waits for it: fs.promises costs some ten microseconds more.
  return (bytes, position) =>
    new Promise((resolve, reject) => {
      const from = (done: number): void =>
        write(fd, bytes, done, bytes.length - done, position + done, (error, written) => {
          if (error) reject(error);
          // The operating system may take less than it was given; only all of it is a write.
          else if (done + written < bytes.length) {
            if (written === 0) reject(nothingTaken());
            else from(done + written);
          } else resolve();
        });
      from(0);
    });
}

const nothingTaken = () => Object.assign(new Error("the disk takes nothing"), { code: "EIO" });

function fileOf(fd: number): DiskFile {
  return {
    write: poolWrites(fd),
    read: (position, length) =>
      new Promise((resolve, reject) => {
        const into = Buffer.allocUnsafe(length);
        const from = (done: number): void =>
          read(fd, into, done, length - done, position + done, (error, got) => {
            if (error) reject(error);
            else if (got > 0 && done + got < length) from(done + got);
            else resolve(into.subarray(0, done + got));
          });
        from(0);
      }),
    sync: () => call.fdatasync(fd),
    close: () => call.close(fd),
  };
}
