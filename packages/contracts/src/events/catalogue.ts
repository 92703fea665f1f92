import { agentForward } from "./agent-forward.ts";
import { apiTokenCreate } from "./api-token-create.ts";
import { apiTokenDelete } from "./api-token-delete.ts";
import { auditExport } from "./audit-export.ts";
import { auditPrune } from "./audit-prune.ts";
import { auth } from "./auth.ts";
import { credentialCreate } from "./credential-create.ts";
import { credentialDelete } from "./credential-delete.ts";
import { credentialRekey } from "./credential-rekey.ts";
import { credentialUpdate } from "./credential-update.ts";
import { exec } from "./exec.ts";
import { gatewayStart } from "./gateway-start.ts";
import { gatewayStop } from "./gateway-stop.ts";
import { certCreate } from "./cert-create.ts";
import { certDelete } from "./cert-delete.ts";
import { connectionSecretCreate } from "./connection-secret-create.ts";
import { loginLinkCreate } from "./login-link-create.ts";
import { port } from "./port.ts";
import { recordingsRecover } from "./recordings-recover.ts";
import { recordingsRewrap } from "./recordings-rewrap.ts";
import { resize } from "./resize.ts";
import { roleCreated } from "./role-created.ts";
import { roleDeleted } from "./role-deleted.ts";
import { roleUpdated } from "./role-updated.ts";
import { scp } from "./scp.ts";
import { sessionData } from "./session-data.ts";
import { sessionEnd } from "./session-end.ts";
import { sessionJoin } from "./session-join.ts";
import { sessionLeave } from "./session-leave.ts";
import { sessionPause } from "./session-pause.ts";
import { retentionClock } from "./retention-clock.ts";
import { sessionPrune } from "./session-prune.ts";
import { sessionRecordingExpire } from "./session-recording-expire.ts";
import { sessionRecordingHold } from "./session-recording-hold.ts";
import { sessionRecordingRelease } from "./session-recording-release.ts";
import { sessionRecordingRewrap } from "./session-recording-rewrap.ts";
import { sessionRecordingAccess } from "./session-recording-access.ts";
import { sessionRecordingAcknowledge } from "./session-recording-acknowledge.ts";
import { sessionRecordingCorrupted } from "./session-recording-corrupted.ts";
import { sessionRecordingSearch } from "./session-recording-search.ts";
import { sessionRejected } from "./session-rejected.ts";
import { sessionResume } from "./session-resume.ts";
import { sessionStart } from "./session-start.ts";
import { sessionTerminate } from "./session-terminate.ts";
import { sessionUpload } from "./session-upload.ts";
import { sftp } from "./sftp.ts";
import { subsystem } from "./subsystem.ts";
import { targetCreate } from "./target-create.ts";
import { targetDelete } from "./target-delete.ts";
import { targetHostKeyRejected } from "./target-host-key-rejected.ts";
import { targetTrust } from "./target-trust.ts";
import { targetUpdate } from "./target-update.ts";
import { mfaAdd } from "./mfa-add.ts";
import { mfaDelete } from "./mfa-delete.ts";
import { recoveryCodeGenerated } from "./recovery-code-generated.ts";
import { recoveryCodeUsed } from "./recovery-code-used.ts";
import { mfaChallengeValidate } from "./mfa-auth-challenge-validate.ts";
import { userCreate } from "./user-create.ts";
import { userKeyCreate } from "./user-key-create.ts";
import { userKeyDelete } from "./user-key-delete.ts";
import { userLogin } from "./user-login.ts";
import { userLogout } from "./user-logout.ts";
import { userPasswordChange } from "./user-password-change.ts";
import { userPasswordDelete } from "./user-password-delete.ts";
import { userUpdate } from "./user-update.ts";
import { x11Forward } from "./x11-forward.ts";
import { teamCreate } from "./team-create.ts";
import { teamUpdate } from "./team-update.ts";
import { teamDelete } from "./team-delete.ts";
import { lockCreated } from "./lock-created.ts";
import { lockDeleted } from "./lock-deleted.ts";
import { accessRequestCreate } from "./access-request-create.ts";
import { accessRequestUpdate } from "./access-request-update.ts";
import { accessRequestReview } from "./access-request-review.ts";
import { accessRequestDelete } from "./access-request-delete.ts";
import { accessRequestExpire } from "./access-request-expire.ts";
import { dbStatementDenied } from "./db-statement-denied.ts";
import { dbStatementHold } from "./db-statement-hold.ts";
import { dbStatementReview } from "./db-statement-review.ts";
import type { EventDescriptor } from "./descriptor.ts";

/** Every event that the audit log may hold. A new one is a file of its own and a line here. */
export const eventCatalogue: readonly EventDescriptor[] = [
  agentForward,
  apiTokenCreate,
  apiTokenDelete,
  auth,
  certCreate,
  certDelete,
  connectionSecretCreate,
  credentialCreate,
  credentialDelete,
  credentialUpdate,
  credentialRekey,
  exec,
  gatewayStart,
  recordingsRecover,
  recordingsRewrap,
  sessionRecordingRewrap,
  retentionClock,
  sessionRecordingExpire,
  sessionPrune,
  auditExport,
  auditPrune,
  sessionRecordingHold,
  sessionRecordingRelease,
  gatewayStop,
  loginLinkCreate,
  port,
  resize,
  scp,
  sessionData,
  sessionEnd,
  sessionJoin,
  sessionLeave,
  sessionPause,
  sessionRecordingAccess,
  sessionRecordingAcknowledge,
  sessionRecordingCorrupted,
  sessionRecordingSearch,
  sessionRejected,
  sessionResume,
  sessionStart,
  sessionTerminate,
  sessionUpload,
  dbStatementDenied,
  dbStatementHold,
  dbStatementReview,
  sftp,
  subsystem,
  targetCreate,
  targetDelete,
  targetHostKeyRejected,
  targetTrust,
  targetUpdate,
  userCreate,
  userKeyCreate,
  userKeyDelete,
  userLogin,
  userLogout,
  userPasswordChange,
  userPasswordDelete,
  userUpdate,
  teamCreate,
  teamUpdate,
  teamDelete,
  roleCreated,
  roleUpdated,
  roleDeleted,
  lockCreated,
  lockDeleted,
  accessRequestCreate,
  accessRequestUpdate,
  accessRequestReview,
  accessRequestDelete,
  accessRequestExpire,
  mfaAdd,
  mfaDelete,
  recoveryCodeGenerated,
  recoveryCodeUsed,
  mfaChallengeValidate,
  x11Forward,
];

const byName = new Map(eventCatalogue.map((descriptor) => [descriptor.event, descriptor]));

export function eventDescriptor(event: string): EventDescriptor | undefined {
  return byName.get(event);
}

/** The code of an event, as its own rule or its success says. */
export function eventCode(
  descriptor: EventDescriptor,
  fields: Readonly<Record<string, unknown>>,
  success: boolean,
): string {
  const { codes, codeOf } = descriptor;
  return codeOf?.(fields, success) ?? (success ? codes.success : (codes.failure ?? codes.success));
}

/** All codes that an event may carry. */
export function eventCodes({ codes }: EventDescriptor): readonly string[] {
  return [...new Set([codes.success, codes.failure ?? codes.success, ...(codes.also ?? [])])];
}
