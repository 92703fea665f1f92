/**
 * Everything that can be wrong with a recording, by name. Each is a fact about the objects, and each has a test that
 * makes it happen and sees it named.
 */
export const findingCodes = {
  manifest_missing: "there is no manifest: the recording was never closed, or the manifest was removed",
  manifest_malformed: "the manifest is not a v1 manifest in canonical form",
  manifest_altered: "the manifest's signature does not match its content",
  manifest_unsigned: "the manifest carries no signature",
  manifest_foreign: "the manifest is another recording's",
  manifest_replayed: "the manifest is older than the recording: there is more of it, or another end is known",
  manifest_inconsistent: "the manifest contradicts itself or its segments",
  wrong_signer: "signed by a key that is not trusted for this recording",
  segment_missing: "the segment is absent",
  segment_truncated: "the segment ends too early",
  segment_altered: "the segment is not as it was written",
  segment_malformed: "an object that should be a segment is none",
  segment_reordered: "the segment stands in another's place",
  segment_duplicated: "the segment stands twice",
  segment_foreign: "the segment is another recording's",
  segment_unlisted: "the segment is not in the manifest",
  segment_unsigned: "the segment carries no signature",
  chain_broken: "the segment does not name the one before it",
  seq_gap: "frames are missing",
  seq_repeated: "a frame's sequence stands twice or goes back",
  time_backwards: "time goes back",
  frame_count: "there are not as many frames as declared",
  frames_malformed: "what was encrypted is not well-formed frames",
  end_missing: "a complete recording does not begin with session.start or end with session.end",
  undecryptable: "a part does not decrypt under the recording's key",
  key_unusable: "a wrapped key opens to something that is not this recording's key",
  keys_altered: "keys that were wrapped again are not as they were signed, or not for this manifest",
  keys_foreign: "keys that were wrapped again are another recording's",
  audit_altered:
    "the audit events beside the recording are not as they were signed, or not of this recording",
  unreadable: "an object could not be read at all",
} as const;
export type FindingCode = keyof typeof findingCodes;

export type Finding = {
  readonly code: FindingCode;
  /** The segment's number, where it is about one. */
  readonly segment?: number;
  /** A sentence for a person. */
  readonly message: string;
};

/** How many findings a result lists; `count` says how many there were. */
const keptMax = 1_000;

/** Findings as they are made. Bounded, because a recording of rubbish must not cost more to judge than a good one. */
export class Findings {
  readonly #kept: Finding[] = [];
  #count = 0;

  add(code: FindingCode, message?: string, segment?: number): void {
    this.#count++;
    if (this.#kept.length >= keptMax) return;
    const where = segment === undefined ? "" : `segment ${segment}: `;
    const what = message === undefined ? findingCodes[code] : `${findingCodes[code]} (${message})`;
    this.#kept.push({ code, message: where + what, ...(segment === undefined ? {} : { segment }) });
  }

  get count(): number {
    return this.#count;
  }

  list(): readonly Finding[] {
    return this.#kept;
  }
}
