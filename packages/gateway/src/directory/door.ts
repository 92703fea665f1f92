import type {
  AccessPolicy,
  LabelSelector,
  RequestPolicy,
  Statement,
  requestStates,
} from "@gatehouse/contracts/rest";
import type { SessionFacts } from "@gatehouse/recording";
import type { RecordingState } from "@gatehouse/recording/pipeline";
import type { CommandSignIns } from "./command-sign-ins.ts";
import type { Factors } from "./factors.ts";
import type { SealedEnvelopes } from "./sealed-envelopes.ts";
import type { OidcAccounts, OidcSignIns } from "./oidc.ts";
import type { Passwords } from "./passwords.ts";
import type { RecordingChecks } from "./recording-checks.ts";
import type { RecordingIndexes } from "./recording-indexes.ts";
import type { Pruning } from "./pruning.ts";
import type { RecordingKeeping } from "./recording-keeping.ts";
import type { Lock } from "../access/mod.ts";
import type { Resources } from "./resources.ts";
import type { SearchFilters } from "./search-filters.ts";
import type { Certificates } from "./certificates.ts";
import type { SignInAttempts } from "./sign-in-attempts.ts";
import type { SignInSteps } from "./sign-in-steps.ts";

/** What can lie in a JSON column. */
type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

/** One page of a list, in its order. `next` is opaque; absent at the end. */
export type Page<T> = { items: readonly T[]; next?: string };
/** `limit` is 1 to 500, 50 where none is given. `after` is the `next` of the page before. */
export type PageRequest = { limit?: number; after?: string };

export type User = {
  id: string;
  /** Unique, compared as it is written: `jane.doe@example.com`. */
  name: string;
  displayName: string;
  roles: readonly string[];
  disabled: boolean;
  createdAtMs: number;
};

/** An SSH public key of a person. A key belongs to one person only, for it is what tells who they are. */
export type UserKey = {
  id: string;
  userId: string;
  /** `ssh-ed25519`, `sk-ssh-ed25519@openssh.com`, ... */
  type: string;
  /** The wire blob (RFC 4253 §6.6). */
  blob: Uint8Array;
  /** `SHA256:...` as `ssh-keygen -l` prints it. */
  fingerprint: string;
  comment: string;
  addedAtMs: number;
  lastUsedAtMs?: number;
};

export type Users = {
  /** `conflict` when the name is taken. */
  create(user: { name: string; displayName?: string; roles: readonly string[] }): Promise<User>;
  byId(id: string): Promise<User | undefined>;
  byName(name: string): Promise<User | undefined>;
  /** By name. `text` is found in the name or the display name, letters of either case. */
  list(filter?: { text?: string }, page?: PageRequest): Promise<Page<User>>;
  /** `not_found` when there is no such user. */
  update(
    id: string,
    change: { displayName?: string; roles?: readonly string[]; disabled?: boolean },
  ): Promise<User>;
  count(): Promise<number>;
};

export type UserKeys = {
  /** `conflict` when the key is somebody's already. */
  add(key: Omit<UserKey, "id" | "addedAtMs" | "lastUsedAtMs">): Promise<UserKey>;
  /** The key and its owner, disabled or not: the caller decides what that means. */
  byFingerprint(fingerprint: string): Promise<{ key: UserKey; user: User } | undefined>;
  ofUser(userId: string): Promise<readonly UserKey[]>;
  /** False when there was none. */
  remove(userId: string, keyId: string): Promise<boolean>;
  used(keyId: string): Promise<void>;
};

export type TeamMember = { userId: string; name: string; leads: boolean };

/** People who belong together; those who lead may see the sessions of the others. */
export type Team = {
  id: string;
  /** Unique. */
  name: string;
  description: string;
  /** By name. */
  members: readonly TeamMember[];
  createdAtMs: number;
};

export type Teams = {
  /** `conflict` when the name is taken, or a member is nobody or named twice. */
  create(team: {
    name: string;
    description?: string;
    members?: readonly Pick<TeamMember, "userId" | "leads">[];
  }): Promise<Team>;
  byId(id: string): Promise<Team | undefined>;
  byName(name: string): Promise<Team | undefined>;
  /** By name. */
  list(filter?: { text?: string }, page?: PageRequest): Promise<Page<Team>>;
  /** `not_found` when there is no such team. `members`, when given, replaces all of them. */
  update(
    id: string,
    change: { description?: string; members?: readonly Pick<TeamMember, "userId" | "leads">[] },
  ): Promise<Team>;
  /** False when there was none. */
  remove(id: string): Promise<boolean>;
  /** The teams that somebody is in, by name. */
  ofUser(userId: string): Promise<readonly { teamId: string; name: string; leads: boolean }[]>;
};

/** A lock with who set it. */
/** One of the operator's own roles. */
export type StoredRole = {
  name: string;
  description: string;
  statements: readonly Statement[];
  updatedAtMs: number;
};
export type Roles = {
  /** Makes it, or sets the whole of it. */
  set(name: string, role: Pick<StoredRole, "description" | "statements">): Promise<StoredRole>;
  byName(name: string): Promise<StoredRole | undefined>;
  /** Those of these names that there are. */
  named(names: readonly string[]): Promise<readonly StoredRole[]>;
  /** By name. */
  list(): Promise<readonly StoredRole[]>;
  /** False when there was none. */
  remove(name: string): Promise<boolean>;
  /** On which terms roles can be asked for, built in or not, by their names. Nobody asks for one that is not among them. */
  requestPolicies(): Promise<ReadonlyMap<string, RequestPolicy>>;
  /** Undefined: it cannot be asked for. */
  setRequestPolicy(role: string, policy: RequestPolicy | undefined): Promise<void>;
};

export type LockEntry = Lock & { id: string; createdBy: string; createdAtMs: number };

export type Locks = {
  create(lock: Lock & { createdBy: string }): Promise<LockEntry>;
  byId(id: string): Promise<LockEntry | undefined>;
  /** Those that are not over, newest first. */
  inForce(): Promise<readonly LockEntry[]>;
  /** False when there was none. */
  remove(id: string): Promise<boolean>;
};

export type AccessReview = {
  reviewer: { id: string; name: string };
  verdict: "approve" | "deny";
  comment: string;
  reviewedAtMs: number;
};

export type AccessRequestState = (typeof requestStates)[number];

/** What is asked for: a target as some of its logins, a role, or that a recording under four eyes is opened. */
export type Wanted =
  | { kind: "role"; role: string }
  | { kind: "target"; targetId: string; targetName: string; logins: readonly string[] }
  | { kind: "playback"; sessionId: string; targetId: string; targetName: string };

export type AccessRequest = {
  id: string;
  user: { id: string; name: string };
  wanted: Wanted;
  reason: string;
  /** How long it shall hold, from its approval. */
  durationMs: number;
  /** How many must approve; what its target said when it was made. */
  approvals: number;
  /** What becomes of sessions that are live when it ends. */
  atExpiry: "end" | "warn";
  state: AccessRequestState;
  createdAtMs: number;
  /** While pending: when nobody can approve it any longer. Once approved: when it ends. */
  endsAtMs: number;
  /** In their order. */
  reviews: readonly AccessReview[];
};

export type AccessRequests = {
  create(
    request: Pick<
      AccessRequest,
      "wanted" | "reason" | "durationMs" | "approvals" | "atExpiry" | "endsAtMs"
    > & {
      userId: string;
    },
  ): Promise<AccessRequest>;
  byId(id: string): Promise<AccessRequest | undefined>;
  /** Newest first. */
  list(
    filter?: { userId?: string; state?: AccessRequestState },
    page?: PageRequest,
  ): Promise<Page<AccessRequest>>;
  /** Approved ones of somebody that are not over. */
  inForceOf(userId: string): Promise<readonly AccessRequest[]>;
  /** Those for a role that are pending, or approved and not over. */
  openOfRole(role: string): Promise<readonly AccessRequest[]>;
  /** Approved or pending ones whose end is before this moment, earliest first, and when the next one is due. */
  due(beforeMs: number): Promise<{ over: readonly AccessRequest[]; nextMs: number | undefined }>;
  /**
   * Writes a review down and lets `settle` say what it makes of the request, in one transaction that no other review can
   * enter. `conflict` when it is not pending, or this reviewer has reviewed it.
   */
  review(
    id: string,
    review: AccessReview,
    settle: (request: AccessRequest) => Pick<AccessRequest, "state" | "endsAtMs">,
  ): Promise<AccessRequest>;
  /** Moves it on, once: false when it is in none of these states any longer. */
  move(id: string, from: readonly AccessRequestState[], to: AccessRequestState): Promise<boolean>;
};

/** How the gate shows itself to the target as one of its accounts. */
export type TargetLogin = {
  login: string;
  kind: "key" | "password" | "user_ca";
  /** Absent for `user_ca`, where nothing is stored. */
  credentialId?: string;
};

export type Target = {
  id: string;
  /** Unique: what people type. */
  name: string;
  protocol: string;
  host: string;
  port: number;
  labels: Readonly<Record<string, string>>;
  /** Who may open sessions: any of these roles, or any of these users by name. Both empty: nobody. */
  allowed: { roles: readonly string[]; users: readonly string[] };
  logins: readonly TargetLogin[];
  /** What sessions may do, in the shape of the protocol's own target schema. */
  policy: JsonObject;
  /** What stands between somebody who may use the target and a session on it, whatever the protocol. */
  access: AccessPolicy;
  /** How the target proves that it is itself (pinned keys, a CA), in the shape of the protocol's own schema. */
  hostTrust: JsonObject;
  /** Made for the tour and refused in production. */
  demo: boolean;
  createdAtMs: number;
  updatedAtMs: number;
};
export type NewTarget = Omit<Target, "id" | "createdAtMs" | "updatedAtMs" | "demo" | "access"> & {
  demo?: boolean;
  access?: AccessPolicy;
};

export type Targets = {
  /** `conflict` when the name is taken, `not_found` when a login names a credential that is not there. */
  create(target: NewTarget): Promise<Target>;
  byId(id: string): Promise<Target | undefined>;
  byName(name: string): Promise<Target | undefined>;
  /** By name. `label` is `key=value`. */
  list(
    filter?: { protocol?: string; label?: string; text?: string },
    page?: PageRequest,
  ): Promise<Page<Target>>;
  /** `not_found` when there is no such target. `logins`, when given, replaces all of them. */
  update(id: string, change: Partial<NewTarget>): Promise<Target>;
  /** False when there was none. Sessions keep the names that they had. */
  remove(id: string): Promise<boolean>;
};

const sessionStates = ["admitted", "live", "paused", "ending", "closed", "interrupted"] as const;
export type SessionState = (typeof sessionStates)[number];
/** States from which a session may still change by itself; after a crash these are the interrupted ones. */
export const openSessionStates = [
  "admitted",
  "live",
  "paused",
  "ending",
] as const satisfies readonly SessionState[];

/** Why a session was allowed, and what its target demanded of the recording at that moment. */
export type SessionAccess = {
  /** The rule of access that allowed it. */
  rule: string;
  /** The approved request without which it would not have been allowed, and when that ends. */
  requestId?: string;
  untilMs?: number;
  /** How many others must approve before the recording is opened. */
  approvals?: number;
  /** Whoever sees it has to see their own name over it. */
  watermark?: true;
};

/** Why a recording is kept whatever its retention. */
export type Hold = {
  reason: string;
  /** Who answers for it. */
  owner: string;
  /** Who set it. */
  by: string;
  sinceMs: number;
  keptBy: "backend" | "gatehouse" | "pending";
};

export type SessionEntry = {
  facts: SessionFacts;
  access?: SessionAccess;
  startedAtMs: number;
  state: SessionState;
  recordingState: RecordingState;
  /** Why, when the recording is corrupt. */
  recordingDetail?: string;
  endedAtMs?: number;
  endReason?: string;
  endDetail?: string;
  durationMs?: number;
  exitStatus?: number;
  exitSignal?: string;
  frames?: number;
  /** Of the recording. */
  bytes?: number;
  headSha256?: string;
  /** The recording is kept until then; set when the session ends. */
  retainUntilMs?: number;
  /** Until when the store itself refuses to remove any of it, as it was last seen. */
  lockedUntilMs?: number;
  /** When the last of it was removed from the store. */
  removedAtMs?: number;
  hold?: Hold;
};

export type SessionFilter = {
  /** Their own, those of whoever is in one of these teams now, and those on targets that have such labels now. */
  scope?: { userId: string; teamIds: readonly string[]; targets: readonly LabelSelector[] };
  targetId?: string;
  /** Name or id. */
  user?: string;
  target?: string;
  login?: string;
  recordingState?: RecordingState;
  protocol?: string;
  kind?: string;
  states?: readonly SessionState[];
  /** Started at or after. */
  fromMs?: number;
  /** Started before. */
  toMs?: number;
  /** Found in the names of user, target and login, or in the command; letters of either case. */
  text?: string;
  /** Name or id of a team that the person is in now. */
  team?: string;
  /** Labels that the target has now. */
  labels?: LabelSelector;
  /** Something of this name is in the audit log of it. */
  event?: string;
};

export type SessionEntries = {
  /** State `admitted`, recording state `recording`. */
  insert(facts: SessionFacts, access?: SessionAccess): Promise<void>;
  setState(sessionId: string, state: SessionState): Promise<void>;
  /** Sets the final state once; a session that has ended keeps the first end, and the answer is false. */
  end(
    sessionId: string,
    end: {
      state: "closed" | "interrupted";
      endedAtMs: number;
      reason: string;
      detail?: string;
      durationMs: number;
      exitStatus?: number;
      exitSignal?: string;
      frames?: number;
      bytes?: number;
      headSha256?: string;
    },
  ): Promise<boolean>;
  setRecording(
    sessionId: string,
    recording: {
      state: RecordingState;
      detail?: string;
      frames?: number;
      bytes?: number;
      headSha256?: string;
    },
  ): Promise<void>;
  byId(sessionId: string): Promise<SessionEntry | undefined>;
  /** How many recordings are in each state; a state that none is in may be absent. */
  countByRecordingState(): Promise<Partial<Record<RecordingState, number>>>;
  /** Newest first. */
  list(filter?: SessionFilter, page?: PageRequest): Promise<Page<SessionEntry>>;
  count(filter?: SessionFilter): Promise<number>;
};

/** A secret as it lies in the database: sealed elsewhere, and never opened here. */
export type SealedCredential = {
  id: string;
  name: string;
  kind: string;
  envelope: Uint8Array;
  createdAtMs: number;
  updatedAtMs: number;
};

export type SealedCredentials = {
  /** `conflict` when the name is taken. */
  insert(credential: SealedCredential): Promise<void>;
  /** False when there was none. */
  replace(id: string, change: { envelope: Uint8Array; kind: string; updatedAtMs: number }): Promise<boolean>;
  byId(id: string): Promise<SealedCredential | undefined>;
  /** By name, without the envelopes. */
  list(): Promise<readonly Omit<SealedCredential, "envelope">[]>;
  /** `conflict` while a target's login still uses it; false when there was none. */
  remove(id: string): Promise<boolean>;
};

/** One-time links to sign in with. Only a hash of the link's secret is kept. */
export type LoginLinks = {
  create(link: { hash: string; userId: string; expiresAtMs: number }): Promise<void>;
  /** Uses the link up: the user once, `undefined` ever after, when expired, or when there was none. */
  consume(hash: string): Promise<string | undefined>;
};

/** What a short-lived secret opens: one protocol, and where they stand one target and one login of it. */
export type ConnectionSecret = {
  userId: string;
  protocol: string;
  targetId?: string;
  login?: string;
  /** When whoever it was made for had last given a second factor. */
  mfaAtMs?: number;
  expiresAtMs: number;
};
export type ConnectionSecrets = {
  create(secret: ConnectionSecret & { hash: string }): Promise<void>;
  /** Only one that has not expired. */
  byHash(hash: string): Promise<ConnectionSecret | undefined>;
  /** Those of that protocol that open this login, newest first, at most `max`. */
  inForce(
    what: { protocol: string; login: string },
    max: number,
  ): Promise<readonly (ConnectionSecret & { hash: string })[]>;
  removeOfUser(userId: string): Promise<void>;
};

/** What a program signs in with, as its person. */
export type ApiToken = {
  id: string;
  userId: string;
  name: string;
  scopes: readonly string[];
  createdAtMs: number;
  expiresAtMs: number;
  lastUsedAtMs?: number;
};
export type ApiTokens = {
  create(
    token: Pick<ApiToken, "userId" | "name" | "scopes" | "expiresAtMs"> & { hash: string },
  ): Promise<ApiToken>;
  /** Only one that has not expired; the use is noted. */
  use(hash: string): Promise<ApiToken | undefined>;
  ofUser(userId: string): Promise<readonly ApiToken[]>;
  /** Everybody's that have not expired, newest first. */
  list(page?: PageRequest): Promise<Page<ApiToken & { userName: string }>>;
  /** False when there was none. */
  remove(userId: string, id: string): Promise<boolean>;
  removeOfUser(userId: string): Promise<void>;
};

export type WebSession = {
  /** Names it to people; nothing can be done with it alone. */
  id: string;
  /** Hash of the cookie's token. */
  hash: string;
  userId: string;
  /** How it began: `link`, `password`, ... */
  method: string;
  /** Where it began. */
  remoteAddress: string;
  userAgent: string;
  createdAtMs: number;
  lastSeenAtMs: number;
  expiresAtMs: number;
  /** When a second factor was last given. */
  mfaAtMs?: number;
};
export type NewWebSession = Omit<WebSession, "id" | "createdAtMs" | "lastSeenAtMs">;

export type WebSessions = {
  create(session: NewWebSession): Promise<WebSession>;
  /** Only one that is neither expired nor revoked, nor idle for too long. */
  byHash(hash: string): Promise<WebSession | undefined>;
  /** Those that are good now, the one that was seen last first. */
  ofUser(userId: string): Promise<readonly WebSession[]>;
  seen(hash: string): Promise<void>;
  /** A second factor was given: the session is known by another token from now on. What was given to it stays with it. */
  renew(hash: string, to: { hash: string; mfaAtMs: number }): Promise<WebSession | undefined>;
  revoke(hash: string): Promise<void>;
  /** False when there was none. */
  revokeOne(userId: string, id: string): Promise<boolean>;
  /** All of them, but for the one with the id `but`. */
  revokeOfUser(userId: string, but?: string): Promise<void>;
};

type Settings = {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  /** All whose key begins so, by the rest of the key. */
  under(prefix: string): Promise<ReadonlyMap<string, string>>;
};

/** One event of the audit log as it lies in the database. `body` is the canonical JSON that was hashed. */
export type AuditRow = {
  index: number;
  hash: string;
  prevHash: string;
  timeMs: number;
  event: string;
  code: string;
  user: string;
  serverId: string | null;
  sessionId: string | null;
  success: boolean;
  body: string;
};
export type AuditFilter = {
  /** Names; one that ends in a dot stands for all that begin so: `session.`. */
  events?: readonly string[];
  user?: string;
  sessionId?: string;
  serverId?: string;
  success?: boolean;
  fromMs?: number;
  toMs?: number;
};
export type AuditRows = {
  /**
   * Reads the last row and inserts what `build` makes of it, in one transaction that no other writer can enter,
   * so that the chain cannot fork.
   */
  append(build: (last: { index: number; hash: string } | undefined) => readonly AuditRow[]): Promise<void>;
  last(): Promise<{ index: number; hash: string } | undefined>;
  /** In order of the index, those above `index`. */
  after(index: number, limit: number, filter?: AuditFilter): Promise<readonly AuditRow[]>;
  /** Newest first: the gateway's own events of one kind that concern a session of which no `answer` came after. */
  unanswered(event: string, answer: string, limit: number): Promise<readonly AuditRow[]>;
  /** Newest first, those below `beforeIndex`. */
  list(filter: AuditFilter, page: { limit: number; beforeIndex?: number }): Promise<readonly AuditRow[]>;
};

/**
 * The database. Every write is durable before its promise resolves. A database that is locked, full or gone rejects
 * with `unavailable`.
 */
export type Directory = {
  readonly users: Users;
  readonly userKeys: UserKeys;
  readonly teams: Teams;
  readonly roles: Roles;
  readonly locks: Locks;
  readonly accessRequests: AccessRequests;
  readonly resources: Resources;
  readonly targets: Targets;
  readonly sessions: SessionEntries;
  readonly recordingChecks: RecordingChecks;
  readonly recordingIndexes: RecordingIndexes;
  readonly searchFilters: SearchFilters;
  readonly recordingKeeping: RecordingKeeping;
  readonly pruning: Pruning;
  readonly sealedCredentials: SealedCredentials;
  readonly sealedEnvelopes: SealedEnvelopes;
  readonly loginLinks: LoginLinks;
  readonly passwords: Passwords;
  readonly signInAttempts: SignInAttempts;
  readonly signInSteps: SignInSteps;
  readonly factors: Factors;
  readonly webSessions: WebSessions;
  readonly apiTokens: ApiTokens;
  readonly certificates: Certificates;
  readonly commandSignIns: CommandSignIns;
  readonly oidcSignIns: OidcSignIns;
  readonly oidcAccounts: OidcAccounts;
  readonly connectionSecrets: ConnectionSecrets;
  readonly settings: Settings;
  readonly auditRows: AuditRows;
  /** Commits a row of its own; throws `unavailable` when nothing could be written now. */
  probe(): Promise<void>;
  close(): Promise<void>;
};
