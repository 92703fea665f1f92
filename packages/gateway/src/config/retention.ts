import { z } from "zod";
import { duration } from "./units.ts";

/** Recordings of some targets are kept for another time than the rest. */
const retentionRule = z
  .strictObject({
    targets: z.array(z.string().min(1).max(128)).min(1).max(1000).optional(),
    labels: z.record(z.string().min(1).max(64), z.array(z.string().max(256)).min(1).max(64)).optional(),
    keep: duration({ min: "0s", max: "36500d" }),
  })
  .refine(({ targets, labels }) => targets !== undefined || Object.keys(labels ?? {}).length > 0, {
    error: "expected targets or labels: a rule for every target is recording.retention",
  });
export type RetentionRule = z.output<typeof retentionRule>;

export const retentionRules = z.array(retentionRule).max(200).prefault([]);
