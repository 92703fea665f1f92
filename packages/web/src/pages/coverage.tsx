import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { queries } from "../gateway.ts";
import { Time } from "../ui/elements.tsx";
import { count } from "../ui/format.ts";
import { InlineProblem } from "../ui/states.tsx";
import { Line, Part } from "./health-part.tsx";

/** Sessions against the recordings of them that were read back from the store and verified. */
export function Coverage() {
  const query = useQuery(queries.coverage);
  if (!query.data)
    return query.isError ? (
      <Part title="Verified" fault="It cannot be said now.">
        <InlineProblem error={query.error}>The rest of this page does not depend on it.</InlineProblem>
      </Part>
    ) : null;
  const { sessions, recordings, opensRecordings, checkEvery, oldestCheck, faults } = query.data;
  const fault = recordings.faulty > 0 ? `${count(recordings.faulty)} cannot be vouched for.` : null;
  return (
    <Part title="Verified" fault={fault}>
      <Line name="Recordings">
        {count(recordings.verified)} of {count(sessions)} sessions, read back from the store
        {opensRecordings
          ? " and decrypted"
          : " by hashes, chain and signatures: this gateway holds no key that opens them"}
      </Line>
      {recordings.unchecked > 0 && <Line name="Not yet read">{count(recordings.unchecked)}</Line>}
      {recordings.waiting > 0 && <Line name="On the way">{count(recordings.waiting)}</Line>}
      {recordings.expired > 0 && <Line name="Expired">{count(recordings.expired)}</Line>}
      <Line name="Again every">
        {checkEvery}
        {oldestCheck !== null && (
          <>
            , the oldest check <Time iso={oldestCheck} />
          </>
        )}
      </Line>
      {faults.map((one) => (
        <Line key={one.sessionId} name="Fault">
          <Link
            to="/sessions/$sessionId"
            params={{ sessionId: one.sessionId }}
            className="font-medium text-accent underline-offset-2 hover:underline"
          >
            {one.detail ?? "it does not verify"}
          </Link>
        </Line>
      ))}
    </Part>
  );
}
