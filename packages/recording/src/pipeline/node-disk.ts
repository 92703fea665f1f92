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
    return fileOf(await call.open(path, constants.O_RDWR | constants.O_DSYNC));
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

function fileOf(fd: number): DiskFile {
  return {
    // The callback form, because a commit waits for it: fs.promises costs some ten microseconds more.
    write: (bytes, position) =>
      new Promise((resolve, reject) => {
        const from = (done: number): void =>
          write(fd, bytes, done, bytes.length - done, position + done, (error, written) => {
            if (error) reject(error);
            // The operating system may take less than it was given; only all of it is a write.
            else if (done + written < bytes.length) {
              if (written === 0) reject(Object.assign(new Error("the disk takes nothing"), { code: "EIO" }));
              else from(done + written);
            } else resolve();
          });
        from(0);
      }),
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
