import { queries, queryClient } from "../gateway.ts";
import { loadTerminalPlayer } from "../player/load.ts";

/** Until the page takes it over. */
const keptMs = 60_000;

/** Asks for what a session's page shows first, before the page is there. */
export function startSession(sessionId: string, isWatched: boolean): void {
  void queryClient.prefetchQuery(queries.session(sessionId));
  void queryClient.prefetchQuery(queries.recording(sessionId));
  if (!isWatched) void queryClient.prefetchQuery({ ...queries.overview(sessionId), gcTime: keptMs });
  // Most recordings are of terminals, and which this is would be known only when the answer is here.
  void loadTerminalPlayer().catch(() => undefined);
}

/** Opening it anew asks anew, and is noted anew. */
export function leaveSession(sessionId: string): void {
  queryClient.removeQueries({ queryKey: queries.overview(sessionId).queryKey });
}
