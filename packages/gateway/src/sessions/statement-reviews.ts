import { type Clock, GatehouseError, messageOf } from "@gatehouse/kernel";
import type { Actor, WaitingStatement } from "./live-door.ts";
import type { ReviewOutcome, WantedReview } from "./session.ts";

type Waiting = {
  shown: WaitingStatement;
  /** Somebody's decision is being written down. */
  claimed: boolean;
  settle(outcome: ReviewOutcome): void;
};

/** The statements of one session that wait until somebody else has decided about them. */
export class StatementReviews {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  list(): readonly WaitingStatement[] {
    return [...this.#waiting.values()].map(({ shown }) => shown);
  }

  ask({ statement, rule, text, limitMs, plan }: WantedReview, signal: AbortSignal): Promise<ReviewOutcome> {
    const { promise, resolve } = Promise.withResolvers<ReviewOutcome>();
    const sinceMs = this.#clock.nowMs();
    const withdraw = () => waiting.settle({ outcome: "withdrawn" });
    const timer = this.#clock.after(limitMs, () => waiting.settle({ outcome: "late" }));
    const waiting: Waiting = {
      shown: { statement, rule, text, sinceMs, untilMs: sinceMs + limitMs },
      claimed: false,
      settle: (outcome) => {
        timer.cancel();
        signal.removeEventListener("abort", withdraw);
        this.#waiting.delete(statement);
        resolve(outcome);
      },
    };
    this.#waiting.set(statement, waiting);
    plan().then(
      (words) => (waiting.shown = { ...waiting.shown, plan: words }),
      (error: unknown) => (waiting.shown = { ...waiting.shown, planMissing: messageOf(error) }),
    );
    if (signal.aborted) withdraw();
    else signal.addEventListener("abort", withdraw, { once: true });
    return promise;
  }

  /** `note` writes the decision down; what it was about goes on when that is done. `conflict` where nothing waits any more. */
  async decide(
    statement: number,
    verdict: { outcome: "approved" | "denied"; by: Actor; comment?: string },
    note: (shown: WaitingStatement) => Promise<void>,
  ): Promise<void> {
    const waiting = this.#waiting.get(statement);
    if (!waiting || waiting.claimed)
      throw new GatehouseError({
        code: "conflict",
        op: "session.review",
        message: `no statement ${statement} of this session waits for a decision any more`,
      });
    waiting.claimed = true;
    try {
      await note(waiting.shown);
    } finally {
      waiting.claimed = false;
    }
    const { outcome, by, comment } = verdict;
    waiting.settle({
      outcome,
      by: { id: by.id, name: by.name },
      ...(comment !== undefined && { comment }),
    });
  }

  /** For ever: the session ends. */
  shut(): void {
    for (const { settle } of this.#waiting.values()) settle({ outcome: "ending" });
  }
}
