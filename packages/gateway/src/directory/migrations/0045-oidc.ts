import type { Migration } from "./migration.ts";

/** Sign-ins that are with the identity provider now, and which of its accounts is which person. */
export const oidc: Migration = {
  id: "0045-oidc",
  statements: [
    `create table oidc_sign_ins (
      state_hash text primary key,
      browser_hash text not null,
      nonce text not null,
      verifier text not null,
      expires_at bigint not null
    )`,
    `create table oidc_accounts (
      issuer text not null,
      subject text not null,
      user_id text not null references users (id),
      linked_at bigint not null,
      primary key (issuer, subject)
    )`,
    `create unique index oidc_accounts_of_user on oidc_accounts (user_id, issuer)`,
  ],
};
