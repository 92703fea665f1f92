import { z } from "zod";
import { count, defineEvent, sha256, text } from "./descriptor.ts";

const codeOfAction = {
  open: "TS001",
  close: "TS002",
  setstat: "TS007",
  opendir: "TS009",
  readdir: "TS010",
  remove: "TS011",
  mkdir: "TS012",
  rmdir: "TS013",
  rename: "TS016",
  symlink: "TS018",
  link: "TS019",
} as const;
const actions = Object.keys(codeOfAction) as (keyof typeof codeOfAction)[];

export const sftp = defineEvent({
  event: "sftp",
  codes: {
    success: "TS001I",
    failure: "TS001E",
    also: actions.slice(1).flatMap((action) => [`${codeOfAction[action]}I`, `${codeOfAction[action]}E`]),
  },
  codeOf: (fields, success) =>
    `${codeOfAction[fields["action"] as keyof typeof codeOfAction]}${success ? "I" : "E"}`,
  category: "session",
  severity: "info",
  description: "A file operation of SFTP; `close` sums up what passed through one open file.",
  fields: z.strictObject({
    action: z.enum(actions),
    path: text(),
    /** Of rename, symlink and link. */
    target_path: text().optional(),
    /** `read`, `write`, `append`, `create`, `truncate`, `exclusive`. */
    flags: z.array(text(16)).max(8).optional(),
    bytes_read: count().optional(),
    bytes_written: count().optional(),
    /** Of the whole file, where the whole file passed. */
    sha256: sha256().optional(),
    /** The status that the target answered (draft-ietf-secsh-filexfer-02 §7). */
    status: count().optional(),
    error: text().optional(),
  }),
});
