/**
 * identity: who is this?
 *
 * Owns: signing in and out, one-time links, passwords, second factors, the identity provider, web sessions, and finding the person behind
 * an SSH key or a certificate.
 * Never: decides what somebody may do (access does), keeps a secret in the clear (only hashes reach the database), or
 * tells a stranger whether a name, a link or a key is known.
 */
export { createBeginSession } from "./begin-session.ts";
export { scramTerms } from "./connection-secret.ts";
export { type CommandSignIn, createCommandSignIn } from "./command-sign-in.ts";
export { type CertificateHolders, createCertificateHolders } from "./certificate-holders.ts";
export { createAttempts } from "./attempts.ts";
export {
  type ConnectionScope,
  type Identity,
  type Person,
  apiTokenPrefix,
  createIdentity,
  localAdministrator,
} from "./identity.ts";
export { type LocalAccounts, createLocalAccounts } from "./local-accounts.ts";
export { type SecondFactors, createSecondFactors } from "./factors/second-factors.ts";
export { type PasskeyAsk, type SecondStep, type Waiting, createSecondStep } from "./factors/second-step.ts";
export { createPasswordHashes } from "./password-hash.ts";
export { standingIn } from "./standing.ts";
export { oidcSection } from "./oidc/config.ts";
export { createOidcPeople } from "./oidc/people.ts";
export { openOidcProvider } from "./oidc/provider.ts";
export { type OidcSignIn, createOidcSignIn } from "./oidc/sign-in.ts";
export { type From, type SignedIn, createWebSignIn } from "./web-sign-in.ts";
