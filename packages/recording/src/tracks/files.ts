import type { Frame } from "../frame.ts";
import { decodeFileOperation, type FileOperation } from "./file-operation.ts";

export type TimedFileOperation = { timeUs: number; stream: number; operation: FileOperation };

/** The file operations of a session, in order. */
export async function* fileOperations(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
): AsyncGenerator<TimedFileOperation> {
  for await (const { kind, timeUs, stream, data } of frames)
    if (kind === "file") yield { timeUs, stream, operation: decodeFileOperation(data) };
}

/** One file's content that passed: `upload` towards the target. */
export type FileTransfer = {
  timeUs: number;
  direction: "upload" | "download";
  path: string;
  bytes: number;
  /** Hex, of `bytes` bytes from the file's first on. */
  sha256?: string;
  /** Why that is not the whole file. */
  partial?: string;
};
export type FilesSummary = {
  /** Those that were answered. */
  operations: number;
  /** Those answered with another result than 0, by far most often a file that is not there. */
  failures: number;
  bytesRead: number;
  bytesWritten: number;
  transfers: FileTransfer[];
  /** More than `transfers` lists. */
  transfersCount: number;
};

const transfersMax = 10_000;

/**
 * What a session did to files, in sum. A transfer that was cut off counts as far as it last said. Bounded: the first
 * ten thousand transfers are listed, all are counted.
 */
export async function filesSummary(frames: AsyncIterable<Frame> | Iterable<Frame>): Promise<FilesSummary> {
  const summary: FilesSummary = {
    operations: 0,
    failures: 0,
    bytesRead: 0,
    bytesWritten: 0,
    transfers: [],
    transfersCount: 0,
  };
  const underWay = new Map<number, TimedFileOperation>();
  for await (const timed of fileOperations(frames)) {
    const { operation, phase, result } = timed.operation;
    if (phase === "request") continue;
    if (phase === "progress") {
      if (underWay.size < transfersMax || underWay.has(operation)) underWay.set(operation, timed);
      continue;
    }
    underWay.delete(operation);
    summary.operations++;
    if (result !== undefined && result.code !== 0) summary.failures++;
    addTransfers(summary, timed);
  }
  for (const timed of underWay.values()) addTransfers(summary, timed);
  return summary;
}

function addTransfers(summary: FilesSummary, { timeUs, operation }: TimedFileOperation): void {
  const { bytesRead = 0, bytesWritten = 0, path, sha256, partial } = operation;
  summary.bytesRead += bytesRead;
  summary.bytesWritten += bytesWritten;
  const add = (direction: FileTransfer["direction"], bytes: number) => {
    if (bytes === 0) return;
    summary.transfersCount++;
    if (summary.transfers.length >= transfersMax) return;
    summary.transfers.push({
      timeUs,
      direction,
      path,
      bytes,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(partial === undefined ? {} : { partial }),
    });
  };
  add("upload", bytesWritten);
  add("download", bytesRead);
}
