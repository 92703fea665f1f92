import { sealingBy } from "../credentials/mod.ts";
import {
  createAttempts,
  createBeginSession,
  createCertificateHolders,
  createIdentity,
  createLocalAccounts,
  createOidcPeople,
  createOidcSignIn,
  createPasswordHashes,
  createSecondFactors,
  createSecondStep,
  createWebSignIn,
  openOidcProvider,
  standingIn,
} from "../identity/mod.ts";
import type { Ground } from "./ground.ts";

/** Who people are and how they come in: by link, password, second factor, single sign-on, certificate. */
export async function composeIdentity({
  config,
  keyring,
  directory,
  audit,
  clock,
  random,
  rightsChanged,
}: Ground & {
  /** A person's rights were changed by what a provider said of them. */
  rightsChanged(): void;
}) {
  const standing = standingIn(directory);
  const beginSession = createBeginSession({
    ...directory,
    standing,
    audit,
    clock,
    random,
    sessionMs: config.web.session_lifetime.ms,
  });
  const { issuer, client_secret: clientSecret } = config.oidc;
  const oidc =
    issuer === undefined
      ? undefined
      : createOidcSignIn({
          name: config.oidc.name,
          provider: openOidcProvider(
            { ...config.oidc, issuer },
            clientSecret === undefined ? undefined : await keyring.givenKey(clientSecret),
            clock,
          ),
          personOf: createOidcPeople({
            ...directory,
            config: config.oidc,
            accounts: directory.oidcAccounts,
            audit,
            rightsChanged,
          }),
          secondFactor: config.oidc.second_factor,
          signIns: directory.oidcSignIns,
          beginSession,
          audit,
          clock,
          random,
        });
  const attempts = createAttempts({ ...directory, clock });
  const secondFactors = createSecondFactors({
    ...directory,
    sealing: sealingBy({ keys: keyring.credentialKeys, random }),
    attempts,
    audit,
    clock,
    random,
    isRequired: config.sign_in.second_factor === "required",
    issuer: `Gatehouse ${config.gateway_id}`,
  });
  const secondStep = createSecondStep({
    ...directory,
    secondFactors,
    beginSession,
    standing,
    audit,
    clock,
    random,
  });
  const webSignIn = createWebSignIn({ beginSession, secondStep, standing, audit });
  const identity = createIdentity({ ...directory, standing, webSignIn, audit, clock, random });
  const accounts = createLocalAccounts({
    ...directory,
    hashes: createPasswordHashes({ random }),
    attempts,
    webSignIn,
    audit,
    clock,
    passwordsOpen: config.sign_in.passwords,
  });
  const holders = createCertificateHolders({
    ...directory,
    identity,
    audit,
    clock,
    random,
    lifetimesMs: {
      ssh: config.ssh.certificates.lifetime.ms,
      database: config.client_certificates.lifetime.ms,
    },
  });
  return { accounts, beginSession, holders, identity, oidc, secondFactors, secondStep };
}
