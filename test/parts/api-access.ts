/**
 * Who may call what, as a plain table: every route of the REST API and every method of the gRPC API with the action that
 * must be allowed, or `public`. Written by hand, apart from what the routes themselves declare, so that one of the two
 * stands out when it is wrong. A new route or method fails the check until it has its line here.
 */

const own = (all: string, oneself: string) => `${all}, or ${oneself} about oneself`;
const readPerson = own("person.read", "self.read");
const writePerson = own("person.write", "self.write");

export const restAccess: Readonly<Record<string, string>> = {
  "GET /api/v1/auth/oidc": "public",
  "GET /api/v1/auth/oidc/callback": "public",
  "GET /api/v1/auth/oidc/logout": "public",
  "GET /api/v1/auth/ways": "public",
  "GET /api/v1/ca/grpc": "public",
  "GET /api/v1/ca/recordings": "public",
  "GET /api/v1/ca/ssh-host": "public",
  "GET /api/v1/ca/ssh-user": "public",
  "GET /api/v1/health/live": "public",
  "POST /api/v1/auth/command": "public",
  "POST /api/v1/auth/command/token": "public",
  "POST /api/v1/auth/enrolment": "public",
  "POST /api/v1/auth/enrolment/totp": "public",
  "POST /api/v1/auth/link": "public",
  "POST /api/v1/auth/password": "public",
  "POST /api/v1/auth/second-factor": "public",

  "GET /api/v1/command-sign-in": "self.read",
  "GET /api/v1/me": "self.read",
  "POST /api/v1/auth/logout": "self.read",
  "POST /api/v1/command-sign-in/answer": "self.write",
  "POST /api/v1/ssh-certificates": "self.write",
  "PATCH /api/v1/me/factors/{factorId}": "self.write",
  "POST /api/v1/me/factors": "self.write",
  "POST /api/v1/me/factors/totp": "self.write",
  "POST /api/v1/me/recovery-codes": "self.write",
  "POST /api/v1/me/step-up": "self.write",
  "PUT /api/v1/me/password": "self.write",

  "GET /api/v1/sessions": "session.list",
  "GET /api/v1/sessions/{sessionId}": "session.view",
  "GET /api/v1/sessions/{sessionId}/live": "session.join",
  "POST /api/v1/sessions/{sessionId}/pause": "session.pause",
  "POST /api/v1/sessions/{sessionId}/resume": "session.pause",
  "POST /api/v1/sessions/{sessionId}/terminate": "session.terminate",
  "POST /api/v1/targets/{targetId}/logins/{login}/connection": "session.open",

  "GET /api/v1/recordings/{sessionId}": "session.view",
  "GET /api/v1/recordings/{sessionId}/export": "recording.export",
  "GET /api/v1/recordings/{sessionId}/frames": "recording.play",
  "GET /api/v1/recordings/{sessionId}/index": "recording.play",
  "GET /api/v1/recordings/{sessionId}/pictures": "recording.play",
  "GET /api/v1/recordings/{sessionId}/screen": "recording.play",
  "POST /api/v1/recordings/{sessionId}/hold": "recording.hold",
  "POST /api/v1/recordings/{sessionId}/index": "recording.play",
  "POST /api/v1/recordings/{sessionId}/release": "recording.hold",
  "POST /api/v1/recordings/{sessionId}/acknowledge": "recording.acknowledge",
  "POST /api/v1/recordings/{sessionId}/search": "recording.play",
  "POST /api/v1/recordings/{sessionId}/verify": "session.view",

  "POST /api/v1/search": "session.list",

  "GET /api/v1/recordings/coverage": "health.read",
  "GET /api/v1/recordings/alarms": "health.read",
  "GET /api/v1/recordings/retention": "health.read",
  "POST /api/v1/recordings/retention/clock": "retention.confirm",
  "GET /api/v1/recordings/rewrap": "health.read",
  "POST /api/v1/recordings/rewrap": "recording.rewrap",

  "GET /api/v1/people": "person.read",
  "GET /api/v1/people/{personId}": readPerson,
  "GET /api/v1/people/{personId}/factors": readPerson,
  "GET /api/v1/people/{personId}/sign-in": readPerson,
  "GET /api/v1/people/{personId}/sign-ins": readPerson,
  "GET /api/v1/people/{personId}/ssh-certificates": readPerson,
  "GET /api/v1/people/{personId}/ssh-keys": readPerson,
  "GET /api/v1/people/{personId}/tokens": readPerson,
  "DELETE /api/v1/people/{personId}/factors": "person.write",
  "DELETE /api/v1/people/{personId}/factors/{factorId}": writePerson,
  "DELETE /api/v1/people/{personId}/password": writePerson,
  "DELETE /api/v1/people/{personId}/sign-ins": writePerson,
  "DELETE /api/v1/people/{personId}/sign-ins/{signInId}": writePerson,
  "DELETE /api/v1/people/{personId}/ssh-certificates/{serial}": writePerson,
  "DELETE /api/v1/people/{personId}/ssh-keys/{keyId}": writePerson,
  "DELETE /api/v1/people/{personId}/tokens/{tokenId}": writePerson,
  "PATCH /api/v1/people/{personId}": "person.write",
  "POST /api/v1/people": "person.write",
  "POST /api/v1/people/{personId}/sign-in-link": "person.write",
  "POST /api/v1/people/{personId}/ssh-keys": writePerson,
  "POST /api/v1/people/{personId}/tokens": writePerson,

  "GET /api/v1/teams": "team.read",
  "GET /api/v1/teams/{teamId}": "team.read",
  "DELETE /api/v1/teams/{teamId}": "team.write",
  "PATCH /api/v1/teams/{teamId}": "team.write",
  "POST /api/v1/teams": "team.write",
  "GET /api/v1/roles": "role.read",
  "GET /api/v1/roles/{roleName}": "role.read",
  "DELETE /api/v1/roles/{roleName}": "role.write",
  "PUT /api/v1/roles/{roleName}": "role.write",
  "GET /api/v1/locks": "lock.read",
  "GET /api/v1/locks/preview": "lock.write",
  "DELETE /api/v1/locks/{lockId}": "lock.write",
  "POST /api/v1/locks": "lock.write",

  "GET /api/v1/requests": "request.list",
  "GET /api/v1/requests/{requestId}": "request.view",
  "POST /api/v1/requests": "request.create",
  "POST /api/v1/requests/{requestId}/cancel": "request.view",
  "POST /api/v1/requests/{requestId}/review": "request.review",
  "GET /api/v1/recordings/{sessionId}/request-terms": "request.create",
  "GET /api/v1/targets/{targetId}/request-terms": "request.create",

  "GET /api/v1/targets": "target.list",
  "GET /api/v1/targets/{targetId}": "target.list",
  "DELETE /api/v1/targets/{targetId}": "target.write",
  "PATCH /api/v1/targets/{targetId}": "target.write",
  "POST /api/v1/targets": "target.write",
  "POST /api/v1/targets/{targetId}/host-keys/scan": "target.trust",
  "PUT /api/v1/targets/{targetId}/host-keys": "target.trust",
  "DELETE /api/v1/targets/{targetId}/logins/{login}/credential": "credential.write",
  "PUT /api/v1/targets/{targetId}/logins/{login}/credential": "credential.write",

  "GET /api/v1/access/explain": "access.explain",
  "GET /api/v1/audit": "audit.read",
  "POST /api/v1/audit/verify": "audit.read",
  "GET /api/v1/health": "health.read",
};

export const grpcAccess: Readonly<Record<string, string>> = {
  "gatehouse.v1.SessionService/ListSessions": "session.list",
  "gatehouse.v1.SessionService/GetSession": "session.view",
  "gatehouse.v1.SessionService/WatchSession": "session.join",
  "gatehouse.v1.SessionService/PauseSession": "session.pause",
  "gatehouse.v1.SessionService/ResumeSession": "session.pause",
  "gatehouse.v1.SessionService/TerminateSession": "session.terminate",
  "gatehouse.v1.RecordingService/GetRecording": "session.view",
  "gatehouse.v1.RecordingService/StreamFrames": "recording.play",
  "gatehouse.v1.RecordingService/ExportRecording": "recording.export",
  "gatehouse.v1.RecordingService/SearchRecording": "recording.play",
  "gatehouse.v1.RecordingService/VerifyRecording": "session.view",
  "gatehouse.v1.AuditService/ListAuditEvents": "audit.read",
  "gatehouse.v1.AuditService/VerifyAuditLog": "audit.read",
  "grpc.health.v1.Health/Check": "public",
  "grpc.health.v1.Health/Watch": "public",
  "grpc.reflection.v1.ServerReflection/ServerReflectionInfo": "public",
};

/** The actions that open it, of a line above; none where it is public. */
export function actionsOf(access: string): string[] {
  return access === "public" ? [] : [...access.matchAll(/[a-z_]+\.[a-z_]+/g)].map(([action]) => action);
}
