import type { Client } from "@gatehouse/contracts/client";
import { sizeAtFirst } from "@gatehouse/recording/shown";
import type { PlaySource } from "../player/mod.ts";

/** A session's recording on the gateway, fetched as it is played. Each pass over it is one access in the audit log. */
export async function openOnGateway(client: Client, sessionId: string): Promise<PlaySource> {
  const [session, recording] = await Promise.all([
    client.sessions.get(sessionId),
    client.recordings.get(sessionId),
  ]);
  return {
    title: `${session.user.name} ${session.login}@${session.target.name}`,
    track: session.track,
    // The first frames say how large the terminal is.
    size: sizeAtFirst(undefined),
    ...(recording.withheld.includes("input") && {
      note: "what was typed is sealed for others, and this gateway holds no key to it: it is left out",
    }),
    ...(recording.watermark !== null && { watermark: recording.watermark }),
    durationUs: recording.durationMs === null ? undefined : recording.durationMs * 1000,
    frames: (fromUs = 0) => client.recordings.frames(sessionId, { fromUs }),
    keyframeAt: async (timeUs) =>
      (await client.recordings.screen(sessionId, { atUs: Math.floor(timeUs) })).keyframe ?? undefined,
  };
}
