/** Keys and sign-ins that are not in the settings. Digests are SHA-256, in hexadecimal digits. */
export interface Credentials {
  keys: readonly { name: string; sha256: string }[];
  signIns: readonly {
    /** Digest of the token. */
    sha256: string;
    /** Name of the key, and {@linkcode bindingOf} its digest. */
    key: string;
    binding: string;
  }[];
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
