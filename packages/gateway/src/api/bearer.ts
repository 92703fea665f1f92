/** The token of an `authorization` header (RFC 6750 §2.1), whatever carries the header. */
export function bearerTokenIn(authorization: string | null | undefined): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,4096})$/.exec(authorization ?? "")?.[1];
}
