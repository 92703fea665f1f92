import type {
  ApiToken,
  ApiTokenCreate,
  ApiTokenMade,
  AccessRequest,
  AskableRole,
  Lock,
  LockCreate,
  LockPreview,
  LockPreviewQuery,
  LockSet,
  Rekeyed,
  RequestCreate,
  RequestPolicyWrite,
  RequestQuery,
  RequestReview,
  RequestTerms,
  Role,
  RoleWrite,
  Team,
  TeamCreate,
  TeamQuery,
  TeamUpdate,
  AuditEvent,
  AuditExportQuery,
  AuditQuery,
  AuditVerification,
  CommandSignIn,
  CommandSignInAnswer,
  CommandSignInAnswered,
  CommandSignInAsk,
  CommandSignInAsked,
  CommandSignInFetch,
  CommandSignInFetched,
  CommandSignInQuery,
  Certificate,
  Connection,
  DatabaseCertificateAsk,
  DatabaseCertificateMade,
  CoverageQuery,
  CredentialWrite,
  ExplainQuery,
  Explanation,
  ExportFormat,
  FilmCut,
  Factor,
  FactorAdd,
  FactorAdded,
  FactorList,
  FactorRename,
  RecoveryCodes,
  SecondFactorShown,
  SecondStep,
  SignInList,
  SignInsEnded,
  StepTicket,
  StepUpShown,
  TotpOffer,
  Health,
  IndexMade,
  HostScan,
  HostTrust,
  LiveState,
  OwnedToken,
  Page,
  PasskeyOptions,
  PasskeySignIn,
  PasswordChange,
  PasswordSignIn,
  Person,
  PersonCreate,
  PersonQuery,
  PersonUpdate,
  Recording,
  AlarmAcknowledge,
  RecordingAlarms,
  RecordingCoverage,
  RecordingHits,
  RecordingSearch,
  RecordingOverview,
  RecordingPictures,
  RecordingScreen,
  RecordingText,
  HoldCreate,
  HoldRelease,
  LegalHold,
  RetentionQuery,
  RetentionReport,
  RewrapStart,
  Rewrapping,
  Search,
  SearchPage,
  Session,
  SessionEvent,
  SessionEventQuery,
  SessionPause,
  SessionQuery,
  SessionResume,
  SessionTerminate,
  StatementReview,
  SignInFacts,
  SignInLink,
  SshCertificateAsk,
  SshCertificateMade,
  SshKey,
  Target,
  TargetCreate,
  TargetQuery,
  TargetUpdate,
  TokenQuery,
  Verification,
  WayIn,
  WireFrame,
} from "@gatehouse/contracts/rest";
import type { Action, Decision, Resource, SessionScope, Subject } from "../access/mod.ts";
import type { WebSession } from "../directory/mod.ts";
import type { From, OidcSignIn } from "../identity/mod.ts";
import type { AskedPart, Channel, Part } from "../playback/mod.ts";
import type { Sight } from "../sessions/mod.ts";

/** Who is asking, proved: what every door below is told. */
export type Principal = {
  subject: Subject;
  /** How it was proved. */
  via: "web" | "token" | "admin-socket";
  /** What was asked with, for the audit log. */
  channel: Channel;
  /** When a web session ends. */
  expiresAtMs?: number;
  /** The session that it was proved with, where it is one. */
  session?: WebSession;
  /** Where the request came from; empty on the administrator's socket. For the audit log. */
  remoteAddress: string;
};

/** Which API carried a request. */
export type Api = "rest" | "grpc";

/** What a request showed. `admin-socket`: the file's mode is the proof. */
export type Credential =
  | { kind: "cookie"; token: string }
  | { kind: "bearer"; token: string }
  | { kind: "admin-socket" };

/** What whoever signed in is given. */
export type Entered = { principal: Principal; cookie: string; expiresAtMs: number };

export type IdentityDoor = {
  /**
   * Exchanges a one-time link for a web session, audited before it succeeds (`user.login`). Rejects with
   * `unauthenticated` when the link is unknown, used up or expired; the three are not told apart.
   */
  signInByLink(token: string, from: From): Promise<Entered | SecondStep>;
  /** The same by a password. `unauthenticated`, whatever of it is wrong; `rate_limited` where one must wait. */
  signInByPassword(signIn: PasswordSignIn, from: From): Promise<Entered | SecondStep>;
  /** What comes after either. `unauthenticated` for a ticket or a code that is not good, `rate_limited`. */
  secondFactor(shown: SecondFactorShown, from: From): Promise<Entered>;
  /** `origin`: as the browser names the page. `conflict` where nobody can have passkeys. */
  secondFactorByPasskey(step: StepTicket, origin: string): Promise<PasskeyOptions>;
  passkeyOptions(origin: string): Promise<PasskeyOptions>;
  signInByPasskey(shown: PasskeySignIn, from: From): Promise<Entered>;
  offerPasskeyTo(step: StepTicket, origin: string): Promise<PasskeyOptions>;
  stepUpByPasskey(principal: Principal, origin: string): Promise<PasskeyOptions>;
  offerTotpTo(step: StepTicket): Promise<TotpOffer>;
  enrol(added: FactorAdd, from: From): Promise<{ entered: Entered; recoveryCodes: string[] | null }>;
  /** Somebody who is signed in gives a second factor once more; their session is known by another token from then on. */
  stepUp(principal: Principal, shown: StepUpShown, from: From): Promise<Entered>;
  /**
   * Undefined: nobody. Throws `unavailable` when it cannot be known now. `isAttended: false`: no person stands behind the
   * request, so it does not keep a session from being idle.
   */
  whoIs(
    credential: Credential,
    from: { remoteAddress: string; api: Api; isAttended?: boolean },
  ): Promise<Principal | undefined>;
  /** Ends the web session of this cookie; one that is gone already is no error. */
  signOut(cookie: string): Promise<void>;
};

/** How people sign in. The caller was allowed; changes are audited behind this door. */
export type AccountsDoor = {
  waysIn(): Promise<{ items: WayIn[] }>;
  signInFacts(personId: string): Promise<SignInFacts>;
  /** One's own. Throws `invalid` for one that would be guessed, `denied` without proof, `rate_limited`. */
  setPassword(principal: Principal, change: PasswordChange): Promise<void>;
  removePassword(principal: Principal, personId: string): Promise<void>;
};

/** Second factors. The caller was allowed; changes are audited behind this door. */
export type FactorsDoor = {
  list(personId: string): Promise<FactorList>;
  /** One's own. Throws `denied` for who has not proved of late who they are. */
  offerTotp(principal: Principal): Promise<TotpOffer>;
  offerPasskey(principal: Principal, origin: string): Promise<PasskeyOptions>;
  add(principal: Principal, added: FactorAdd): Promise<FactorAdded>;
  rename(principal: Principal, id: string, change: FactorRename): Promise<Factor>;
  renewRecoveryCodes(principal: Principal): Promise<RecoveryCodes>;
  /** One's own, or as an administrator somebody's who has no right that they have not. */
  remove(principal: Principal, personId: string, id: string): Promise<void>;
  /** All of somebody else's; their sign-ins end. */
  reset(principal: Principal, personId: string): Promise<void>;
};

/** Where people are signed in. The caller was allowed; changes are audited behind this door. */
export type SignInsDoor = {
  list(principal: Principal, personId: string): Promise<SignInList>;
  /** Throws `not_found`. */
  end(principal: Principal, personId: string, id: string): Promise<void>;
  endOthers(principal: Principal, personId: string): Promise<SignInsEnded>;
};

export type AccessDoor = {
  /** Decided for now, and for where the principal is. */
  decide(
    principal: Pick<Principal, "subject" | "remoteAddress">,
    action: Action,
    resource: Resource,
  ): Decision;
  sessionScope(principal: Pick<Principal, "subject" | "remoteAddress">): SessionScope;
};

/** A filter as it arrives here: defaults filled in. */
type Filter<Q> = Q & { limit: number };

export type SessionsDoor = {
  list(query: Filter<SessionQuery>, scope: SessionScope): Promise<Page<Session>>;
  /** Throws `not_found`. */
  get(id: string): Promise<Session>;
  /**
   * Of the audit log what is about a session, newest first. Not `all`: what the person themselves knows of it. Throws
   * `not_found`.
   */
  events(id: string, query: Filter<SessionEventQuery>, of: { all: boolean }): Promise<Page<SessionEvent>>;
  /** What `session.view` and the recording's actions are decided on. Throws `not_found`. */
  resourceOf(id: string): Promise<Resource>;
};

/** Acting on live sessions. Every call is decided and audited behind this door. Throws `not_found`, `denied`, `conflict`. */
export type ModerationDoor = {
  /** Null where the session is not live here. */
  state(principal: Principal, sessionId: string): Promise<LiveState | null>;
  /** The sights end with `denied` when the right to look on has ended; `renew` gives who asks as they are now. */
  join(
    principal: Principal,
    sessionId: string,
    how: { fromSeq: number; signal: AbortSignal; renew: () => Promise<Principal | undefined> },
  ): Promise<AsyncIterable<Sight>>;
  pause(principal: Principal, sessionId: string, how: SessionPause): Promise<void>;
  resume(principal: Principal, sessionId: string, how: SessionResume): Promise<void>;
  terminate(principal: Principal, sessionId: string, how: SessionTerminate): Promise<void>;
  /** About a statement that waits. `conflict` where it does not any more. */
  review(principal: Principal, sessionId: string, statement: number, how: StatementReview): Promise<void>;
};

/** Whoever reads for a while: when they have gone, and who they are now. */
export type Reader = { signal: AbortSignal; renew: () => Promise<Principal | undefined> };

/**
 * Every call is decided and audited behind this door, before a byte leaves. Throws `denied`, `not_found`, `unavailable`,
 * `corrupt`.
 */
export type PlaybackDoor = {
  get(principal: Principal, sessionId: string): Promise<Recording>;
  /**
   * Frames of the window in order; pulled, so a slow reader holds nothing but its own. Frames of the input lane are left
   * out for one who may not see them. The stream fails with `denied` when the right to it has ended.
   */
  frames(
    principal: Principal,
    sessionId: string,
    window: { fromUs: number; toUs?: number },
    reader: Reader,
  ): Promise<AsyncIterable<WireFrame>>;
  export(
    principal: Principal,
    sessionId: string,
    format: ExportFormat,
    reader: Reader,
    how?: {
      /** The tag of what they have the beginning of. */
      held?: string | undefined;
      /** Of a film. */
      cut?: FilmCut;
    },
  ): Promise<{
    fileName: string;
    contentType: string;
    chunks: AsyncIterable<Uint8Array>;
    /** Where they would be the same bytes once more; and how a part of them is had, where that costs no more than the whole. */
    same?: { tag: string; part?: (asked: AskedPart) => Promise<Part> };
  }>;
  /** What has to stand over what they were let see of a session: for who may, since this decides nothing. */
  watermark(principal: Principal, sessionId: string): Promise<string | undefined>;
  /** Out of the index beside the recording; empty where none was made yet. */
  overview(principal: Principal, sessionId: string): Promise<RecordingOverview>;
  screen(principal: Principal, sessionId: string, at: { atUs: number }): Promise<RecordingScreen>;
  text(principal: Principal, sessionId: string, which: { block: number }): Promise<RecordingText>;
  pictures(principal: Principal, sessionId: string): Promise<RecordingPictures>;
  makeIndex(principal: Principal, sessionId: string, how: { anew: boolean }): Promise<IndexMade>;
  search(
    principal: Principal,
    sessionId: string,
    search: RecordingSearch,
    reader: Reader,
  ): Promise<RecordingHits>;
  verify(principal: Principal, sessionId: string): Promise<Verification>;
};

export type SearchingDoor = {
  /**
   * A page of what is found in all recordings that the caller may play. Decided for each and audited behind this door, before it
   * leaves. Throws `invalid`, `denied`, `unavailable`.
   */
  search(principal: Principal, search: Search, reader: Reader): Promise<SearchPage>;
};

/** What is known of the recordings as a whole. The caller was allowed. */
export type CustodyDoor = {
  coverage(query: CoverageQuery): Promise<RecordingCoverage>;
  /** What expires up to a moment; nothing is removed by asking. */
  retention(query: RetentionQuery): Promise<RetentionReport>;
  /** Audited. Throws `conflict` while it is under way. */
  rewrap(principal: Principal, how: RewrapStart): Promise<Rewrapping>;
  rewrapping(): Rewrapping;
  /** Audited. The clock as it stands may be believed. */
  confirmClock(principal: Principal, how: HoldRelease): Promise<void>;
  /** Damage that nobody has taken note of. */
  alarms(): Promise<RecordingAlarms>;
  /** Audited. Throws `conflict`. */
  acknowledge(principal: Principal, sessionId: string, how: AlarmAcknowledge): Promise<void>;
  /** Audited. Throws `not_found`, `conflict`. */
  hold(principal: Principal, sessionId: string, how: HoldCreate): Promise<LegalHold>;
  /** Audited. Throws `not_found`, `conflict`, `unavailable`. */
  release(principal: Principal, sessionId: string, how: HoldRelease): Promise<void>;
};

/** People, their keys and their links. The caller was allowed; changes are audited behind this door, with `principal`. */
export type PeopleDoor = {
  list(query: Filter<PersonQuery>): Promise<Page<Person>>;
  get(id: string): Promise<Person>;
  create(principal: Principal, person: PersonCreate): Promise<Person>;
  update(principal: Principal, id: string, change: PersonUpdate): Promise<Person>;
  signInLink(principal: Principal, id: string): Promise<SignInLink>;
  sshKeys(id: string): Promise<readonly SshKey[]>;
  /** Throws `invalid` for what is no public key, `conflict` for one that somebody has. */
  addSshKey(principal: Principal, id: string, publicKey: string): Promise<SshKey>;
  removeSshKey(principal: Principal, id: string, keyId: string): Promise<void>;
};

/** Every target, or those that this person may go to as somebody. Others are `not_found`. */
export type TargetScope = "all" | { subject: Subject };

/** Targets with their logins, secrets and host trust. Allowed by the caller, audited behind this door. */
export type TargetsDoor = {
  list(query: Filter<TargetQuery>, scope: TargetScope): Promise<Page<Target>>;
  get(id: string, scope: TargetScope): Promise<Target>;
  create(principal: Principal, target: TargetCreate): Promise<Target>;
  update(principal: Principal, id: string, change: TargetUpdate): Promise<Target>;
  remove(principal: Principal, id: string): Promise<void>;
  setCredential(principal: Principal, id: string, login: string, credential: CredentialWrite): Promise<void>;
  /** Rejects as the target does, and then the old secret stays; both are audited. */
  rotateCredential(
    principal: Principal,
    id: string,
    login: string,
    credential: CredentialWrite,
  ): Promise<void>;
  removeCredential(principal: Principal, id: string, login: string): Promise<void>;
  /** Dials the target and reads what it shows. Throws `unavailable`, `timeout`. Trusts nothing. */
  scanHostKeys(principal: Principal, id: string): Promise<HostScan>;
  trustHostKeys(principal: Principal, id: string, trust: HostTrust): Promise<Target>;
};

/** Teams and who leads them. The caller was allowed; changes are audited behind this door. */
export type TeamsDoor = {
  list(query: Filter<TeamQuery>): Promise<Page<Team>>;
  get(id: string): Promise<Team>;
  create(principal: Principal, team: TeamCreate): Promise<Team>;
  update(principal: Principal, id: string, change: TeamUpdate): Promise<Team>;
  remove(principal: Principal, id: string): Promise<void>;
};

/** The operator's own roles. The caller was allowed; changes are audited behind this door. */
export type RolesDoor = {
  /** The built-in ones too. */
  list(): Promise<{ items: Role[] }>;
  get(name: string): Promise<Role>;
  /** Makes it, or sets the whole of it. Throws `denied` for what the caller has not themselves, `conflict` for a built-in one. */
  set(principal: Principal, name: string, role: RoleWrite): Promise<Role>;
  /** Lets people ask for it on these terms, or no more. Throws `denied` where the role is not the caller's to give. */
  setRequests(principal: Principal, name: string, policy: RequestPolicyWrite | undefined): Promise<Role>;
  /** Throws `conflict` while anybody has it, or has asked for it. */
  remove(principal: Principal, name: string): Promise<void>;
};

/** The caller was allowed; changes are audited behind this door. */
export type LocksDoor = {
  list(): Promise<{ items: Lock[] }>;
  preview(principal: Principal, lock: LockPreviewQuery): Promise<LockPreview>;
  /** Sets it, and ends the sessions that it stands against. Throws `invalid` for what would lock nothing, or the caller. */
  create(principal: Principal, lock: LockCreate): Promise<LockSet>;
  remove(principal: Principal, id: string): Promise<void>;
};

/** Every call is decided and audited behind this door. Throws `not_found`, `denied`, `conflict`, `invalid`. */
export type RequestsDoor = {
  /** Those that the caller may ask for. */
  roles(principal: Principal): Promise<{ items: AskableRole[] }>;
  list(principal: Principal, query: Filter<RequestQuery>): Promise<Page<AccessRequest>>;
  get(principal: Principal, id: string): Promise<AccessRequest>;
  /** Rejects as `create` would. */
  terms(principal: Principal, about: { targetId: string } | { sessionId: string }): Promise<RequestTerms>;
  create(principal: Principal, request: RequestCreate): Promise<AccessRequest>;
  review(principal: Principal, id: string, review: RequestReview): Promise<AccessRequest>;
  cancel(principal: Principal, id: string): Promise<AccessRequest>;
};

/** Tokens for programs. The caller was allowed; changes are audited behind this door. */
export type TokensDoor = {
  list(personId: string): Promise<{ items: ApiToken[] }>;
  /** Everybody's, newest first. */
  all(query: Filter<TokenQuery>): Promise<Page<OwnedToken>>;
  /** Throws `denied` for who asks with a token, `invalid` for scopes that mean nothing. */
  create(principal: Principal, personId: string, token: ApiTokenCreate): Promise<ApiTokenMade>;
  remove(principal: Principal, personId: string, id: string): Promise<void>;
};

/** Signing the command line in with a browser. Audited behind this door. */
export type CommandSignInDoor = {
  ask(asked: CommandSignInAsk, remoteAddress: string): Promise<CommandSignInAsked>;
  /** Throws `unauthenticated` for what is not there, `denied` for what was refused. */
  fetch(shown: CommandSignInFetch, remoteAddress: string): Promise<CommandSignInFetched>;
  /** Throws `not_found`. */
  get(query: CommandSignInQuery): Promise<CommandSignIn>;
  /** Throws `denied` for who is not signed in with a browser, `not_found`, `conflict`. */
  answer(principal: Principal, answer: CommandSignInAnswer): Promise<CommandSignInAnswered>;
};

/** Certificates for people's own keys. The caller was allowed; audited behind this door. */
export type CertificatesDoor = {
  list(personId: string): Promise<{ items: Certificate[] }>;
  /** For the person of this session. Throws `denied` where it is no session, `invalid` for what is no public key. */
  createForSsh(
    principal: Principal,
    sessionToken: string,
    ask: SshCertificateAsk,
  ): Promise<SshCertificateMade>;
  /** The same, to come to a database with. Throws `not_found`, `conflict` for a protocol whose port is not open. */
  createForDatabase(
    principal: Principal,
    sessionToken: string,
    ask: Required<DatabaseCertificateAsk> & { targetId: string; login: string },
  ): Promise<DatabaseCertificateMade>;
  /** Revokes it. Throws `not_found`. */
  remove(principal: Principal, personId: string, serial: string): Promise<void>;
};

/** The caller was allowed. Throws `not_found`, `invalid`. */
export type ExplainDoor = { explain(query: ExplainQuery): Promise<Explanation> };

/** Ways in for clients that sign in with a password. The caller was allowed; audited behind this door. */
export type ConnectionsDoor = {
  /** What `session.open` is decided on. Throws `not_found`. */
  resourceOf(targetId: string, login: string): Promise<Resource>;
  /** Throws `conflict` for a protocol whose port is not open, or that needs no secret. */
  open(principal: Principal, targetId: string, login: string): Promise<Connection>;
};

/** The sealing of stored secrets as a whole. The caller was allowed; audited behind this door. */
export type CredentialsDoor = { rekey(principal: Principal): Promise<Rekeyed> };

export type AuditDoor = {
  list(query: Filter<AuditQuery>): Promise<Page<AuditEvent>>;
  verify(): Promise<AuditVerification>;
  /**
   * Lines of JSON, each with its newline, the oldest event first; without a filter a signed one says where they end. Audited before
   * the first; the lines fail with `denied` when the right to them has ended.
   */
  export(principal: Principal, query: AuditExportQuery, reader: Reader): Promise<AsyncIterable<string>>;
};

export type HealthDoor = { status(): Promise<Health> };

/** Public halves, each one line as `authorized_keys` has it. Undefined where that CA is not used. */
export type AuthoritiesDoor = {
  sshHost(): Promise<string | undefined>;
  sshUser(): Promise<string | undefined>;
  /** PEM of the Ed25519 key that signs recordings. */
  recordings(): Promise<string>;
  /** PEM of the CA that signs people's certificates for databases. Undefined where no such port is open. */
  database(): Promise<string | undefined>;
  /** PEM of the certificate that the gRPC API shows. Undefined where it has no port. */
  grpc(): Promise<string | undefined>;
};

/** All that the REST API stands on. */
export type RestDoors = {
  identity: IdentityDoor;
  accounts: AccountsDoor;
  factors: FactorsDoor;
  signIns: SignInsDoor;
  access: AccessDoor;
  sessions: SessionsDoor;
  moderation: ModerationDoor;
  playback: PlaybackDoor;
  searching: SearchingDoor;
  custody: CustodyDoor;
  people: PeopleDoor;
  teams: TeamsDoor;
  roles: RolesDoor;
  locks: LocksDoor;
  requests: RequestsDoor;
  explain: ExplainDoor;
  tokens: TokensDoor;
  certificates: CertificatesDoor;
  commandSignIn: CommandSignInDoor;
  /** Single sign-on; absent where there is no provider. Audited behind this door. */
  oidc: OidcSignIn | undefined;
  targets: TargetsDoor;
  connections: ConnectionsDoor;
  credentials: CredentialsDoor;
  audit: AuditDoor;
  health: HealthDoor;
  authorities: AuthoritiesDoor;
};
