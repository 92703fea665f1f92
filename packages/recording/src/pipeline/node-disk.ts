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

/** A write that takes less is over sooner than another thread could be woken for it and wake this one again. */
const quickMs = 0.3;
/** One that takes more has held everybody up; the next ones are not waited for in place. */
const slowMs = 2;
const distrustMs = 1000;
/** What the pool adds to a write. */
const poolMs = 0.05;
const quickBytesMax = 64 * 1024;

/**
 * Writes small pieces in place as long as the disk is quick, as memory and disks with a safe cache are, and by the thread pool
 * otherwise. A commit is waited for on every keystroke and statement, and waking two threads for it costs more than it.
 */
function quickWrites(fd: number): DiskFile["write"] {
  const byPool = poolWrites(fd);
  let averageMs = 0;
  let trustedFromMs = 0;
  const took = (ms: number, nowMs: number) => {
    averageMs += (ms - averageMs) / 16;
    if (ms > slowMs) trustedFromMs = nowMs + distrustMs;
  };
  return (bytes, position) => {
    const startedMs = performance.now();
    if (averageMs > quickMs || startedMs < trustedFromMs || bytes.length > quickBytesMax) {
      const written = byPool(bytes, position);
      const measure = () => {
        const nowMs = performance.now();
        took(Math.max(0, nowMs - startedMs - poolMs), nowMs);
      };
      written.then(measure, measure);
      return written;
    }
    try {
      for (let done = 0; done < bytes.length;) {
        const written = writeSync(fd, bytes, done, bytes.length - done, position + done);
        if (written === 0) throw nothingTaken();
        done += written;
      }
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const nowMs = performance.now();
    took(nowMs - startedMs, nowMs);
    return Promise.resolve();
  };
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
