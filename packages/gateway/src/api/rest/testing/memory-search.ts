import type { SearchPage } from "@gatehouse/contracts/rest";
import { fromUtf8 } from "@gatehouse/kernel";
import { decide } from "../../../access/mod.ts";
import type { SearchingDoor } from "../../door.ts";
import type { Sample } from "./sample-sessions.ts";

/** The first frame of each session that shows it, all in one page. */
export function memorySearch(samples: readonly Sample[]): SearchingDoor {
  return {
    async search({ subject }, { text }) {
      const items: SearchPage["items"] = [];
      for (const { session, frames } of samples) {
        const resource = { ownerId: session.user.id };
        if (!decide({ subject, action: "recording.play", resource }).allowed) continue;
        const frame = frames.find(({ kind, data }) => kind === "output" && fromUtf8(data).includes(text));
        if (!frame) continue;
        const hit = { timeUs: frame.timeUs, source: "screen" as const, text, at: 0, length: text.length };
        items.push({ session, hits: [hit], more: false, isWhole: true });
      }
      const progress = { searched: samples.length, sessions: samples.length };
      return { items, next: null, watermark: null, progress, unread: 0 };
    },
  };
}
