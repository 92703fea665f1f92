/**
 * connection: which gateway this command talks to, and as whom.
 *
 * Owns: the choice between the administrator's socket and a profile, and the stored profiles (0600).
 * Never: prints a token, or knows what a command asks for.
 */
export { loginByBrowser } from "./browser-login.ts";
export { type GatewayOptions, connect, connectAsPerson, withGateway } from "./connect.ts";
export { exchangeLink, tokenIn } from "./exchange-link.ts";
export { signInByPassword } from "./sign-in.ts";
export { createProfiles, originOf } from "./profiles.ts";
