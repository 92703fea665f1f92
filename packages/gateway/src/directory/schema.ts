/**
 * The tables. Portable between SQLite and PostgreSQL: ids, JSON and bytes (base64) are text, moments are bigint
 * milliseconds, truth is an integer 0 or 1.
 */
export type Tables = {
  users: {
    id: string;
    name: string;
    display_name: string;
    roles: string;
    disabled: number;
    created_at: number;
  };
  user_keys: {
    id: string;
    user_id: string;
    type: string;
    blob: string;
    fingerprint: string;
    comment: string;
    added_at: number;
    last_used_at: number | null;
  };
  teams: { id: string; name: string; description: string; created_at: number };
  roles: {
    name: string;
    description: string;
    statements: string;
    created_at: number;
    updated_at: number;
  };
  role_requests: { role: string; policy: string; updated_at: number };
  team_members: { team_id: string; user_id: string; leads: number };
  targets: {
    id: string;
    name: string;
    protocol: string;
    host: string;
    port: number;
    allowed_roles: string;
    allowed_users: string;
    policy: string;
    access_policy: string;
    host_trust: string;
    demo: number;
    created_at: number;
    updated_at: number;
  };
  target_labels: { target_id: string; name: string; value: string };
  target_logins: {
    target_id: string;
    login: string;
    /** The order in which the administrator gave them. */
    rank: number;
    kind: string;
    credential_id: string | null;
  };
  credentials: {
    id: string;
    name: string;
    kind: string;
    envelope: string;
    created_at: number;
    updated_at: number;
  };
  sessions: {
    id: string;
    facts: string;
    started_at: number;
    user_id: string;
    user_name: string;
    target_id: string;
    target_name: string;
    login: string;
    protocol: string;
    kind: string;
    access: string | null;
    /** What a search by text looks through, in lower case. */
    haystack: string;
    state: string;
    recording_state: string;
    recording_detail: string | null;
    ended_at: number | null;
    end_reason: string | null;
    end_detail: string | null;
    duration_ms: number | null;
    exit_status: number | null;
    exit_signal: string | null;
    frames: number | null;
    bytes: number | null;
    head_sha256: string | null;
    retention_ms: number | null;
    retain_until: number | null;
    locked_until: number | null;
    removed_at: number | null;
    /** JSON: why the recording is kept whatever its retention, and who wants it. */
    hold: string | null;
    removing_by: string | null;
    removing_until: number | null;
  };
  recording_checks: {
    session_id: string;
    checked_at: number;
    ok: number;
    opened: number;
    bytes: number;
    fault: string | null;
  };
  recording_indexes: {
    session_id: string;
    made_at: number;
    maker: number;
    name: string | null;
    bytes: number;
    fault: string | null;
  };
  search_filters: {
    session_id: string;
    version: number;
    key_id: string;
    made_at: number;
    main: Uint8Array;
    input: Uint8Array | null;
  };
  audit_events: {
    position: number;
    hash: string;
    prev_hash: string;
    time_ms: number;
    event: string;
    code: string;
    user_name: string;
    server_id: string | null;
    session_id: string | null;
    success: number;
    body: string;
  };
  login_links: { hash: string; user_id: string; expires_at: number; used_at: number | null };
  passwords: { user_id: string; stored: string; changed_at: number };
  sign_in_attempts: { about: string; failures: number; last_at: number; shut_until: number };
  web_sessions: {
    id: string;
    hash: string;
    user_id: string;
    method: string;
    remote_address: string;
    user_agent: string;
    created_at: number;
    last_seen_at: number;
    expires_at: number;
    mfa_at: number | null;
    revoked: number;
  };
  factors: {
    id: string;
    user_id: string;
    kind: string;
    name: string;
    /** Of a one-time code's secret, sealed. */
    envelope: string | null;
    /** The step whose code was taken last. */
    last_step: number | null;
    credential_id: string | null;
    public_key: string | null;
    sign_count: number | null;
    transports: string | null;
    rp_id: string | null;
    created_at: number;
    last_used_at: number | null;
  };
  recovery_codes: { hash: string; user_id: string; created_at: number };
  sign_in_steps: { hash: string; kind: string; user_id: string | null; facts: string; expires_at: number };
  connection_secrets: {
    hash: string;
    user_id: string;
    protocol: string;
    target_id: string | null;
    login: string | null;
    mfa_at: number | null;
    created_at: number;
    expires_at: number;
  };
  api_tokens: {
    id: string;
    hash: string;
    user_id: string;
    name: string;
    scopes: string;
    created_at: number;
    expires_at: number;
    last_used_at: number | null;
  };
  command_sign_ins: {
    id: string;
    challenge: string;
    client: string;
    remote_address: string;
    user_code: string | null;
    callback: string | null;
    state: string;
    user_id: string | null;
    code_hash: string | null;
    approved_from: string | null;
    mfa_at: number | null;
    asked_at: number | null;
    interval_ms: number;
    created_at: number;
    expires_at: number;
  };
  oidc_sign_ins: {
    state_hash: string;
    browser_hash: string;
    nonce: string;
    verifier: string;
    expires_at: number;
  };
  oidc_accounts: { issuer: string; subject: string; user_id: string; linked_at: number };
  certificates: {
    serial: string;
    kind: string;
    user_id: string;
    session_hash: string;
    target_id: string | null;
    login: string | null;
    source_address: string | null;
    fingerprint: string;
    issued_at: number;
    expires_at: number;
    last_used_at: number | null;
  };
  locks: {
    id: string;
    kind: string;
    name: string;
    reason: string;
    created_by: string;
    created_at: number;
    until_at: number | null;
  };
  access_requests: {
    id: string;
    user_id: string;
    kind: string;
    target_id: string | null;
    target_name: string | null;
    logins: string;
    session_id: string | null;
    role: string | null;
    reason: string;
    duration_ms: number;
    approvals: number;
    at_expiry: string;
    state: string;
    created_at: number;
    ends_at: number;
  };
  access_reviews: {
    request_id: string;
    reviewer_id: string;
    reviewer_name: string;
    verdict: string;
    comment: string;
    reviewed_at: number;
  };
  settings: { name: string; value: string };
  /** One row, written to learn whether anything can be written. */
  probes: { id: number; at: number };
  migrations: { id: string; checksum: string; applied_at: number };
};
