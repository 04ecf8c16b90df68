// The flows of flows/ against one running platform.

import { after, before } from "node:test";

import { issuance } from "../flows/issuance.mjs";
import { Platform } from "../flows/platform.mjs";
import { presentation } from "../flows/presentation.mjs";
import { sdJwtVc } from "../flows/sd-jwt-vc.mjs";

let running;
const platform = () => running;

before(async () => {
  running = await Platform.start();
});

issuance(platform);
sdJwtVc(platform);
presentation(platform);

after(() => running?.stop());
