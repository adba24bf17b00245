/** The files of the workspace. */
// deno-lint-ignore no-empty-interface
export interface Files {}
