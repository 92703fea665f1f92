import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { GatehouseError, isId } from "@gatehouse/kernel";
import {
  type RecordingSource,
  ageOpener,
  manifestName,
  openBundle,
  openRecording,
} from "@gatehouse/recording";
import { directorySource, nodeZstd } from "@gatehouse/recording/node";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect } from "../connection/mod.ts";
import type { PlaySource } from "../player/mod.ts";
import { openAsciicast } from "./asciicast.ts";
import { fileRangeReader } from "./file-range-reader.ts";
import { type IdentityOptions, openersOf } from "./identity.ts";
import { openOnGateway } from "./on-gateway.ts";
import { recordedSource } from "./recorded.ts";

/** What the person named: something on this machine when it is there, else a session of the gateway. */
export async function openPlayable(
  what: string,
  options: IdentityOptions & GatewayOptions,
  cli: Cli,
): Promise<PlaySource> {
  const place = await placeOf(what, cli.workingDirectory);
  if (place?.kind === "asciicast") return openAsciicast(place.path);
  if (place) {
    // With the first, who has nothing that opens is told whom it is wrapped for now.
    const openers = [ageOpener([]), ...(await openersOf(options, cli))];
    return recordedSource(await openRecording({ source: place.source, openers, zstd: nodeZstd }), what);
  }
  if (!isId(what)) throw noSuch(what);
  const { client } = await connect(options, cli);
  return openOnGateway(client, what);
}

export type Place =
  | { kind: "asciicast"; path: string }
  | { kind: "recording"; path: string; source: RecordingSource };

/** What lies at a path, or undefined where nothing does. A file is told by what it begins with, not by its name. */
export async function placeOf(what: string, workingDirectory: string): Promise<Place | undefined> {
  const path = resolve(workingDirectory, what);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (!found) return undefined;
  if (found.isDirectory()) return { kind: "recording", path, source: directorySource(path) };
  const reader = await fileRangeReader(path);
  const begin = await reader.read(0, Math.min(1, reader.bytes));
  // A cast is lines of JSON objects and arrays; a tar begins with a file's name.
  if (begin[0] === 0x7b) return { kind: "asciicast", path };
  return { kind: "recording", path, source: await openBundle(reader) };
}

export function noSuch(what: string): GatehouseError {
  return new GatehouseError({
    code: "not_found",
    op: "cli.open",
    message: `${what} is neither a file, nor a directory, nor the id of a session`,
    hint: `A recording's directory holds ${manifestName} and its segments; ids are in \`sessions ls\`.`,
  });
}
