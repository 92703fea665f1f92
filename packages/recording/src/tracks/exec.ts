import type { Frame } from "../frame.ts";
import {
  type Digest,
  decodeDigest,
  decodeEof,
  decodeExit,
  decodeRequest,
  type Exit,
} from "./terminal-payloads.ts";

export type ExecStream = Digest["of"];

/** What one direction of a command without a terminal carried: the bytes as they passed, as far as they were kept. */
export async function* execBytes(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
  of: ExecStream,
  options: { stream?: number } = {},
): AsyncGenerator<Uint8Array> {
  for await (const frame of frames)
    if (frame.kind === of && (options.stream === undefined || frame.stream === options.stream))
      yield frame.data;
}

export type ExecDirection = {
  /** Kept as they passed. */
  recordedBytes: number;
  /** All that passed; more than `recordedBytes` beyond the limit. */
  totalBytes: number;
  /** Hex, of all that passed; only known beyond the limit. */
  sha256?: string;
  ended: boolean;
};
export type ExecSummary = {
  stream: number;
  command?: string;
  directions: Record<ExecStream, ExecDirection>;
  exit?: Exit;
};

/** Each command of a session with what it carried, in the order they were asked for. */
export async function execSummaries(frames: AsyncIterable<Frame> | Iterable<Frame>): Promise<ExecSummary[]> {
  const byStream = new Map<number, ExecSummary>();
  const of = (stream: number) => {
    let summary = byStream.get(stream);
    if (!summary) {
      const direction = (): ExecDirection => ({ recordedBytes: 0, totalBytes: 0, ended: false });
      summary = {
        stream,
        directions: { stdin: direction(), stdout: direction(), stderr: direction() },
      };
      byStream.set(stream, summary);
    }
    return summary;
  };
  for await (const frame of frames) {
    const { kind, stream, data } = frame;
    if (kind === "request") {
      const { type, command } = decodeRequest(data);
      if (type === "exec") Object.assign(of(stream), command === undefined ? {} : { command });
    } else if (kind === "stdin" || kind === "stdout" || kind === "stderr") {
      const direction = of(stream).directions[kind];
      direction.recordedBytes += data.length;
      direction.totalBytes = Math.max(direction.totalBytes, direction.recordedBytes);
    } else if (kind === "digest") {
      const digest = decodeDigest(data);
      const direction = of(stream).directions[digest.of];
      direction.totalBytes = digest.bytes;
      direction.sha256 = digest.sha256;
    } else if (kind === "eof") of(stream).directions[decodeEof(data).of].ended = true;
    else if (kind === "exit" && byStream.has(stream)) of(stream).exit = decodeExit(data);
  }
  return [...byStream.values()];
}
