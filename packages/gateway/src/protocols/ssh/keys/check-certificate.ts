import { BlockList, isIP } from "node:net";
import { GatehouseError } from "@gatehouse/kernel";
import { optionText } from "./certificate.ts";
import type { Certificate, CertificateDemand, CertificateGrant } from "./door.ts";
import { fingerprint, printable } from "./public-key.ts";

/**
 * Whether a parsed certificate is good for what is asked. Throws `denied` with the reason in its message and as
 * `details.reason`; returns what the certificate restricts, for the caller to hold.
 */
export function checkCertificate(certificate: Certificate, demand: CertificateDemand): CertificateGrant {
  const ca = certificate.signatureKey.blob;
  if (!demand.authorities.some((blob) => Buffer.from(blob).equals(ca)))
    throw refused("authority", certificate, `it is signed by ${fingerprint(ca)}, which is not a trusted CA`);
  if (certificate.kind !== demand.kind)
    throw refused(
      "kind",
      certificate,
      `it is a ${certificate.kind} certificate, a ${demand.kind} one is needed`,
    );
  const nowSeconds = BigInt(Math.floor(demand.nowMs / 1000));
  if (nowSeconds < certificate.validAfter)
    throw refused("time", certificate, `it is not valid before ${dateOf(certificate.validAfter)}`);
  if (nowSeconds >= certificate.validBefore)
    throw refused("time", certificate, `it expired at ${dateOf(certificate.validBefore)}`);
  checkPrincipal(certificate, demand.principals);
  return readRestrictions(certificate, demand.sourceAddress);
}

function checkPrincipal(certificate: Certificate, wanted: readonly string[]): void {
  // A certificate that names nobody would be good for everybody: refused, as sshd does.
  const named = certificate.principals.some((principal) =>
    wanted.some((name) =>
      certificate.kind === "host"
        ? wildcardMatches(principal.toLowerCase(), name.toLowerCase())
        : principal === name,
    ),
  );
  if (!named) {
    const names = wanted.map(printable).join(" or ");
    const has = certificate.principals.slice(0, 10).map(printable).join(", ");
    throw refused("principal", certificate, `it is for ${has === "" ? "nobody" : has}, not for ${names}`);
  }
}

/** The wildcards of ssh_config(5) PATTERNS that host certificates may use: `*` and `?`. Linear in time. */
export function wildcardMatches(pattern: string, text: string): boolean {
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let t = 0; t < text.length;) {
    if (pattern[p] === "*") {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** PROTOCOL.certkeys: a critical option that is not understood refuses the certificate; unknown extensions do not. */
function readRestrictions(certificate: Certificate, sourceAddress: string | undefined): CertificateGrant {
  let forceCommand: string | undefined;
  let verifyRequired = false;
  for (const [name, value] of certificate.criticalOptions) {
    // Host certificates have no critical options at all.
    switch (certificate.kind === "user" ? name : undefined) {
      case "force-command":
        forceCommand = textOf(certificate, name, value);
        break;
      case "verify-required":
        verifyRequired = true;
        break;
      case "source-address": {
        const list = textOf(certificate, name, value);
        if (!addressListed(certificate, list, sourceAddress))
          throw refused(
            "source-address",
            certificate,
            `it may not be used from ${sourceAddress ?? "an unknown address"}`,
          );
        break;
      }
      default:
        throw refused(
          "critical-option",
          certificate,
          `its critical option ${printable(name)} is not understood`,
        );
    }
  }
  return { forceCommand, verifyRequired };
}

function textOf(certificate: Certificate, name: string, value: Uint8Array): string {
  try {
    return optionText(value);
  } catch {
    throw refused("critical-option", certificate, `its critical option ${name} is malformed`);
  }
}

/** A comma-separated list of addresses and CIDR blocks; one malformed entry refuses the whole list. */
function addressListed(certificate: Certificate, list: string, sourceAddress: string | undefined): boolean {
  const blocks = new BlockList();
  for (const entry of list.split(",")) {
    const [address = "", bits, ...more] = entry.trim().split("/");
    const family = isIP(address);
    const prefix = bits === undefined ? (family === 4 ? 32 : 128) : Number(bits);
    const wellFormed = family !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits ?? "0");
    if (!wellFormed || prefix > (family === 4 ? 32 : 128))
      throw refused("critical-option", certificate, "its critical option source-address is malformed");
    blocks.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
  }
  if (sourceAddress === undefined) return false;
  // A dual-stack socket shows IPv4 clients as ::ffff:192.0.2.1.
  const plain = sourceAddress.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  const family = isIP(plain);
  return family !== 0 && blocks.check(plain, family === 4 ? "ipv4" : "ipv6");
}

function dateOf(seconds: bigint): string {
  // The last moment a Date can hold; beyond it the number itself says enough.
  return seconds <= 8_640_000_000_000n ? new Date(Number(seconds) * 1000).toISOString() : `${seconds} s`;
}

function refused(reason: string, certificate: Certificate, why: string): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "ssh.keys.certificate",
    message: `the certificate ${printable(certificate.keyId)} is refused: ${why}`,
    details: { reason, serial: String(certificate.serial) },
  });
}
