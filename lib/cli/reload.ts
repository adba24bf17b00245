import { requireKeysOffLoopback } from "../config/bind_check.ts";
import { isGuessable } from "../config/gateway_keys.ts";
import { ConfigError, parseConfig, toOrigins, toSettings } from "../config/parse.ts";
import type { Config } from "../config/settings.ts";
import { loggerOf, startLog } from "../observability/log.ts";
import { watchFiles } from "../runtime/files.ts";
import { onHangup } from "../runtime/process.ts";
import type { ReadyHandler } from "./command.ts";
import type { Flags } from "./flags.ts";
import { readSources } from "./sources.ts";

/** What is read again for a running program. */
interface ReloadOptions {
  flags: Flags;
  /** Paths of the files that settings were read from. */
  files: readonly string[];
  /** Address that the program listens on. */
  host: string;
  onTerminalClosed(): void;
}

/**
 * Reads the settings again on SIGHUP and after a change of one of their files. Mistakes change nothing and are logged,
 * with file, line and column.
 */
export function reloadOnChange(
  gateway: ReadyHandler,
  { flags, files, host, onTerminalClosed }: ReloadOptions,
): void {
  const start = () => void reload();
  let stopWatching = watchFiles(files, start, { intervalMs: POLL_MS });
  onHangup(start, onTerminalClosed);

  async function reload(): Promise<void> {
    const sources = await readSources(flags);
    stopWatching();
    stopWatching = watchFiles(sources.files, start, { intervalMs: POLL_MS });
    try {
      const config = parseConfig(sources);
      requireKeysOffLoopback(config, host);
      const { changed, restart } = gateway.reload(toSettings(sources), toOrigins(sources));
      startLog(config.logLevel, { levels: config.logComponents, format: config.logFormat, batched: true });
      loggerOf("gateway").info("settings read again", { changed, restart });
      if (restart.length > 0) {
        loggerOf("gateway").warn("settings changed that need a restart", { settings: restart });
      }
      warnOfGuessableKeys(config);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      loggerOf("gateway").error("settings read again are invalid, nothing changed", {
        mistakes: error.mistakes,
      });
    }
  }
}

/** Time between two looks at the files, in milliseconds. */
const POLL_MS = 1000;

/** Logs the names of gateway keys that are short enough to be guessed. */
export function warnOfGuessableKeys({ gatewayApiKeys = [], gatewayAdminKey }: Config): void {
  const guessable = [...gatewayApiKeys, ...(gatewayAdminKey ? [gatewayAdminKey] : [])].filter(isGuessable);
  if (guessable.length > 0) {
    loggerOf("gateway").warn("gateway key shorter than 16 characters can be guessed", {
      keys: guessable.map(({ name }) => name),
    });
  }
}
