import type { View } from "./view.ts";
import { now } from "./views/now.ts";

/** The views, in the order of the navigation. */
export const VIEWS: readonly View[] = [now];
