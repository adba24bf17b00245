import type { View } from "./view.ts";
import { models } from "./views/models.ts";
import { now } from "./views/now.ts";
import { settings } from "./views/settings.ts";
import { spend } from "./views/spend.ts";
import { tools } from "./views/tools.ts";

/** The views, in the order of the navigation. */
export const VIEWS: readonly View[] = [now, spend, models, tools, settings];
