// node web.mjs SCENARIO ADDRESS: tries the server's page in a browser.
import * as scenarios from "./web/scenarios.mjs";

const [name, address] = process.argv.slice(2);
await scenarios[name](`${address}/`);
console.log(`${name} ok`);
