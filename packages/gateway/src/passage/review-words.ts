import type { ReviewOutcome } from "../sessions/mod.ts";

/** What a person is told about a statement that somebody else must approve. */
export const reviewWords = {
  waits: (rule: string, limitMs: number) =>
    `the rule ${rule} of this target asks for an approval; this statement waits for it, for ${Math.ceil(limitMs / 60_000)} min at most`,

  approved: ({ by, comment }: Extract<ReviewOutcome, { by: unknown }>) =>
    `${by.name} has approved it${saying(comment)}`,

  /** Undefined where the session ends, and says so itself. */
  refused(outcome: ReviewOutcome, rule: string): string | undefined {
    switch (outcome.outcome) {
      case "denied":
        return `${outcome.by.name} has denied this statement${saying(outcome.comment)}; it was not run`;
      case "late":
        return `nobody has approved this statement in time, as the rule ${rule} of this target asks; it was not run`;
      case "withdrawn":
        return "the statement was cancelled while it waited for its approval";
      default:
        return undefined;
    }
  },
};

const saying = (comment: string | undefined) => (comment === undefined ? "" : ` (${comment})`);
