import type { Migration } from "./migration.ts";

/** Certificates of people's own keys are for more than SSH, and one may be good for a single login or from a single address. */
export const certificates: Migration = {
  id: "0061-certificates",
  statements: [
    `alter table ssh_certificates rename to certificates`,
    `alter table certificates add column kind text not null default 'ssh'`,
    `alter table certificates add column target_id text`,
    `alter table certificates add column login text`,
    `alter table certificates add column source_address text`,
    `drop index ssh_certificates_of_user`,
    `create index certificates_of_user on certificates (user_id, issued_at)`,
  ],
};
