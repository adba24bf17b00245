/** Pages of the public web. */
// deno-lint-ignore no-empty-interface
export interface Web {}
