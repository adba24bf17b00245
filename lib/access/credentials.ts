/** Keys and sign-ins that are not in the settings. Digests are SHA-256, in hexadecimal digits. */
export interface Credentials {
  /** Keys by name. */
  keys: ReadonlyMap<string, StoredDigest>;
  /** The same keys by digest. */
  keysByDigest: ReadonlyMap<string, StoredDigest>;
  /** Name and binding of the key of a sign-in, by the digest of its token. */
  signIns: ReadonlyMap<string, { key: string; binding: string }>;
}

/** A key as its digest. */
export interface StoredDigest {
  name: string;
  sha256: string;
}

/** Source of credentials that change while the gateway runs. */
export interface CredentialSource {
  /**
   * Returns the credentials. With `stale`, those known last if the source cannot be reached.
   *
   * @throws {ApiError} `overloaded_error` if the source cannot be reached.
   */
  read(options?: { stale?: boolean }): Promise<Credentials>;
}
