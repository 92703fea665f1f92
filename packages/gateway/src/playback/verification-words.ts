import type { Verification as VerificationWords } from "@gatehouse/contracts/rest";
import type { FindingCode, Verification } from "@gatehouse/recording";

type Check = VerificationWords["checks"][number];

/** What each finding is a failure of. */
const checkOf: Record<FindingCode, Check["name"]> = {
  manifest_missing: "signature",
  manifest_malformed: "signature",
  manifest_altered: "signature",
  manifest_unsigned: "signature",
  manifest_foreign: "signature",
  manifest_replayed: "audit",
  manifest_inconsistent: "signature",
  wrong_signer: "signature",
  segment_missing: "segments",
  segment_truncated: "segments",
  segment_altered: "segments",
  segment_malformed: "segments",
  segment_reordered: "chain",
  segment_duplicated: "chain",
  segment_foreign: "segments",
  segment_unlisted: "segments",
  segment_unsigned: "signature",
  chain_broken: "chain",
  seq_gap: "chain",
  seq_repeated: "chain",
  time_backwards: "frames",
  frame_count: "frames",
  frames_malformed: "frames",
  end_missing: "frames",
  undecryptable: "frames",
  key_unusable: "frames",
  keys_altered: "signature",
  keys_foreign: "signature",
  audit_altered: "audit",
  unreadable: "segments",
};

export function verificationWords(
  sessionId: string,
  verification: Verification,
  auditedHead: string | undefined,
  nowMs: number,
): VerificationWords {
  const { findings, decrypted } = verification;
  const check = (name: Check["name"], good: string, absent?: string): Check => {
    const faults = findings.filter((finding) => checkOf[finding.code] === name);
    if (faults.length > 0)
      return { name, status: "failed", detail: faults.map(({ message }) => message).join("\n") };
    return absent === undefined
      ? { name, status: "ok", detail: good }
      : { name, status: "absent", detail: absent };
  };
  const signer = verification.signer?.keyId;
  return {
    sessionId,
    ok: verification.ok,
    checkedAt: new Date(nowMs).toISOString(),
    checks: [
      check(
        "segments",
        [
          `${verification.segments} segments, ${verification.bytes} bytes, each as it was listed`,
          ...verification.breaks.map(({ frames, reason }) => `${frames} frames stated as lost: ${reason}`),
        ].join("\n"),
      ),
      check("chain", `each segment names the one before it, up to ${verification.headSha256 ?? "none"}`),
      check("signature", `signed by ${signer ?? "nobody"}, a key that this gateway trusts`),
      check(
        "audit",
        "the audit log's session.end carries the same head",
        auditedHead === undefined ? "the audit log holds no head of this recording" : undefined,
      ),
      check(
        "frames",
        `${decrypted.frames} frames decrypted and checked`,
        decrypted.withheld === undefined || decrypted.withheld.includes("main")
          ? "this gateway holds no key that opens them"
          : undefined,
      ),
    ],
    headSha256: verification.headSha256 ?? null,
    frames: verification.end ? verification.frames : null,
    firstFault: findings[0]?.message ?? null,
  };
}
