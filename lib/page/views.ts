import type { View } from "./view.ts";
import { now } from "./views/now.ts";
import { spend } from "./views/spend.ts";

/** The views, in the order of the navigation. */
export const VIEWS: readonly View[] = [now, spend];
