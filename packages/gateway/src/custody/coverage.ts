import type { CoverageQuery, RecordingCoverage } from "@gatehouse/contracts/rest";
import type { CheckedGroup, RecordingChecks, SessionEntries } from "../directory/mod.ts";

const faultsMax = 100;

/** Sessions against verified recordings: who asks for proof that everything is recorded is told this. */
export function coverageOf(options: {
  checks: Pick<RecordingChecks, "groups">;
  sessions: Pick<SessionEntries, "list">;
  opensRecordings: boolean;
  checkEvery: string;
}): { coverage(query: CoverageQuery): Promise<RecordingCoverage> } {
  return {
    async coverage({ from, to }) {
      const range = {
        ...(from !== undefined && { fromMs: Date.parse(from) }),
        ...(to !== undefined && { toMs: Date.parse(to) }),
      };
      const groups = await options.checks.groups(range);
      const count = (fits: (group: CheckedGroup) => boolean) =>
        groups.filter(fits).reduce((sum, group) => sum + group.count, 0);
      const isKept = ({ state }: CheckedGroup) => state === "stored" || state === "held";
      const corrupt = await options.sessions.list(
        { recordingState: "corrupt", ...range },
        { limit: faultsMax },
      );
      const oldest = groups.flatMap(({ oldestMs }) => (oldestMs === undefined ? [] : [oldestMs]));
      return {
        sessions: count(() => true),
        recordings: {
          recording: count(({ state }) => state === "recording"),
          waiting: count(({ state }) => state === "shipping" || state === "interrupted"),
          verified: count((group) => isKept(group) && group.check?.ok === true),
          unchecked: count((group) => isKept(group) && group.check?.ok !== true),
          faulty: count(({ state }) => state === "corrupt"),
          expired: count(({ state }) => state === "expired"),
        },
        opened: count((group) => isKept(group) && group.check?.ok === true && group.check.opened),
        opensRecordings: options.opensRecordings,
        checkEvery: options.checkEvery,
        oldestCheck: oldest.length > 0 ? new Date(Math.min(...oldest)).toISOString() : null,
        faults: corrupt.items.map(({ facts, recordingState, recordingDetail }) => ({
          sessionId: facts.sessionId,
          state: recordingState,
          startedAt: facts.startedAt,
          detail: recordingDetail ?? null,
        })),
      };
    },
  };
}
