import { ScpTap, SftpTap, parseScpCommand } from "../taps/mod.ts";
import type { FileTap } from "./stream-records.ts";

/** What was asked of the target, once a session channel said so. */
export type Wish =
  | { type: "shell" }
  | { type: "exec"; command: string }
  | { type: "subsystem"; command: string };

/** How a session of this kind is named and recorded. */
export type Manner =
  | { kind: "shell" | "exec" | "subsystem"; track: "terminal" | "exec"; tap: undefined }
  | { kind: "scp"; track: "exec"; tap: FileTap }
  | { kind: "sftp"; track: "files"; tap: FileTap };

export function mannerOf(wish: Wish, terminal: boolean): Manner {
  // A terminal shows what passes, whatever runs in it, so it is recorded as one.
  if (terminal) return { kind: wish.type, track: "terminal", tap: undefined };
  if (wish.type === "subsystem" && wish.command === "sftp")
    return { kind: "sftp", track: "files", tap: new SftpTap() };
  const scp = wish.type === "exec" ? parseScpCommand(wish.command) : undefined;
  if (scp) return { kind: "scp", track: "exec", tap: new ScpTap(scp) };
  return { kind: wish.type, track: "exec", tap: undefined };
}
