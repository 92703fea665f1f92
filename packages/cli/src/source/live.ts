import type { Client } from "@gatehouse/contracts/client";
import type { Recording, Session } from "@gatehouse/contracts/rest";
import { watchSession } from "@gatehouse/contracts/watch-session";
import { sizeAtFirst } from "@gatehouse/recording/shown";
import type { WatchSource } from "../player/mod.ts";

/** A live session on the gateway, to look on at. One that has none to show is told of by the first step. */
export function liveSource(
  client: Client,
  session: Session,
  { watermark }: Pick<Recording, "watermark">,
): WatchSource {
  return {
    title: `${session.user.name} ${session.login}@${session.target.name}`,
    ...(watermark !== null && { watermark }),
    // The first frames say how large the terminal is.
    size: sizeAtFirst(undefined),
    watched: (signal) => watchSession({ client, sessionId: session.id, signal, wait }),
  };
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
