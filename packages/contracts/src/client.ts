import { type ErrorCode, GatehouseError, errorCodes } from "@gatehouse/kernel";
import type {
  AccessRequest,
  AskableRole,
  AlarmAcknowledge,
  ApiToken,
  ApiTokenCreate,
  ApiTokenMade,
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
  HoldCreate,
  HoldRelease,
  LegalHold,
  RetentionQuery,
  RetentionReport,
  RewrapStart,
  Rewrapping,
  CredentialWrite,
  ExplainQuery,
  Explanation,
  Enrolled,
  ExportFormat,
  FilmCut,
  Factor,
  FactorAdd,
  FactorAdded,
  FactorList,
  FactorRename,
  RecoveryCodes,
  SecondFactorShown,
  SignInAnswer,
  SignInList,
  SignInsEnded,
  StepTicket,
  StepUpShown,
  SteppedUp,
  TotpOffer,
  FramesQuery,
  Health,
  HostScan,
  HostTrust,
  LiveQuery,
  Lock,
  LockCreate,
  LockPreview,
  LockPreviewQuery,
  LockSet,
  Me,
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
  Problem,
  IndexMade,
  IndexMake,
  Recording,
  RecordingOverview,
  RecordingPictures,
  RecordingScreen,
  RecordingText,
  ScreenQuery,
  RecordingAlarms,
  RecordingCoverage,
  RecordingHits,
  RecordingSearch,
  Rekeyed,
  RequestCreate,
  RequestPolicyWrite,
  RequestQuery,
  RequestReview,
  RequestTerms,
  Role,
  RoleWrite,
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
  SshCertificateMade,
  SshKey,
  SshKeyAdd,
  Target,
  TargetCreate,
  TargetQuery,
  TargetUpdate,
  TextQuery,
  Team,
  TeamCreate,
  TeamQuery,
  TeamUpdate,
  TokenQuery,
  Verification,
  WayIn,
  WireFrame,
} from "./rest/mod.ts";
import { decodeFrameStream, frameStreamContentType } from "./rest/frame-stream.ts";

export type ClientOptions = {
  /** Where the gateway answers, without `/api/v1`: `https://gate.example:3080`. Empty in a page of its own. */
  baseUrl: string;
  /** How requests travel: the platform's own by default, `unixFetch` for the administrator's socket. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** A bearer token, where there is no cookie. */
  token?: string;
};

export type CallOptions = { signal?: AbortSignal };

export type Client = ReturnType<typeof createClient>;

/**
 * The typed client of `/api/v1`, for the CLI and the pages alike. Every call rejects with a GatehouseError: the server's
 * own code and hint, or `unavailable` when it could not be reached. `details` carries the status, and the `requestId` that names the request in its log.
 */
export function createClient(options: ClientOptions) {
  const base = `${options.baseUrl.replace(/\/$/, "")}/api/v1`;
  const send = options.fetch ?? ((url: string, init: RequestInit) => fetch(url, init));

  async function request(
    method: string,
    path: string,
    call: CallOptions & {
      query?: Record<string, unknown>;
      body?: unknown;
      accept?: string;
      headers?: Record<string, string>;
    } = {},
  ): Promise<Response> {
    const headers: Record<string, string> = { ...call.headers, accept: call.accept ?? "application/json" };
    if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;
    if (call.body !== undefined) headers["content-type"] = "application/json";
    let response: Response;
    try {
      response = await send(`${base}${path}${queryText(call.query)}`, {
        method,
        headers,
        credentials: "same-origin",
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        ...(call.signal ? { signal: call.signal } : {}),
      });
    } catch (cause) {
      if (call.signal?.aborted) throw cause;
      throw new GatehouseError({
        code: "unavailable",
        op: `client.${method.toLowerCase()}`,
        message: "the gateway does not answer",
        hint: "Check that the gateway runs and that the address is right.",
        cause,
      });
    }
    if (!response.ok) throw await problemOf(response, `client.${method.toLowerCase()}`);
    return response;
  }
  const get = async <T>(path: string, call?: CallOptions, query?: Record<string, unknown>): Promise<T> =>
    (await (await request("GET", path, { ...call, ...(query ? { query } : {}) })).json()) as T;
  const write = async <T>(method: string, path: string, body?: unknown, call?: CallOptions): Promise<T> => {
    const response = await request(method, path, { ...call, ...(body !== undefined && { body }) });
    return (response.status === 204 ? undefined : await response.json()) as T;
  };
  const part = encodeURIComponent;

  return {
    auth: {
      /** Exchanges the one-time link's token for a web session (a cookie, where the platform keeps cookies). */
      exchangeLink: (token: string) => write<SignInAnswer>("POST", "/auth/link", { token }),
      /** Signs in by name and password, as `exchangeLink` does by a link. */
      signInByPassword: (signIn: PasswordSignIn) => write<SignInAnswer>("POST", "/auth/password", signIn),
      /** What a sign-in asked for more. */
      secondFactor: (shown: SecondFactorShown) => write<Me>("POST", "/auth/second-factor", shown),
      /** What to ask the browser for, to show a passkey as the second step. */
      secondFactorByPasskey: (step: StepTicket) =>
        write<PasskeyOptions>("POST", "/auth/second-factor/passkey", step),
      /** A passkey that knows who it is, instead of a name and a password. */
      passkeyOptions: () => write<PasskeyOptions>("POST", "/auth/passkey/options"),
      signInByPasskey: (shown: PasskeySignIn) => write<Me>("POST", "/auth/passkey", shown),
      /** For whoever must have a second factor and has none: a secret for an authenticator app, then a code of it. */
      offerTotp: (step: StepTicket) => write<TotpOffer>("POST", "/auth/enrolment/totp", step),
      offerPasskey: (step: StepTicket) => write<PasskeyOptions>("POST", "/auth/enrolment/passkey", step),
      enrol: (added: FactorAdd) => write<Enrolled>("POST", "/auth/enrolment", added),
      /** What the sign-in page offers. */
      waysIn: async (call?: CallOptions) => (await get<{ items: WayIn[] }>("/auth/ways", call)).items,
      signOut: () => write<void>("POST", "/auth/logout"),
      me: (call?: CallOptions) => get<Me>("/me", call),
    },
    sessions: {
      list: (query: SessionQuery = {}, call?: CallOptions) => get<Page<Session>>("/sessions", call, query),
      get: (id: string, call?: CallOptions) => get<Session>(`/sessions/${part(id)}`, call),
      events: (id: string, query: SessionEventQuery = {}, call?: CallOptions) =>
        get<Page<SessionEvent>>(`/sessions/${part(id)}/events`, call, query),
      /**
       * Looks on at a live session: its frames so far, then those that come, with `live.now` between them, until it has ended.
       * Throws what the server said when the right to look on has ended.
       */
      async *watch(id: string, query: LiveQuery = {}, call?: CallOptions): AsyncGenerator<WireFrame> {
        const response = await request("GET", `/sessions/${part(id)}/live`, {
          ...call,
          query,
          accept: frameStreamContentType,
        });
        yield* decodeFrameStream(chunksOf(response));
      },
      pause: (id: string, how: SessionPause) => write<Session>("POST", `/sessions/${part(id)}/pause`, how),
      resume: (id: string, how: SessionResume = {}) =>
        write<Session>("POST", `/sessions/${part(id)}/resume`, how),
      terminate: (id: string, how: SessionTerminate) =>
        write<Session>("POST", `/sessions/${part(id)}/terminate`, how),
      /** Decides about a statement that waits. */
      review: (id: string, statement: number, how: StatementReview) =>
        write<Session>("POST", `/sessions/${part(id)}/statements/${statement}/review`, how),
    },
    /** A page of the finds in all recordings that the caller may play. One that is empty need not be the last. */
    search: (search: Search, call?: CallOptions) => write<SearchPage>("POST", "/search", search, call),
    recordings: {
      /** Sessions against verified recordings. */
      coverage: (query: CoverageQuery = {}, call?: CallOptions) =>
        get<RecordingCoverage>("/recordings/coverage", call, query),
      /** What expires up to a moment. */
      retention: (query: RetentionQuery = {}, call?: CallOptions) =>
        get<RetentionReport>("/recordings/retention", call, query),
      /** What was found damaged and nobody has acknowledged. */
      alarms: (call?: CallOptions) => get<RecordingAlarms>("/recordings/alarms", call),
      acknowledge: (id: string, how: AlarmAcknowledge) =>
        write<void>("POST", `/recordings/${part(id)}/acknowledge`, how),
      hold: (id: string, how: HoldCreate) => write<LegalHold>("POST", `/recordings/${part(id)}/hold`, how),
      release: (id: string, how: HoldRelease) => write<void>("POST", `/recordings/${part(id)}/release`, how),
      /** The clock as it stands is right: what is due may be removed. */
      trustClock: (how: HoldRelease) => write<void>("POST", "/recordings/retention/clock", how),
      /** Keys wrapped again for the recipients of today, from now on; asked for again, where that stands. */
      rewrap: (how: RewrapStart = {}) => write<Rewrapping>("POST", "/recordings/rewrap", how),
      rewrapping: (call?: CallOptions) => get<Rewrapping>("/recordings/rewrap", call),
      get: (id: string, call?: CallOptions) => get<Recording>(`/recordings/${part(id)}`, call),
      /** The frames of a window, as they come. Throws in the middle when the stream is cut or cannot go on. */
      async *frames(id: string, query: FramesQuery = {}, call?: CallOptions): AsyncGenerator<WireFrame> {
        const response = await request("GET", `/recordings/${part(id)}/frames`, {
          ...call,
          query,
          accept: frameStreamContentType,
        });
        yield* decodeFrameStream(chunksOf(response));
      },
      /**
       * The export's bytes, as they come, with the file name that the gateway proposes, and the tag by which the rest of just these
       * bytes can be asked for: `part` does. It gets the whole (`isPart: false`) where they are others now.
       */
      async export(
        id: string,
        format: ExportFormat,
        call: CallOptions & { part?: { from: number; tag: string }; film?: FilmCut } = {},
      ): Promise<{
        fileName: string;
        chunks: AsyncIterable<Uint8Array>;
        tag: string | undefined;
        isPart: boolean;
      }> {
        const { part: rest, film, ...how } = call;
        const response = await request("GET", `/recordings/${part(id)}/export`, {
          ...how,
          query: { format, ...film },
          accept: "*/*",
          ...(rest && { headers: { range: `bytes=${rest.from}-`, "if-range": `"${rest.tag}"` } }),
        });
        const named = /filename="([^"/\\]+)"/.exec(response.headers.get("content-disposition") ?? "");
        return {
          fileName: named?.[1] ?? `${id}.${format}`,
          chunks: chunksOf(response),
          tag: /^"([^"]+)"$/.exec(response.headers.get("etag") ?? "")?.[1],
          isPart: response.status === 206,
        };
      },
      /** The whole at a glance; `index` is null where none was made yet. */
      overview: (id: string, call?: CallOptions) =>
        get<RecordingOverview>(`/recordings/${part(id)}/index`, call),
      /** Where to begin in order to show a moment. */
      screen: (id: string, query: ScreenQuery, call?: CallOptions) =>
        get<RecordingScreen>(`/recordings/${part(id)}/screen`, call, query),
      /** One block of what was shown, of those that the overview lists. */
      text: (id: string, query: TextQuery, call?: CallOptions) =>
        get<RecordingText>(`/recordings/${part(id)}/text`, call, query),
      pictures: (id: string, call?: CallOptions) =>
        get<RecordingPictures>(`/recordings/${part(id)}/pictures`, call),
      makeIndex: (id: string, how: IndexMake = {}) =>
        write<IndexMade>("POST", `/recordings/${part(id)}/index`, how),
      /** A page of the finds in what was shown, run and typed, as far as the caller may see it. */
      search: (id: string, search: RecordingSearch, call?: CallOptions) =>
        write<RecordingHits>("POST", `/recordings/${part(id)}/search`, search, call),
      /** Checks the stored bytes now. A recording that does not verify is an answer (`ok: false`), not an error. */
      verify: (id: string) => write<Verification>("POST", `/recordings/${part(id)}/verify`),
    },
    people: {
      list: (query: PersonQuery = {}, call?: CallOptions) => get<Page<Person>>("/people", call, query),
      get: (id: string, call?: CallOptions) => get<Person>(`/people/${part(id)}`, call),
      create: (person: PersonCreate) => write<Person>("POST", "/people", person),
      update: (id: string, change: PersonUpdate) => write<Person>("PATCH", `/people/${part(id)}`, change),
      signInLink: (id: string) => write<SignInLink>("POST", `/people/${part(id)}/sign-in-link`),
      sshKeys: async (id: string, call?: CallOptions) =>
        (await get<{ items: SshKey[] }>(`/people/${part(id)}/ssh-keys`, call)).items,
      addSshKey: (id: string, key: SshKeyAdd) => write<SshKey>("POST", `/people/${part(id)}/ssh-keys`, key),
      removeSshKey: (id: string, keyId: string) =>
        write<void>("DELETE", `/people/${part(id)}/ssh-keys/${part(keyId)}`),
    },
    accounts: {
      signInFacts: (personId: string, call?: CallOptions) =>
        get<SignInFacts>(`/people/${part(personId)}/sign-in`, call),
      /** One's own. */
      setPassword: (change: PasswordChange) => write<void>("PUT", "/me/password", change),
      removePassword: (personId: string) => write<void>("DELETE", `/people/${part(personId)}/password`),
    },
    factors: {
      list: (personId: string, call?: CallOptions) =>
        get<FactorList>(`/people/${part(personId)}/factors`, call),
      /** One's own. */
      offerTotp: () => write<TotpOffer>("POST", "/me/factors/totp"),
      offerPasskey: () => write<PasskeyOptions>("POST", "/me/factors/passkey"),
      add: (added: FactorAdd) => write<FactorAdded>("POST", "/me/factors", added),
      rename: (id: string, change: FactorRename) => write<Factor>("PATCH", `/me/factors/${part(id)}`, change),
      renewRecoveryCodes: () => write<RecoveryCodes>("POST", "/me/recovery-codes"),
      /** Shows a second factor once more. A bearer token is another from then on. */
      stepUp: (shown: StepUpShown) => write<SteppedUp>("POST", "/me/step-up", shown),
      stepUpByPasskey: () => write<PasskeyOptions>("POST", "/me/step-up/passkey"),
      remove: (personId: string, id: string) =>
        write<void>("DELETE", `/people/${part(personId)}/factors/${part(id)}`),
      /** All of somebody's, and their recovery codes. */
      reset: (personId: string) => write<void>("DELETE", `/people/${part(personId)}/factors`),
    },
    signIns: {
      list: async (personId: string, call?: CallOptions) =>
        (await get<SignInList>(`/people/${part(personId)}/sign-ins`, call)).items,
      end: (personId: string, id: string) =>
        write<void>("DELETE", `/people/${part(personId)}/sign-ins/${part(id)}`),
      /** All but the one that asks. */
      endOthers: (personId: string) => write<SignInsEnded>("DELETE", `/people/${part(personId)}/sign-ins`),
    },
    access: {
      explain: (query: ExplainQuery, call?: CallOptions) => get<Explanation>("/access/explain", call, query),
    },
    tokens: {
      /** Everybody's, newest first. */
      all: (query: TokenQuery = {}, call?: CallOptions) => get<Page<OwnedToken>>("/tokens", call, query),
      list: (personId: string, call?: CallOptions) =>
        get<{ items: ApiToken[] }>(`/people/${part(personId)}/tokens`, call),
      create: (personId: string, token: ApiTokenCreate) =>
        write<ApiTokenMade>("POST", `/people/${part(personId)}/tokens`, token),
      remove: (personId: string, id: string) =>
        write<void>("DELETE", `/people/${part(personId)}/tokens/${part(id)}`),
    },
    commandSignIn: {
      /** For the command line, before it is signed in. */
      ask: (asked: CommandSignInAsk) => write<CommandSignInAsked>("POST", "/auth/command", asked),
      fetch: (shown: CommandSignInFetch) => write<CommandSignInFetched>("POST", "/auth/command/token", shown),
      /** For the page where a person answers. */
      get: (query: CommandSignInQuery, call?: CallOptions) =>
        get<CommandSignIn>("/command-sign-in", call, query),
      answer: (answer: CommandSignInAnswer) =>
        write<CommandSignInAnswered>("POST", "/command-sign-in/answer", answer),
    },
    certificates: {
      /** For an SSH key of one's own: the line of a .pub file. */
      createForSsh: (publicKey: string) =>
        write<SshCertificateMade>("POST", "/ssh-certificates", { publicKey }),
      /** For a key of one's own that clients of databases use, in PEM. */
      createForDatabase: (targetId: string, login: string, ask: DatabaseCertificateAsk) =>
        write<DatabaseCertificateMade>(
          "POST",
          `/targets/${part(targetId)}/logins/${part(login)}/certificate`,
          ask,
        ),
      list: async (personId: string, call?: CallOptions) =>
        (await get<{ items: Certificate[] }>(`/people/${part(personId)}/certificates`, call)).items,
      remove: (personId: string, serial: string) =>
        write<void>("DELETE", `/people/${part(personId)}/certificates/${part(serial)}`),
    },
    teams: {
      list: (query: TeamQuery = {}, call?: CallOptions) => get<Page<Team>>("/teams", call, query),
      get: (id: string, call?: CallOptions) => get<Team>(`/teams/${part(id)}`, call),
      create: (team: TeamCreate) => write<Team>("POST", "/teams", team),
      update: (id: string, change: TeamUpdate) => write<Team>("PATCH", `/teams/${part(id)}`, change),
      remove: (id: string) => write<void>("DELETE", `/teams/${part(id)}`),
    },
    roles: {
      list: (call?: CallOptions) => get<{ items: Role[] }>("/roles", call),
      get: (name: string, call?: CallOptions) => get<Role>(`/roles/${part(name)}`, call),
      /** Makes it, or sets the whole of it. */
      set: (name: string, role: RoleWrite) => write<Role>("PUT", `/roles/${part(name)}`, role),
      /** Lets people ask for it on these terms, built in or not. */
      setRequests: (name: string, policy: RequestPolicyWrite) =>
        write<Role>("PUT", `/roles/${part(name)}/requests`, policy),
      removeRequests: (name: string) => write<Role>("DELETE", `/roles/${part(name)}/requests`),
      remove: (name: string) => write<void>("DELETE", `/roles/${part(name)}`),
    },
    locks: {
      list: (call?: CallOptions) => get<{ items: Lock[] }>("/locks", call),
      /** What it would do; nothing is locked. */
      preview: (lock: LockPreviewQuery, call?: CallOptions) => get<LockPreview>("/locks/preview", call, lock),
      create: (lock: LockCreate) => write<LockSet>("POST", "/locks", lock),
      remove: (id: string) => write<void>("DELETE", `/locks/${part(id)}`),
    },
    requests: {
      list: (query: RequestQuery = {}, call?: CallOptions) =>
        get<Page<AccessRequest>>("/requests", call, query),
      get: (id: string, call?: CallOptions) => get<AccessRequest>(`/requests/${part(id)}`, call),
      /** On which terms one may ask for it; rejects where one may not, or need not. */
      termsOfTarget: (targetId: string, call?: CallOptions) =>
        get<RequestTerms>(`/targets/${part(targetId)}/request-terms`, call),
      termsOfRecording: (sessionId: string, call?: CallOptions) =>
        get<RequestTerms>(`/recordings/${part(sessionId)}/request-terms`, call),
      /** The roles that you may ask for. */
      roles: async (call?: CallOptions) =>
        (await get<{ items: AskableRole[] }>("/requests/roles", call)).items,
      create: (request: RequestCreate) => write<AccessRequest>("POST", "/requests", request),
      review: (id: string, review: RequestReview) =>
        write<AccessRequest>("POST", `/requests/${part(id)}/review`, review),
      cancel: (id: string) => write<AccessRequest>("POST", `/requests/${part(id)}/cancel`),
    },
    targets: {
      list: (query: TargetQuery = {}, call?: CallOptions) => get<Page<Target>>("/targets", call, query),
      get: (id: string, call?: CallOptions) => get<Target>(`/targets/${part(id)}`, call),
      create: (target: TargetCreate) => write<Target>("POST", "/targets", target),
      update: (id: string, change: TargetUpdate) => write<Target>("PATCH", `/targets/${part(id)}`, change),
      remove: (id: string) => write<void>("DELETE", `/targets/${part(id)}`),
      setCredential: (id: string, login: string, credential: CredentialWrite) =>
        write<void>("PUT", `/targets/${part(id)}/logins/${part(login)}/credential`, credential),
      /** Sets a new secret once the target has let the gate in with it; until then the old one stays. */
      rotateCredential: (id: string, login: string, credential: CredentialWrite) =>
        write<void>("POST", `/targets/${part(id)}/logins/${part(login)}/credential/rotate`, credential),
      removeCredential: (id: string, login: string) =>
        write<void>("DELETE", `/targets/${part(id)}/logins/${part(login)}/credential`),
      /** A short-lived way in for a client that signs in with a password. */
      openConnection: (id: string, login: string) =>
        write<Connection>("POST", `/targets/${part(id)}/logins/${part(login)}/connection`),
      /** Asks the target for its host keys. Trusts nothing. */
      scanHostKeys: (id: string) => write<HostScan>("POST", `/targets/${part(id)}/host-keys/scan`),
      /** The explicit act of trust. */
      trustHostKeys: (id: string, trust: HostTrust) =>
        write<Target>("PUT", `/targets/${part(id)}/host-keys`, trust),
    },
    credentials: {
      /** Seals all stored secrets anew under a new key. */
      rekey: () => write<Rekeyed>("POST", "/credentials/rekey"),
    },
    audit: {
      list: (query: AuditQuery = {}, call?: CallOptions) => get<Page<AuditEvent>>("/audit", call, query),
      verify: () => write<AuditVerification>("POST", "/audit/verify"),
      /** Lines of JSON, the oldest event first: without a filter to be verified offline. */
      async export(query: AuditExportQuery = {}, call?: CallOptions): Promise<AsyncIterable<Uint8Array>> {
        return chunksOf(await request("GET", "/audit/export", { ...call, query, accept: "*/*" }));
      },
    },
    health: (call?: CallOptions) => get<Health>("/health", call),
    ca: {
      /** The public key of the CA that signs the gate's host certificates: one `authorized_keys` line. */
      sshHost: async (call?: CallOptions) =>
        textOf(await request("GET", "/ca/ssh-host", { ...call, accept: "text/plain" })),
      /** The public key of the CA that signs user certificates towards targets. */
      sshUser: async (call?: CallOptions) =>
        textOf(await request("GET", "/ca/ssh-user", { ...call, accept: "text/plain" })),
      /** The public key that signs recordings, in PEM. */
      recordings: async (call?: CallOptions) =>
        textOf(await request("GET", "/ca/recordings", { ...call, accept: "text/plain" })),
      /** The CA of people's certificates for databases, in PEM. */
      database: async (call?: CallOptions) =>
        textOf(await request("GET", "/ca/database", { ...call, accept: "text/plain" })),
      /** The certificate that the gRPC API shows, in PEM. */
      grpc: async (call?: CallOptions) =>
        textOf(await request("GET", "/ca/grpc", { ...call, accept: "text/plain" })),
    },
  };
}

/** Everything that a page's `next` leads to, one entry after another. */
export async function* everyPage<T>(
  list: (cursor: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const found = await list(cursor);
    yield* found.items;
    cursor = found.next ?? undefined;
  } while (cursor !== undefined);
}

const textOf = (response: Response) => response.text();

function queryText(query: Record<string, unknown> | undefined): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined && value !== "") search.set(name, String(value));
  return search.size > 0 ? `?${search.toString()}` : "";
}

/** Not every browser lets a stream be iterated, so it is read by hand; leaving the loop cancels the download. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  if (!response.body) return;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function problemOf(response: Response, op: string): Promise<GatehouseError> {
  let said: Partial<Problem> = {};
  try {
    said = (await response.json()) as Partial<Problem>;
  } catch {
    // Something between us and the gateway answered: the status is all there is.
  }
  const code = errorCodes.find((known) => known === said.code) ?? codeOfStatus(response.status);
  const fields = said.fields?.map((field) => `${field.path}: ${field.message}`).join("; ");
  return new GatehouseError({
    code,
    op,
    message: `${said.detail ?? `the gateway answered ${response.status}`}${fields ? ` (${fields})` : ""}`,
    hint: said.hint,
    details: {
      status: response.status,
      ...retryAfterOf(response),
      ...(said.requestId === undefined ? {} : { requestId: said.requestId }),
    },
  });
}

function retryAfterOf(response: Response): { retryAfterSeconds?: number } {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : {};
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "denied";
  if (status === 404) return "not_found";
  if (status === 413) return "too_large";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "unavailable" : "invalid";
}
