import { GatehouseError } from "@gatehouse/kernel";
import { type Recording, recipientNames } from "@gatehouse/recording";
import { sizeAtFirst } from "@gatehouse/recording/shown";
import type { PlaySource } from "../player/mod.ts";

/** A recording in the format, opened. Refuses one whose output lane no key opens: there is nothing to show. */
export function recordedSource(recording: Recording, name: string): PlaySource {
  if (recording.withheld.includes("main"))
    throw new GatehouseError({
      code: "denied",
      op: "cli.play",
      message: `${name} is encrypted, and no identity or key service that was given opens it`,
      hint: `It opens for ${recipientNames(recording.wrapped).join(", ")}. Name a file with an age identity (--identity key.txt), or the key service (--key-service vault=recordings) with your right to decrypt.`,
    });
  const { facts, manifest } = recording;
  return {
    title: `${facts.user.name} ${facts.login}@${facts.target.name}`,
    track: facts.track,
    size: sizeAtFirst(facts.size),
    ...(recording.withheld.includes("input") && {
      note: "what was typed is sealed for others, and nothing that was given opens it: it is left out",
    }),
    durationUs: manifest?.end.lastTimeUs,
    frames: (fromUs = 0) => recording.frames({ fromTimeUs: fromUs }),
  };
}
