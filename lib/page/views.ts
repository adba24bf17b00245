import type { View } from "./view.ts";
import { errors } from "./views/errors.ts";
import { now } from "./views/now.ts";
import { request } from "./views/request.ts";

/** The views, in the order of the navigation. */
export const VIEWS: readonly View[] = [now, errors, request];
