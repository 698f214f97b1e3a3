import { after, before, test } from 'node:test';
import { runsWholeDemo } from './demo/whole-demo.js';
import { Lab } from './lab/lab.js';

let lab: Lab;
before(async () => {
  lab = await Lab.create(1);
});
after(() => lab?.destroy());

test('the demo runs from nothing, tells who answered, and removes everything', () => runsWholeDemo(lab.host(0)));
