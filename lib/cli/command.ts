import type { SettingOrigins } from "../config/describe.ts";
import type { Reloaded } from "../config/reload.ts";
import type { Config, Settings } from "../config/settings.ts";
import type { DoctorContext } from "../doctor/context.ts";
import type { FetchHandler } from "../runtime/http/serve.ts";

/** The part of a gateway that the program uses. */
export interface ReadyHandler extends FetchHandler {
  ready(): Promise<void>;
  stop(): Promise<void>;
  reload(settings: Settings, origins?: SettingOrigins): Reloaded;
}

/** Creates the gateway that the program serves. */
export type CreateGateway = (
  options: { settings: Settings; origins?: SettingOrigins; host?: string; fetch?: typeof fetch },
) => ReadyHandler;

/** What commands run with. */
export interface CommandServices {
  createGateway: CreateGateway;
  /** Creates the parts of a gateway that `doctor` checks. */
  createGatewayContext(config: Config, options: { host: string }): DoctorContext;
}

/**
 * Runs a command of the program with the arguments after its name, and returns the exit status.
 *
 * @throws {ConfigError} if the settings or the arguments are invalid: the program prints each mistake and exits with 2.
 */
export type RunCommand = (args: readonly string[], services: CommandServices) => Promise<number>;
