import type { ExportFormat, Session } from "@gatehouse/contracts/rest";
import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useRef } from "react";
import { queries } from "../gateway.ts";
import { Time } from "../ui/elements.tsx";
import { duration } from "../ui/format.ts";
import { Keeping } from "./keeping.tsx";
import { RecordingMark, StateBadge } from "./words.tsx";

/** Who, to what, when: the line over everything on a session's page. */
export function SessionHead({ session }: { session: Session }) {
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5">
      <h1 className="text-base">
        {session.user.name}
        <span className="font-normal text-faint"> to </span>
        {session.login}
        <span className="font-normal text-faint"> on </span>
        {session.target.name}
      </h1>
      <StateBadge state={session.state} />
      {["held", "expired", "corrupt"].includes(session.recording.state) && (
        <RecordingMark recording={session.recording} />
      )}
      <p className="text-soft max-sm:order-1 max-sm:basis-full">
        {session.kind}
        {session.command && session.command !== session.kind && (
          <code className="ml-1.5 rounded bg-sunken px-1.5 py-0.5 font-mono text-xs break-all">
            {session.command}
          </code>
        )}
        <span className="text-faint"> · </span>
        <Time iso={session.startedAt} />
        {session.durationMs !== null && (
          <>
            <span className="text-faint"> · </span>
            {duration(session.durationMs)}
          </>
        )}
      </p>
      <Exports session={session} />
      <Keeping session={session} />
    </header>
  );
}

const formatWords: Record<ExportFormat, { name: string; means: string }> = {
  asciicast: { name: "asciicast 2", means: "Terminal recording that every player reads" },
  "asciicast-v3": { name: "asciicast 3", means: "The same in its newer version" },
  gif: { name: "Animated GIF", means: "What was shown, as a moving picture, with long pauses cut" },
  text: { name: "Text", means: "What was shown or run, without control sequences" },
  sql: { name: "SQL", means: "The statements, annotated with what came of them" },
  csv: { name: "CSV", means: "The statements as a table" },
  jsonl: { name: "Statements as JSON lines", means: "All that is known of each statement" },
  json: { name: "Frames as JSON lines", means: "Every frame, with its bytes" },
  bundle: { name: "Sealed bundle", means: "As it is stored, for `gatehouse verify` without this gateway" },
};
const formatNames = Object.keys(formatWords) as ExportFormat[];

function Exports({ session }: { session: Session }) {
  const menu = useRef<HTMLDetailsElement>(null);
  const recording = useQuery(queries.recording(session.id));
  const formats = formatNames.filter((format) => recording.data?.exports.includes(format));
  if (formats.length === 0) return null;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- a summary is a control; leaving it closes the menu
    <details
      ref={menu}
      className="relative ml-auto"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget) && menu.current) menu.current.open = false;
      }}
    >
      <summary className="inline-flex h-8 cursor-pointer list-none items-center gap-1.5 rounded-md border border-strong bg-raised px-3 font-medium hover:bg-hover">
        <Download size={14} aria-hidden /> Export
      </summary>
      <ul className="absolute right-0 z-30 mt-1 w-72 rounded-lg border bg-raised p-1 shadow-lg">
        {formats.map((format) => (
          <li key={format}>
            <a
              href={`/api/v1/recordings/${session.id}/export?format=${format}`}
              download
              className="block rounded-md px-3 py-1.5 hover:bg-hover"
            >
              <span className="block font-medium">{formatWords[format].name}</span>
              <span className="block text-xs text-soft">{formatWords[format].means}</span>
            </a>
          </li>
        ))}
        <li className="px-3 pt-1 pb-1.5 text-2xs text-faint">
          Taking a recording away is noted in the audit log.
        </li>
      </ul>
    </details>
  );
}
