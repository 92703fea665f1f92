import { utf8 } from "@gatehouse/kernel";
import { type Statement, keptLines, statementLine, statements } from "@gatehouse/recording";
import { formatMoment } from "./moment.ts";
import type { PlayFrame, PlaySource } from "./play-source.ts";

/** A statement with its moment and its outcome, and below it what was kept of its rows; each line ends in a line feed. */
export function statementText(statement: Statement): string {
  const kept = keptLines(statement).map((line) => `    | ${line}\n`);
  return `${formatMoment(statement.startedUs)}  ${statementLine(statement)}\n${kept.join("")}`;
}

/** What a player shows: a database session has no screen, and each of its statements is told when its outcome is known. */
export function toldFrames(source: PlaySource, fromUs?: number): AsyncIterable<PlayFrame> {
  return source.track === "query" ? toldStatements(source.frames()) : source.frames(fromUs);
}

async function* toldStatements(frames: AsyncIterable<PlayFrame>): AsyncGenerator<PlayFrame> {
  let seq = 0;
  let timeUs = 0;
  for await (const statement of statements(frames)) {
    timeUs = Math.max(timeUs, statement.startedUs + (statement.durationUs ?? 0));
    // As output without a terminal: each line feed begins a line.
    yield { seq: seq++, timeUs, kind: "stdout", stream: 0, data: utf8(statementText(statement)) };
  }
}
