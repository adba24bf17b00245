/** Commands, inside a sandbox of the operating system. */
// deno-lint-ignore no-empty-interface
export interface Shell {}
