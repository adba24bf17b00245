import type { Reloaded } from "../config/reload.ts";
import type { Settings } from "../config/settings.ts";
import type { FetchHandler } from "../runtime/serve.ts";

/** The part of a gateway that the program uses. */
export interface ReadyHandler extends FetchHandler {
  ready(): Promise<void>;
  stop(): Promise<void>;
  reload(settings: Settings): Reloaded;
}

/** Creates the gateway that the program serves. */
export type CreateGateway = (options: { settings: Settings; host?: string }) => ReadyHandler;

/**
 * Runs a command of the program with the arguments after its name, and returns the exit status.
 *
 * @throws {ConfigError} if the settings or the arguments are invalid: the program prints each mistake, and exits with 2.
 */
export type RunCommand = (args: readonly string[], createGateway: CreateGateway) => Promise<number>;
