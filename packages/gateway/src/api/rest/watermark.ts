import { watermarkHeader } from "@gatehouse/contracts/rest";
import { principalOf } from "./access.ts";
import type { App } from "./app.ts";
import type { RestDoors } from "../door.ts";

/** What shows something of a session: its recording, or how it goes on. */
const showing: ReadonlySet<string> = new Set(["recording.play", "recording.export", "session.join"]);

/** Every answer that shows something of a session says what has to stand over it, whatever form it has. */
export function nameWatermarks(app: App, { playback }: Pick<RestDoors, "playback">): void {
  app.addHook("onSend", async (request, reply) => {
    const { access } = request.routeOptions.config;
    const { sessionId } = request.params as { sessionId?: string };
    if (sessionId === undefined || !access || !("action" in access) || !showing.has(access.action)) return;
    if (reply.statusCode >= 400) return;
    const words = await playback.watermark(principalOf(request), sessionId);
    if (words !== undefined) reply.header(watermarkHeader, encodeURIComponent(words));
  });
}
