// The flows of flows/ against one running platform.

import { after, before } from "node:test";

import { issuance } from "../flows/issuance.mjs";
import { Platform } from "../flows/platform.mjs";
import { presentation } from "../flows/presentation.mjs";
import { projections } from "../flows/projections.mjs";
import { sdJwtVc } from "../flows/sd-jwt-vc.mjs";
import { vcApi } from "../flows/vc-api.mjs";
import { w3c } from "../flows/w3c.mjs";

let running;
const platform = () => running;

before(async () => {
  running = await Platform.start();
});

issuance(platform);
sdJwtVc(platform);
presentation(platform);
projections(platform);
w3c(platform);
vcApi(platform);

after(() => running?.stop());
