import type { FactorAdd, PasskeyOptions, PasskeySignIn } from "@gatehouse/contracts/rest";

/** What a browser knows of passkeys is brought along only where one is used. */
const webauthn = () => import("@simplewebauthn/browser");

/** Passkeys belong to a host's name, over https or on this machine. */
export const mayUsePasskeys = "PublicKeyCredential" in globalThis;

export async function showPasskey({ ticket, options }: PasskeyOptions): Promise<PasskeySignIn> {
  const { startAuthentication } = await webauthn();
  const optionsJSON = options as unknown as Parameters<typeof startAuthentication>[0]["optionsJSON"];
  return { ticket, passkey: (await startAuthentication({ optionsJSON })) as PasskeySignIn["passkey"] };
}

export async function makePasskey({ ticket, options }: PasskeyOptions, name: string): Promise<FactorAdd> {
  const { startRegistration } = await webauthn();
  const optionsJSON = options as unknown as Parameters<typeof startRegistration>[0]["optionsJSON"];
  const passkey = await startRegistration({ optionsJSON });
  return { ticket, name, passkey: passkey as Extract<FactorAdd, { passkey: unknown }>["passkey"] };
}
